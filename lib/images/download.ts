// One part of a study on its way from XNAT into the image tree, and the marker that says that it is there.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import type { OutgoingMessage } from '../aws/queue.ts'
import { type Job, jobKind } from './job.ts'
import { changeMark } from './session-change.ts'
import { digestOf, folderGroup, markerKey, StudyFolder, StudyPart } from './tree.ts'

const DownloadPlan = z.object({
  folder: StudyFolder,
  part: StudyPart,
  /** Also when a valid marker says that it is there. */
  isForced: z.boolean(),
})
export type DownloadPlan = z.infer<typeof DownloadPlan>

export const downloadJobs = jobKind('downloads', DownloadPlan)

/** The same for every request for the same: they meet in one job. */
export const downloadId = ({ folder, part }: Pick<DownloadPlan, 'folder' | 'part'>) => digestOf([folder, part])

/** What the exports queue carries. */
export const DownloadOrder = z.object({ downloadId: z.string().regex(/^[0-9a-f]{32}$/), jobId: z.string() })
export type DownloadOrder = z.infer<typeof DownloadOrder>

export function downloadMessage({ jobId, order }: Job<DownloadPlan>): OutgoingMessage {
  const body: DownloadOrder = { downloadId: downloadId(order), jobId }
  return { body: JSON.stringify(body), group: folderGroup(order.folder), deduplicationId: jobId }
}

const Marker = z.object({
  projectId: z.string(),
  /** The session's label. */
  experiment: z.string(),
  /** What stood for the session before its files were read. */
  changeMark: z.string(),
  startedAt: z.iso.datetime(),
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
})
export type Marker = z.infer<typeof Marker>

interface MarkerDeps {
  images: ObjectStore
  state: ObjectStore
  signal: AbortSignal
  /** How long a downloaded part is as good as a new one. */
  freshMs: number
  now?: () => Date
}

/** The marker of a part that is in the tree, whole, not too old, and read since the last change of the session we know of. */
export async function findValidMarker(
  { images, state, signal, freshMs, now = () => new Date() }: MarkerDeps,
  { folder, part }: Pick<DownloadPlan, 'folder' | 'part'>,
): Promise<Marker | undefined> {
  const found = await images.readText(markerKey(folder, part), { signal })
  const marker = found && Marker.parse(JSON.parse(found.text))
  if (marker === undefined || now().getTime() - new Date(marker.startedAt).getTime() >= freshMs) return undefined
  return (await changeMark({ state, signal }, marker)) === marker.changeMark ? marker : undefined
}
