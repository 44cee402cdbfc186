import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { parseObjectKey } from '../../lib/delivery/object-key.ts'
import { type DeliveryOrder, deliveryId } from '../../lib/delivery/order.ts'
import { findReceipt, type Receipt } from '../../lib/delivery/receipt.ts'
import { type DeliveryTally, deliverFiles } from '../../lib/services/deliver-files.ts'
import { ensureExperiment } from '../../lib/xnat/archive.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { listFiles, openFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import { type LocalAws, startLocalAws } from './local-aws.ts'

/** S3 with its buckets, a stand-in XNAT with one project and one MR session, and a client of each. */
export interface DeliveryRig {
  aws: LocalAws
  standIn: XnatServer
  xnat: XnatClient
  incoming: ObjectStore
  state: ObjectStore
  experimentId: string
  /** Where XNAT keeps projects, sessions and files on its disk. */
  archiveFolder: string
  /** Puts an object and gives what its event would say of it. */
  put(key: string, body: Buffer | string, metadata?: Record<string, string>): Promise<PutObject>
  orderFor(objects: readonly PutObject[]): DeliveryOrder
  deliver(order: DeliveryOrder, signal?: AbortSignal): Promise<DeliveryTally>
  receipt(order: DeliveryOrder): Promise<Receipt | undefined>
  /** What XNAT's catalog lists of a resource: MD5 by path, also of files that no URL can name. */
  digests(ref: ResourceRef): Promise<Map<string, string | undefined>>
  /** What XNAT holds of a resource: content by path, as a reader would get it. */
  contents(ref: ResourceRef): Promise<Map<string, Buffer>>
  stop(): Promise<void>
}

export interface PutObject {
  key: string
  sizeBytes: number
  etag: string
}

export const scanPrefix = 'projects/P1/subjects/S1/experiments/E1/scans/1/resources/DICOM/files/'

export async function startDeliveryRig(options: { now?: () => Date } = {}): Promise<DeliveryRig> {
  const aws = await startLocalAws()
  const dataDir = await mkdtemp(join(tmpdir(), 'delivery-rig-'))
  const standIn = await startXnat({ dataDir })
  const { url, user, password } = standIn
  const xnat = new XnatClient({
    url,
    credentials: { kind: 'password', user, password },
    retry: { baseMs: 1, capMs: 5 },
  })
  const [incoming, state] = [await aws.bucket('incoming'), await aws.bucket('state')]
  await createProject(xnat, { projectId: 'P1', secondaryId: 'hub-1', name: 'P1' })
  const description = { projectId: 'P1', subjectLabel: 'S1', label: 'E1', xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(xnat, description)

  const deliver: DeliveryRig['deliver'] = (order, signal = new AbortController().signal) =>
    deliverFiles({ xnat, incoming, state, signal, ...options }, order)

  return {
    aws,
    standIn,
    xnat,
    incoming,
    state,
    experimentId,
    archiveFolder: join(dataDir, 'archive'),
    async put(key, body, metadata = {}) {
      const command = new PutObjectCommand({ Bucket: 'incoming', Key: key, Body: body, Metadata: metadata })
      const { ETag } = await aws.s3.send(command)
      return { key, sizeBytes: Buffer.byteLength(body), etag: (ETag ?? '').replaceAll('"', '') }
    },
    orderFor,
    deliver,
    receipt: (order) => findReceipt(state, order.deliveryId),
    async digests(ref) {
      return new Map((await listFiles(xnat, ref)).map((file) => [file.path, file.md5]))
    },
    async contents(ref) {
      const files = await listFiles(xnat, ref)
      const bodies = await Promise.all(files.map(async ({ path }) => buffer((await openFile(xnat, ref, path)).body)))
      return new Map(files.map(({ path }, index) => [path, bodies[index] ?? Buffer.alloc(0)]))
    },
    async stop() {
      await xnat.close()
      await standIn.stop()
      await aws.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function orderFor(objects: readonly PutObject[]): DeliveryOrder {
  const parsed = objects.map((object) => ({ object, key: parseObjectKey(object.key) }))
  const [first] = parsed
  if (first?.key.kind !== 'file') throw new Error('an order needs a file')
  return {
    deliveryId: deliveryId(new Date(), objects),
    target: first.key.target,
    keyPrefix: first.key.prefix,
    objects: parsed.flatMap(({ object, key }) =>
      key.kind === 'file' ? [{ path: key.path, sizeBytes: object.sizeBytes, etag: object.etag }] : [],
    ),
  }
}

export const md5 = (content: Buffer | string) => createHash('md5').update(content).digest('hex')
