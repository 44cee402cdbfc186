// Objects that are in the incoming bucket already -> the events that their upload would have caused.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { maxMessageBytes, type OutgoingMessage, type Queue } from '../aws/queue.ts'

export const Backfill = z.object({
  objects: z.int().nonnegative().meta({ description: 'How many were sent on their way.' }),
  cursor: z.string().optional().meta({ description: 'Where to go on; absent when all were sent.' }),
})
export type Backfill = z.infer<typeof Backfill>

export interface BackfillDeps {
  incoming: ObjectStore
  uploads: Queue
  signal: AbortSignal
  now?: () => Date
}

/** An HTTP request has 29 seconds; what is under way when they are over has to end too. */
const backfillMs = 15_000

/**
 * Sends every object below a prefix on the way that uploads take, in the order of their keys, as far as time allows.
 * Asking twice is safe: files that XNAT holds already are found equal, DICOM sessions are known by the objects that they
 * were proved to come from.
 */
export async function backfillDeliveries(
  { incoming, uploads, signal, now = () => new Date() }: BackfillDeps,
  { prefix, cursor }: { prefix: string; cursor?: string | undefined },
): Promise<Backfill> {
  const endsAt = now().getTime() + backfillMs
  let objects = 0
  let startAfter = cursor
  do {
    const page = await incoming.list(prefix, { ...(startAfter !== undefined && { startAfter }), signal })
    await uploads.send([...notifications(page.objects.map(eventRecord))])
    objects += page.objects.length
    startAfter = page.objects.at(-1)?.key
    if (page.isComplete || startAfter === undefined) return { objects }
  } while (now().getTime() < endsAt)
  return { objects, cursor: startAfter }
}

/** As S3 would have told of the upload; without a sequencer any event of S3's own counts as newer. */
function eventRecord({
  key,
  sizeBytes,
  etag,
  modifiedAt,
}: Awaited<ReturnType<ObjectStore['list']>>['objects'][number]) {
  return {
    eventName: 'ObjectCreated:Put',
    eventTime: modifiedAt.toISOString(),
    s3: { object: { key: encodeURIComponent(key), size: sizeBytes, eTag: etag } },
  }
}

const maxRecordsBytes = maxMessageBytes - 64

function* notifications(records: readonly object[]): Generator<OutgoingMessage> {
  let part: string[] = []
  let bytes = 0
  const message = () => ({ body: `{"Records":[${part.join(',')}]}` })
  for (const record of records) {
    const json = JSON.stringify(record)
    const size = Buffer.byteLength(json) + 1
    if (bytes + size > maxRecordsBytes && part.length > 0) {
      yield message()
      part = []
      bytes = 0
    }
    part.push(json)
    bytes += size
  }
  if (part.length > 0) yield message()
}
