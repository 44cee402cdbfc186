// From received files to a session in the archive (PrearcSessionArchiver.java, DirectArchiveSessionServiceImpl.java).
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { nextExperimentId, nextSubjectId } from '../accession.ts'
import type { CatalogSnapshot } from '../catalog.ts'
import type { CatalogEntry } from '../catalog-xml.ts'
import { labelOf } from '../dicom/names.ts'
import { lackOf } from '../dqr/fates.ts'
import { forgetRouting } from '../dqr/study-routing.ts'
import { noteMerge } from '../events/watch.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { addResource } from '../new-resource.ts'
import type { Experiment, Project, Resource, Scan, Subject, User } from '../records.ts'
import { createScan } from '../scan-documents.ts'
import { labelKey } from '../state.ts'
import { countFiles } from '../store-upload.ts'
import { digestFile } from '../stored-file.ts'
import { mergedScanIds, refuseConflict, refuseSameFiles } from './conflicts.ts'
import type { ArchiveRules, SessionDocument } from './entry.ts'
import { receivedFile, receivedFiles, receivedFolder } from './received-files.ts'

export interface Arriving {
  project: Project
  receivedId: number
  document: SessionDocument
  label: string
  /** Label or ID of its subject, which is created when it is missing. */
  subjectName: string
  user: User | undefined
}

/**
 * Moves a session into the archive and returns its address, `/archive/projects/P/subjects/S/experiments/E`.
 *
 * Nobody sees it before all of its files are in place. What is refused stays where it was.
 *
 * @throws {HttpFailure} 409 for a conflict with data that is there, 423 while the same session is being archived.
 */
export async function archiveSession(xnat: Xnat, arriving: Arriving, rules: ArchiveRules): Promise<string> {
  const { archivingFailsWith } = xnat.state.switches
  if (archivingFailsWith !== '') throw new HttpFailure(500, archivingFailsWith)
  const label = labelOf(arriving.label)
  const lock = `${arriving.project.projectId}/${label}`
  const { locks } = xnat.archive
  if (locks.has(lock)) throw new HttpFailure(423, 'Duplicate archive attempt.  Destination session in use.')
  locks.add(lock)
  try {
    const plan = await planArchiving(xnat, { ...arriving, label }, rules)
    const address = addRecords(xnat, plan, await moveScans(xnat, plan))
    forgetRouting(xnat, arriving.document.fields['UID'] ?? '')
    return address
  } finally {
    locks.delete(lock)
  }
}

export function findArchived({ state }: Xnat, project: Project, label: string): Experiment | undefined {
  return state.experimentLabels
    .get(labelKey(project.projectId, label))
    .find((found) => found.projectId === project.projectId && found.label === label && found.sessionId === undefined)
}

// XNAT: a subject is found whatever the case of its label (PrearcSessionArchiver.java retrieveMatchingSubject).
export function findNamedSubject({ state }: Xnat, project: Project, name: string): Subject | undefined {
  const isOwn = ({ projectId }: Subject) => projectId === project.projectId
  const label = labelOf(name)
  const byLabel = state.subjectLabels
    .get(labelKey(project.projectId, label))
    .find((subject) => isOwn(subject) && subject.label.toLowerCase() === label.toLowerCase())
  const byId = state.subjects.get(name)
  return byLabel ?? (byId !== undefined && isOwn(byId) ? byId : undefined)
}

interface Plan extends Arriving {
  /** The session it is merged into. */
  existing: Experiment | undefined
  subject: Subject | undefined
  /** The ID each scan of the document gets in the archive. */
  scanIds: ReadonlyMap<string, string>
  lacks: ReturnType<typeof lackOf>
}

async function planArchiving(xnat: Xnat, arriving: Arriving, rules: ArchiveRules): Promise<Plan> {
  const { project, document, label, subjectName } = arriving
  if (subjectName === '') throw new HttpFailure(400, 'Unable to identify subject.')
  const existing = findArchived(xnat, project, label)
  const subject = findNamedSubject(xnat, project, subjectName)
  const lacks = lackOf(xnat.state, document.fields['UID'] ?? '')
  if (existing === undefined) {
    const scanIds = new Map(document.scans.map(({ scanId }) => [scanId, scanId]))
    return { ...arriving, existing, subject, scanIds, lacks }
  }
  const merge = { ...arriving, existing, subject }
  refuseConflict(xnat, merge, rules)
  const scanIds = mergedScanIds(xnat, existing, document)
  if (!rules.override && !rules.overwriteFiles) await refuseSameFiles(xnat, merge, scanIds)
  return { ...merge, scanIds, lacks }
}

interface MovedScan extends Pick<Scan, 'rowId' | 'scanId' | 'xsiType' | 'fields'> {
  isNew: boolean
  resource: Resource
}

async function moveScans(xnat: Xnat, plan: Plan): Promise<MovedScan[]> {
  const { state } = xnat
  if (plan.lacks === 'scans') return []
  const present = plan.existing === undefined ? [] : state.scans.group(plan.existing.experimentId)
  const isMoved = moveWhole(xnat, plan)
  const moved: MovedScan[] = []
  for (const { scanId, xsiType, fields } of plan.document.scans) {
    const archivedId = plan.scanIds.get(scanId) ?? scanId
    const twin = present.find((scan) => scan.scanId === archivedId)
    const rowId = twin?.rowId ?? state.next('scan')
    const resource = dicomResource(xnat, plan, { scanId: archivedId, rowId })
    const counted = { ...resource, ...(await moveFiles(xnat, plan, { scanId, resource, isMoved })) }
    moved.push({ rowId, scanId: archivedId, xsiType, fields, isNew: twin === undefined, resource: counted })
  }
  return moved
}

function dicomResource(xnat: Xnat, { project, label }: Plan, scan: Pick<Scan, 'rowId' | 'scanId'>): Resource {
  const parent = { level: 'scan', id: String(scan.rowId) } as const
  const present = xnat.state.resourcesOf(parent).find((resource) => resource.label === 'DICOM')
  return (
    present ?? {
      resourceId: xnat.state.next('resource'),
      label: 'DICOM',
      parent,
      folder: xnat.archive.scanResourceFolder(project, label, scan.scanId, 'DICOM'),
      description: '',
      format: 'DICOM',
      content: '',
      tags: [],
    }
  )
}

/** Puts the folder of a new session into the archive as it is. False when that place is taken, or not all is to come. */
function moveWhole(xnat: Xnat, { project, label, receivedId, existing, lacks }: Plan): boolean {
  if (existing !== undefined || lacks !== 'nothing') return false
  const place = join(xnat.archive.root, xnat.archive.sessionFolder(project, label))
  if (existsSync(place)) return false
  mkdirSync(dirname(place), { recursive: true })
  renameSync(receivedFolder(xnat, receivedId), place)
  return true
}

async function moveFiles(
  xnat: Xnat,
  plan: Plan,
  { scanId, resource, isMoved }: { scanId: string; resource: Resource; isMoved: boolean },
) {
  const { archive } = xnat
  const folder = archive.folderOf(resource)
  if (isMoved) {
    const entries = await entriesOf(xnat, plan, { folder, names: readdirSync(folder) })
    archive.catalogs.create(archive.catalogOf(resource), entries)
    return countFiles(entries)
  }
  const catalog = await archive.catalogs.read(archive.catalogOf(resource))
  const names = plan.lacks === 'files' ? [] : receivedFiles(xnat, plan.receivedId, scanId)
  for (const name of names) await rename(receivedFile(xnat, plan.receivedId, scanId, name), join(folder, name))
  const isNew = plan.existing === undefined && plan.lacks === 'nothing'
  const left = isNew ? readdirSync(folder).filter((name) => isLeftOver(name, catalog)) : []
  const arrived = await entriesOf(xnat, plan, { folder, names: [...names, ...left] })
  const entries = new Map([...catalog.entries, ...arrived])
  await archive.catalogs.replace(catalog, entries)
  return countFiles(entries)
}

/** What the end of the server in the midst of archiving this session left: moved, and not yet in the catalog. */
function isLeftOver(name: string, catalog: CatalogSnapshot): boolean {
  return name !== basename(catalog.path) && !catalog.entries.has(name)
}

async function entriesOf(
  xnat: Xnat,
  plan: Plan,
  { folder, names }: { folder: string; names: readonly string[] },
): Promise<Map<string, CatalogEntry>> {
  const entries = new Map<string, CatalogEntry>()
  for (const name of names) entries.set(name, await entryOf(xnat, plan, { name, path: join(folder, name) }))
  return entries
}

async function entryOf(xnat: Xnat, { user }: Plan, file: { name: string; path: string }): Promise<CatalogEntry> {
  const { size, md5 } = await digestFile(file.path)
  return {
    path: file.name,
    size,
    digest: xnat.state.settings.checksums ? md5 : '',
    format: 'DICOM',
    content: '',
    tags: [],
    createdBy: user?.username ?? 'admin',
    createdTime: xnat.now().toISOString().slice(0, -1),
    createdEventId: xnat.state.next('event'),
  }
}

/** All at once: nothing here waits. */
function addRecords(xnat: Xnat, plan: Plan, scans: readonly MovedScan[]): string {
  const { state } = xnat
  const { project, user } = plan
  const inserted = { at: xnat.now().toISOString(), by: user?.username ?? 'admin' }
  const subject = plan.subject ?? addSubject(xnat, plan, inserted)
  const session = state.experiments.put({
    experimentId: plan.existing?.experimentId ?? nextExperimentId(state),
    projectId: project.projectId,
    label: plan.label,
    xsiType: plan.existing?.xsiType ?? plan.document.xsiType,
    subjectId: subject.subjectId,
    fields: { ...plan.existing?.fields, ...plan.document.fields },
    shares: plan.existing?.shares ?? [],
    inserted: plan.existing?.inserted ?? inserted,
  })
  if (plan.existing !== undefined) noteMerge(state, session)
  for (const { isNew, resource, ...scan } of scans) {
    if (isNew) createScan({ xnat, user }, session, scan)
    addResource(xnat, resource)
  }
  return `/archive/projects/${project.projectId}/subjects/${subject.label}/experiments/${session.label}`
}

function addSubject({ state }: Xnat, { project, subjectName }: Plan, inserted: Subject['inserted']): Subject {
  return state.subjects.put({
    subjectId: nextSubjectId(state),
    projectId: project.projectId,
    label: labelOf(subjectName),
    fields: {},
    shares: [],
    inserted,
  })
}
