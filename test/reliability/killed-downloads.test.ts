// Uploads and downloads of training clients whose function is killed at any of its requests.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureExperiment, ensureScan } from '../../lib/xnat/archive.ts'
import { listFiles, putArchive } from '../../lib/xnat/resources.ts'
import { tar } from '../support/archive-bytes.ts'
import { md5 } from '../support/delivery-rig.ts'
import { type Death, invokeWithDeath, moments } from '../support/dying-function.ts'
import { sqsEvent } from '../support/events.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { type ImagesRig, startImagesRig } from '../support/images-rig.ts'
import { bundleWorkers, type KillableFunction, startFunction } from '../support/killable-function.ts'
import { testEnvironment } from '../support/wired.ts'

type FunctionName = 'deliver-files' | 'export-images'
let rig: ImagesRig
let bundles: string
let proxies: FaultProxy[]
const warm = new Map<FunctionName, KillableFunction>()
beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), 'killed-downloads-'))
  await bundleWorkers(bundles, ['export-images', 'deliver-files'])
  rig = await startImagesRig()
  proxies = await Promise.all([startFaultProxy(rig.aws.s3Server.url), startFaultProxy(rig.standIn.url)])
})
afterAll(async () => {
  await Promise.all([...warm.values()].map((each) => each.stop()))
  await Promise.all(proxies.map((proxy) => proxy.stop()))
  await rig.stop()
  await rm(bundles, { recursive: true, force: true })
})

function start(name: FunctionName): Promise<KillableFunction> {
  const { user, password } = rig.standIn
  const [s3, xnat] = proxies
  const env = {
    ...testEnvironment,
    XNAT_URL: xnat?.url ?? '',
    XNAT_SERVICE_USER: user,
    XNAT_SERVICE_PASSWORD: password,
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: s3?.url ?? '',
    // SQS is there, and says that it has no such message: what is hidden for how long is not looked at here.
    AWS_ENDPOINT_URL_SQS: rig.aws.sqsServer.url,
    DELIVERIES_QUEUE_URL: `${rig.aws.sqsServer.url}/000000000000/deliveries.fifo`,
    EXPORTS_QUEUE_URL: `${rig.aws.sqsServer.url}/000000000000/exports.fifo`,
    AWS_ACCESS_KEY_ID: 'TESTKEY',
    AWS_SECRET_ACCESS_KEY: 'test-secret-key',
  }
  return startFunction({ folder: bundles, name }, env)
}

async function survivor(name: FunctionName): Promise<KillableFunction> {
  const kept = warm.get(name) ?? (await start(name))
  warm.set(name, kept)
  return kept
}

const invoke = (name: FunctionName, body: string, death: Death | undefined) =>
  invokeWithDeath(sqsEvent([body], { group: 'g' }), {
    death,
    start: () => start(name),
    survivor: () => survivor(name),
    proxies,
    standIn: rig.standIn,
  })

const later = { prefer: 'respond-async' }

async function session(label: string, files: Record<string, string>): Promise<string> {
  const wanted = { projectId: 'P1', subjectLabel: 'S1', label, xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(rig.xnat, wanted)
  await ensureScan(rig.xnat, { experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
  const bytes = await tar(files)
  const ref = { parent: { level: 'scan', experimentId, scanId: '1' }, resourceLabel: 'NIFTI' } as const
  const source = { format: 'tar', openBody: () => Readable.from([bytes]), sizeBytes: bytes.length } as const
  await putArchive(rig.xnat, ref, source, { overwrite: true })
  return experimentId
}

/** Downloads a session over an older state of it, dying once if told to. */
async function download(label: string, death?: Death) {
  const ask = (query: Record<string, string>) => rig.download({ body: { accession_id: label }, headers: later, query })
  await session(label, { 'a.nii': 'old', 'b.nii': 'old' })
  await ask({})
  await rig.work()
  await session(label, { 'a.nii': 'new a', 'b.nii': 'new b' })
  await ask({ force_refresh: 'true' })
  const { all: requests } = await invoke('export-images', rig.exports.sent.at(-1)?.body ?? '', death)
  const tree = Object.fromEntries(await rig.tree(`net-1/hub-1/${label}/`))
  const { '.flip_complete-scan-NIFTI': marker, ...files } = tree
  return { requests, files, hasMarker: marker !== undefined, status: (await ask({})).status }
}

/** Uploads a file into a session, dying once if told to. */
async function upload(label: string, death?: Death) {
  const experimentId = await session(label, { 'a.nii': 'there' })
  await rig.putImage(`net-1/upload/${label}.nii`, label)
  const ask = { accession_id: label, scan_id: '1', resource_id: 'NIFTI', files: [`${label}.nii`] }
  const { uploadId } = (await rig.upload(ask)).body as { uploadId: string }
  const { all: requests } = await invoke('deliver-files', rig.deliveries.sent.at(-1)?.body ?? '', death)
  const parent = { level: 'scan', experimentId, scanId: '1' } as const
  const listed = await listFiles(rig.xnat, { parent, resourceLabel: 'NIFTI' })
  const { body } = await rig.get('/uploads/value', { upload_id: uploadId })
  return { requests, files: listed.map(({ path, md5 }) => [path, md5]).toSorted(), body }
}

const deathsOf = (requests: number) =>
  Array.from({ length: requests }, (_, index) => moments.map((moment) => ({ at: index + 1, moment }))).flat()

describe('a function that is killed at any of its requests and invoked again', () => {
  it('leaves the image tree as a run without a death does, with its marker', async () => {
    const { requests, ...clean } = await download('clean')
    expect(clean).toEqual({
      files: { 'scans/1/resources/NIFTI/files/a.nii': 'new a', 'scans/1/resources/NIFTI/files/b.nii': 'new b' },
      hasMarker: true,
      status: 200,
    })
    for (const death of deathsOf(requests)) {
      const { requests: _, ...killed } = await download(`${death.moment}-${death.at}`, death)
      expect(killed, `${death.moment} ${death.at}`).toEqual(clean)
    }
  }, 300_000)

  it('leaves an upload done, and takes nothing of its own for a conflict', async () => {
    const { requests, body } = await upload('upload-clean')
    expect(body).toMatchObject({ state: 'done' })
    for (const death of deathsOf(requests)) {
      const label = `upload-${death.moment}-${death.at}`
      const killed = await upload(label, death)
      expect(killed.body, label).toMatchObject({ state: 'done', urls: [expect.any(String)] })
      expect(killed.files, label).toEqual([
        ['a.nii', md5('there')],
        [`${label}.nii`, md5(label)],
      ])
    }
  }, 300_000)
})
