// What the deliveries of bench delivery are made of: servers in their own processes, objects, and fresh sessions.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { createAws } from '../../lib/aws/clients.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { parseObjectKey } from '../../lib/delivery/object-key.ts'
import { deliveryId } from '../../lib/delivery/order.ts'
import { deliverFiles } from '../../lib/services/deliver-files.ts'
import { ensureExperiment } from '../../lib/xnat/archive.ts'
import { createHttpAgent, XnatClient } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { credentials, placeInMemory, putObject, startServer } from './servers.ts'

export interface BenchObject {
  path: string
  sizeBytes: number
  etag: string
}

export interface BenchSession {
  label: string
  experimentId: string
}

export interface BenchRig {
  xnatUrl: string
  xnat: XnatClient
  incoming: ObjectStore
  /** Makes objects below a prefix that is read for every session. */
  putMany(name: string, count: number, makeBytes: () => Buffer): Promise<BenchObject[]>
  putLarge(name: string, sizeBytes: number): Promise<BenchObject[]>
  /** A session without scans. */
  newSession(): Promise<BenchSession>
  /** Frees what a session's files take. */
  forget(session: BenchSession): Promise<void>
  /** Delivers objects, which lie below `name`, into a scan of a session. */
  deliver(name: string, objects: readonly BenchObject[], session: string, scanId: string): Promise<void>
  keyOf(name: string, object: BenchObject): string
  /** Each of XNAT's answers waits so long. */
  delayXnat(ms: number): Promise<void>
  countXnatRequests(): Promise<number>
  stop(): Promise<void>
}

export async function startBenchRig(): Promise<BenchRig> {
  // Where a disk makes files slowly, that alone would tell 500 files from the one that the limit is.
  const place = await placeInMemory()
  console.log(`S3 and XNAT keep their files ${place === undefined ? 'on disk' : 'in memory'}`)
  const [s3Server, xnatServer] = await Promise.all([startServer('s3', place), startServer('xnat', place)])
  const { user, password, ...keys } = credentials
  process.env['AWS_ENDPOINT_URL_S3'] = s3Server.url
  process.env['AWS_REGION'] = 'eu-central-1'
  process.env['AWS_ACCESS_KEY_ID'] = keys.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = keys.secretAccessKey
  await putObject(s3Server.url, 'buckets', 4)
  const s3 = new S3Client({ endpoint: s3Server.url, region: 'eu-central-1', credentials: keys })
  const aws = createAws(createHttpAgent())
  const [incoming, state] = [aws.bucket('incoming'), aws.bucket('state')]
  const xnat = new XnatClient({ url: xnatServer.url, credentials: { kind: 'password', user, password } })
  await createProject(xnat, { projectId: 'P', secondaryId: 'P', name: 'P' })
  const control = (method: string, path: string, body?: object) =>
    fetch(`${xnatServer.url}/__stand-in/${path}`, { method, ...(body && { body: JSON.stringify(body) }) })
  let sessions = 0
  const keyOf: BenchRig['keyOf'] = (name, { path }) => `${name}/${path}`

  return {
    xnatUrl: xnatServer.url,
    xnat,
    incoming,
    keyOf,
    async putMany(name, count, makeBytes) {
      const objects: BenchObject[] = []
      const one = async (index: number) => {
        const path = `${String(index).padStart(5, '0')}.dcm`
        const Body = makeBytes()
        const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: 'incoming', Key: `${name}/${path}`, Body }))
        objects[index] = { path, sizeBytes: Body.length, etag: ETag.replaceAll('"', '') }
      }
      for (let start = 0; start < count; start += 32) {
        await Promise.all(Array.from({ length: Math.min(32, count - start) }, (_, index) => one(start + index)))
      }
      return objects
    },
    async putLarge(name, sizeBytes) {
      const etag = await putObject(s3Server.url, `${name}/large.bin`, sizeBytes)
      return [{ path: 'large.bin', sizeBytes, etag }]
    },
    async newSession() {
      sessions += 1
      const label = `E${sessions}`
      const wanted = { projectId: 'P', subjectLabel: 'S', label, xsiType: 'xnat:mrSessionData' }
      const { experimentId } = await ensureExperiment(xnat, wanted)
      return { label, experimentId }
    },
    forget: ({ label }) => rm(join(xnatServer.dataDir, 'archive', 'P', 'arc001', label), { recursive: true }),
    async deliver(name, objects, session, scanId) {
      const parsed = parseObjectKey(
        `projects/P/subjects/S/experiments/${session}/scans/${scanId}/resources/DICOM/files/x`,
      )
      if (parsed.kind !== 'file') throw new Error('the key names no file')
      const { target } = parsed
      const order = {
        deliveryId: deliveryId(new Date(), [session, scanId]),
        target,
        keyPrefix: `${name}/`,
        objects: [...objects],
      }
      await deliverFiles({ xnat, incoming, state, signal: AbortSignal.timeout(900_000) }, order)
    },
    async delayXnat(ms) {
      await control('DELETE', 'faults')
      if (ms > 0) await control('POST', 'faults', { kind: 'slow', delayMs: ms, times: 1_000_000_000 })
    },
    async countXnatRequests() {
      const requests = JSON.parse(await (await control('GET', 'requests')).text()) as unknown[]
      await control('DELETE', 'requests')
      return requests.length
    },
    async stop() {
      await xnat.close()
      s3.destroy()
      await Promise.all([s3Server.stop(), xnatServer.stop()])
    },
  }
}
