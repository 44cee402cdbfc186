// One upload by a training client: files below <net>/upload/ that are to become files of one scan's resource.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import type { OutgoingMessage } from '../aws/queue.ts'
import { DeliveryTarget } from '../delivery/object-key.ts'
import { type DeliveryOrder, deliveryGroup, deliveryId } from '../delivery/order.ts'
import { ImagesError } from '../errors.ts'
import { mapInParts } from '../in-parts.ts'
import { type Job, jobKind, type Tally } from './job.ts'
import { StudyFolder } from './tree.ts'

const UploadedFile = z.object({
  /** In the resource. */
  path: z.string().min(1),
  /** In the bucket. */
  key: z.string().min(1),
  sizeBytes: z.int().nonnegative(),
  /** Without quotes. */
  etag: z.string().min(1),
})
export type UploadedFile = z.infer<typeof UploadedFile>

const UploadPlan = z.object({
  folder: StudyFolder,
  target: DeliveryTarget,
  experimentId: z.string(),
  subjectId: z.string(),
  /** Whether files of these names may be in XNAT already, to be replaced. */
  existOk: z.boolean(),
  files: z.array(UploadedFile),
})
export type UploadPlan = z.infer<typeof UploadPlan>

export const uploadJobs = jobKind('uploads', UploadPlan)

export const UploadId = z.string().regex(/^[0-9a-f]{32}$/)

/** What the deliveries queue carries of an upload. */
export const UploadOrder = z.object({ kind: z.literal('upload'), uploadId: UploadId, jobId: z.string() })
export type UploadOrder = z.infer<typeof UploadOrder>

/** To the group in which all deliveries into the same resource meet: it has one writer. */
export function uploadMessage(uploadId: string, { jobId, order }: Job<UploadPlan>): OutgoingMessage {
  const body: UploadOrder = { kind: 'upload', uploadId, jobId }
  return { body: JSON.stringify(body), group: deliveryGroup(order.target), deduplicationId: jobId }
}

export const tallyOf = (files: readonly { sizeBytes: number }[]): Tally => ({
  files: files.length,
  bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
})

/**
 * The paths that files get in the resource: those below `<net>/upload/`, or their last parts alone.
 *
 * @throws {ImagesError} FILES_COLLIDE when two would get the same one.
 */
export function resourcePaths(paths: readonly string[], folders: 'keep' | 'flatten'): string[] {
  const chosen = folders === 'keep' ? [...paths] : paths.map((path) => path.slice(path.lastIndexOf('/') + 1))
  const first = new Map<string, string>()
  for (const [index, path] of chosen.entries()) {
    const source = paths[index] ?? ''
    if ((first.get(path) ?? source) !== source) {
      throw new ImagesError('Failed to upload files: Two files would have the same name', { code: 'FILES_COLLIDE' })
    }
    first.set(path, source)
  }
  return chosen
}

// Nothing that a bucket could hold: the engine reads an upload through `uploadSource` alone.
const keyPrefix = 'upload:/'

/** The same in the words of the delivery engine; the same again for each try. */
export function deliveryOrder(
  uploadId: string,
  { order: { target, files }, createdAt }: Job<UploadPlan>,
): DeliveryOrder {
  return {
    deliveryId: deliveryId(new Date(createdAt), uploadId),
    target,
    keyPrefix,
    objects: files.map(({ path, sizeBytes, etag }) => ({ path, sizeBytes, etag })),
  }
}

/** The bucket as the delivery engine is to see it: an upload's files alone, by their paths in the resource. */
export function uploadSource(
  images: ObjectStore,
  files: readonly UploadedFile[],
  onRead: (file: UploadedFile) => void,
): ObjectStore {
  const byKey = new Map(files.map((file) => [keyPrefix + file.path, file]))
  const realKey = (key: string) => byKey.get(key)?.key ?? key
  const find: ObjectStore['find'] = (key, options) => images.find(realKey(key), options)
  return {
    ...images,
    find,
    async open(key, options) {
      const opened = await images.open(realKey(key), options)
      const file = byKey.get(key)
      if (file !== undefined) opened.body.once('end', () => onRead(file))
      return opened
    },
    async list(prefix, { startAfter = '', limit = maxPage, signal } = {}) {
      const keys = [...byKey.keys()].filter((key) => key.startsWith(prefix)).toSorted(byBytes)
      const after = keys.filter((key) => byBytes(key, startAfter) > 0)
      const found = await mapInParts(after.slice(0, limit), async (key) => {
        const info = await find(key, signal && { signal })
        const { sizeBytes = 0, etag = '' } = info ?? {}
        return info === undefined ? [] : [{ key, sizeBytes, etag: etag.replaceAll('"', ''), modifiedAt: new Date(0) }]
      })
      return { objects: found.flat(), isComplete: after.length <= limit }
    },
  }
}

const maxPage = 1000
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The address under which XNAT has a file, as FLIP tells it. */
export function xnatUrl(baseUrl: string, { target, subjectId, folder }: UploadPlan, path: string): string {
  const segments = [
    ['projects', target.projectId],
    ['subjects', subjectId],
    ['experiments', folder.accession],
    ['scans', target.scanId ?? ''],
    ['resources', target.resourceLabel],
    ['files', ...path.split('/')],
  ].flat()
  return `${baseUrl}/data/${segments.map((segment) => encodeURIComponent(segment)).join('/')}?inbody=true`
}
