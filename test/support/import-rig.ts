import { linkSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CohortServer, startCohortServer } from '../../infra/local/cohort-server.ts'
import { Archive } from '../../infra/local/xnat-server/archive.ts'
import { type CatalogEntry, writeCatalogXml } from '../../infra/local/xnat-server/catalog-xml.ts'
import { makeInstance } from '../../infra/local/xnat-server/dqr/made-instance.ts'
import type { PacsStudy, PacsStudyOrder } from '../../infra/local/xnat-server/dqr/pacs-study.ts'
import type { DqrSetUp } from '../../infra/local/xnat-server/dqr/set-up.ts'
import type { Project, Resource, Scan } from '../../infra/local/xnat-server/records.ts'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { loadConfig } from '../../lib/config.ts'
import { createDataAccess, type DataAccess } from '../../lib/data-access/client.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { md5 } from './delivery-rig.ts'
import { type LocalAws, startLocalAws } from './local-aws.ts'
import { testEnvelope, testEnvironment } from './wired.ts'

/** S3 and SQS, a stand-in XNAT with one project and a PACS behind it, a source of cohorts, and a client of each. */
export interface ImportRig {
  aws: LocalAws
  state: ObjectStore
  standIn: XnatServer
  xnat: XnatClient
  cohorts: CohortServer
  dataAccess: DataAccess
  projectId: string
  /** Stands still but for `advance`, for XNAT, the PACS and whoever is given it. */
  now(): Date
  /** Moves the time on, and does what XNAT and the PACS do meanwhile. */
  advance(ms: number): Promise<void>
  /** Puts as many studies of one instance into the PACS. `order` says of each what is not to be made up. */
  declare(count: number, order?: (index: number) => Partial<PacsStudyOrder>): PacsStudy[]
  /** Makes archived sessions of studies at once, by hand, labelled as an import labels them. */
  archive(studies: readonly PacsStudy[], options?: { without?: 'files' | 'scans' }): void
  stop(): Promise<void>
}

export interface ImportRigOptions extends Omit<DqrSetUp, 'projects'> {
  /** When the clock stands at first. */
  startsAt?: string
}

const projectId = 'P1'

export async function startImportRig(options: ImportRigOptions = {}): Promise<ImportRig> {
  const { startsAt = '2026-01-05T10:00:00Z', ...pacs } = options
  const dataDir = await mkdtemp(join(tmpdir(), 'import-rig-'))
  const aws = await startLocalAws()
  const standIn = await startXnat({ dataDir, now: () => new Date(startsAt) })
  // Longer than any test moves the clock: sign-ins are tested elsewhere.
  standIn.state.configure({ sessionTimeoutMs: 10 * 365 * 24 * 60 * 60_000 })
  const { url, user, password } = standIn
  const retry = { baseMs: 1, capMs: 5 }
  const xnat = new XnatClient({ url, credentials: { kind: 'password', user, password }, retry })
  await createProject(xnat, { projectId, secondaryId: 'hub-1', name: projectId })
  standIn.pacs.register({ threads: 4, ...pacs, projects: [projectId] })
  const { cohorts, dataAccess } = await startCohorts()

  return {
    aws,
    state: await aws.bucket('state'),
    standIn,
    xnat,
    cohorts,
    dataAccess,
    projectId,
    now: () => standIn.clock.now(),
    advance: (ms) => standIn.clock.advance(ms),
    declare: (count, order) =>
      standIn.pacs.add(
        ...Array.from({ length: count }, (_, index) => ({
          accessionNumber: `ACC${String(index + 1).padStart(6, '0')}`,
          series: [{ instances: 1 }],
          ...order?.(index),
        })),
      ),
    archive: (studies, { without } = {}) => archiveByHand({ standIn, dataDir }, studies, without),
    async stop() {
      await xnat.close()
      await dataAccess.agent.close()
      await cohorts.stop()
      await standIn.stop()
      await aws.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function startCohorts(): Promise<{ cohorts: CohortServer; dataAccess: DataAccess }> {
  const { serviceKey } = loadConfig(testEnvironment)
  const access = { header: serviceKey.header, key: testEnvironment.TRUST_INTERNAL_SERVICE_KEY }
  const cohorts = await startCohortServer({
    serviceKey: access,
    envelopeKeys: testEnvelope.keys,
    sampleCohort: () => [],
  })
  cohorts.configure({ threshold: 1 })
  const dataAccess = createDataAccess({
    url: cohorts.url,
    keyHeader: access.header,
    secrets: async () => ({ serviceKey: access.key, envelope: testEnvelope }),
    sealedProjectId: 'xnat',
    timeoutMs: 20_000,
  })
  return { cohorts, dataAccess }
}

interface Site {
  standIn: XnatServer
  dataDir: string
}

function archiveByHand(site: Site, studies: readonly PacsStudy[], without: 'files' | 'scans' | undefined): void {
  const { state, clock } = site.standIn
  const project = state.projects.get(projectId)
  if (project === undefined) throw new Error(`there is no project ${projectId}`)
  const inserted = { at: clock.now().toISOString(), by: site.standIn.user }
  let content: ScanContent | undefined
  for (const [index, study] of studies.entries()) {
    // ext4: a file has at most 65,000 names.
    if (content === undefined || index % 20_000 === 0) content = makeContent(site, study, without !== 'files')
    const { accessionNumber: label, studyInstanceUid, studyDate } = study
    const subjectId = `XNAT_S${String(state.next('subject')).padStart(5, '0')}`
    const experimentId = `XNAT_E${String(state.next('experiment')).padStart(5, '0')}`
    const common = { projectId, shares: [], inserted }
    state.subjects.put({ ...common, subjectId, label: `subject-${label}`, fields: {} })
    const fields = { UID: studyInstanceUid, date: studyDate.replace(/(....)(..)(..)/, '$1-$2-$3') }
    state.experiments.put({ ...common, experimentId, label, xsiType: 'xnat:mrSessionData', subjectId, fields })
    for (const { seriesNumber, seriesInstanceUid, seriesDescription } of without === 'scans' ? [] : study.series) {
      const scan: Scan = {
        rowId: state.next('scan'),
        sessionId: experimentId,
        scanId: seriesNumber,
        xsiType: 'xnat:mrScanData',
        fields: {
          UID: seriesInstanceUid,
          type: seriesDescription,
          series_description: seriesDescription,
          quality: 'usable',
        },
        inserted,
      }
      state.scans.put(scan)
      addContent(site, { project, label, scan }, content)
    }
  }
}

/** What every scan holds that was made together: thousands of links cost a fraction of as many files. */
interface ScanContent {
  catalog: string
  /** Absent from an empty shell. */
  instance: { path: string; sizeBytes: number } | undefined
}

const fileName = '1.dcm'

function makeContent({ standIn, dataDir }: Site, study: PacsStudy, hasFile: boolean): ScanContent {
  const folder = mkdtempSync(join(dataDir, 'shared-'))
  const catalog = join(folder, 'catalog.xml')
  const [series] = study.series
  const bytes = hasFile && series !== undefined ? makeInstance(study, series, 1) : undefined
  if (bytes === undefined) {
    writeFileSync(catalog, writeCatalogXml({ id: 'DICOM', entries: [] }))
    return { catalog, instance: undefined }
  }
  const entry: CatalogEntry = {
    path: fileName,
    size: bytes.length,
    digest: md5(bytes),
    format: 'DICOM',
    content: '',
    tags: [],
    createdBy: 'admin',
    createdTime: standIn.clock.now().toISOString().slice(0, -1),
    createdEventId: standIn.state.next('event'),
  }
  const path = join(folder, fileName)
  writeFileSync(path, bytes)
  writeFileSync(catalog, writeCatalogXml({ id: 'DICOM', entries: [entry] }))
  return { catalog, instance: { path, sizeBytes: bytes.length } }
}

interface Place {
  project: Project
  label: string
  scan: Scan
}

function addContent(
  { standIn: { state }, dataDir }: Site,
  { project, label, scan }: Place,
  content: ScanContent,
): void {
  const { catalog, instance } = content
  const archive = new Archive(dataDir)
  const resource: Resource = {
    resourceId: state.next('resource'),
    label: 'DICOM',
    parent: { level: 'scan', id: String(scan.rowId) },
    // One folder in place of XNAT's four, which would be most of the work.
    folder: archive.sessionFolder(project, `${label}.${scan.scanId}`),
    description: '',
    format: 'DICOM',
    content: 'RAW',
    tags: [],
    fileCount: instance === undefined ? 0 : 1,
    fileSize: instance?.sizeBytes ?? 0,
  }
  mkdirSync(archive.folderOf(resource), { recursive: true })
  if (instance !== undefined) linkSync(instance.path, archive.fileOf(resource, fileName))
  // The stand-in replaces catalogs and never writes into one, so that the others keep theirs.
  linkSync(catalog, archive.catalogOf(resource))
  state.resources.put(resource)
}
