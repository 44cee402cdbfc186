// S3 events -> orders, one per XNAT resource and one per DICOM session.
import * as z from 'zod'
import { maxMessageBytes, type OutgoingMessage, type Queue } from '../aws/queue.ts'
import { type ParsedKey, parseObjectKey } from '../delivery/object-key.ts'
import { type AnyOrder, deliveryId, orderMessage } from '../delivery/order.ts'
import { AppError, InvalidInputError } from '../errors.ts'
import type { Logger } from '../log.ts'

// S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
const EventRecord = z.object({
  eventName: z.string(),
  eventTime: z.iso.datetime(),
  s3: z.object({
    object: z.object({
      key: z.string(),
      size: z.int().nonnegative().optional(),
      eTag: z.string().optional(),
      /** Hex that grows from one event of a key to the next. */
      sequencer: z.string().optional(),
    }),
  }),
})

// S3: setting up notifications sends one test event, which has no Records.
export const S3Notification = z.union([
  z.object({ Records: z.array(z.looseObject({ eventName: z.string() })) }),
  z.object({ Event: z.literal('s3:TestEvent') }).transform(() => ({ Records: [] })),
])
export type S3Notification = z.infer<typeof S3Notification>

export interface RoutedBatch {
  orders: number
  objects: number
  /** What can never be delivered, each as a notification of its own that can be handed in again. */
  refused: { index: number; notification: S3Notification; error: AppError }[]
}

interface Arrival {
  key: Exclude<ParsedKey, { kind: 'folder' }>
  sizeBytes: number
  etag: string
  sequencer: string
  time: Date
}

/**
 * Sends one delivery order per XNAT resource for all objects that the notifications tell of, the newest event of an
 * object only; and one per archive or marker of a DICOM session, whose loose files wait for their marker. Handing the same notifications in again sends the same orders under the same ids, which the queue drops
 * within its five minutes; later they find everything delivered.
 *
 * A record that cannot be understood is returned in `refused`, and keeps no other from being ordered.
 */
export async function routeObjects(
  deps: { deliveries: Queue; log: Logger; maxOrderBytes: number },
  notifications: readonly S3Notification[],
): Promise<RoutedBatch> {
  const arrivals = new Map<string, Arrival>()
  const refused: RoutedBatch['refused'] = []
  notifications.forEach((notification, index) => {
    for (const record of notification.Records) {
      try {
        const arrival = arrivalOf(record, deps.log)
        if (arrival !== undefined) keepNewest(arrivals, arrival)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        refused.push({ index, notification: { Records: [record] }, error })
      }
    }
  })

  const messages = [...groupedByGoal(arrivals.values())].flatMap((group) => [
    ...orderMessages(group, deps.maxOrderBytes),
  ])
  await deps.deliveries.send(messages)
  const held = [...arrivals.values()].filter(isHeld).length
  if (held > 0) deps.log.info('loose DICOM held for its marker', { files: held })
  return { orders: messages.length, objects: arrivals.size, refused }
}

function arrivalOf(record: S3Notification['Records'][number], log: Logger): Arrival | undefined {
  if (!record.eventName.startsWith('ObjectCreated:')) {
    log.info('event ignored', { eventName: familyOf(record.eventName) })
    return undefined
  }
  const parsed = EventRecord.safeParse(record)
  if (!parsed.success)
    throw new InvalidInputError('The S3 event record is not of the known shape.', { code: 'EVENT_NOT_UNDERSTOOD' })
  const { object } = parsed.data.s3
  if (object.size === undefined || object.eTag === undefined) {
    throw new InvalidInputError('The S3 event record tells neither size nor ETag.', { code: 'EVENT_NOT_UNDERSTOOD' })
  }
  const key = parseObjectKey(decodedKey(object.key))
  if (key.kind === 'folder') return undefined
  return {
    key,
    sizeBytes: object.size,
    etag: object.eTag,
    sequencer: object.sequencer ?? '',
    time: new Date(parsed.data.eventTime),
  }
}

// S3: what can happen to objects besides (notification-how-to-event-types-and-destinations).
const families: ReadonlySet<string> = new Set([
  'ObjectRemoved',
  'ObjectRestore',
  'ObjectTagging',
  'ObjectAcl',
  'LifecycleExpiration',
  'LifecycleTransition',
  'IntelligentTiering',
  'Replication',
  'ReducedRedundancyLostObject',
])

/** What may be logged of an event's name: a message that only looks like S3's may carry anything there. */
function familyOf(eventName: string): string {
  const [family = ''] = eventName.split(':')
  return families.has(family) ? family : 'unknown'
}

/** S3: event keys are form-encoded, `+` is a space. */
function decodedKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch (cause) {
    throw new InvalidInputError('The object key is not valid percent-encoding.', { code: 'KEY_NOT_UNDERSTOOD', cause })
  }
}

function keepNewest(arrivals: Map<string, Arrival>, arrival: Arrival): void {
  const key = arrival.key.prefix + arrival.key.path
  const known = arrivals.get(key)
  if (known === undefined || isLater(arrival, known)) arrivals.set(key, arrival)
}

function isLater(one: Arrival, other: Arrival): boolean {
  // S3: to compare sequencers, pad the shorter on the right with zeros (notification-content-structure, "sequencer").
  const width = Math.max(one.sequencer.length, other.sequencer.length)
  const [a, b] = [one.sequencer.padEnd(width, '0'), other.sequencer.padEnd(width, '0')]
  return a === b ? one.time > other.time : a > b
}

/** Files by their resource; each part of a session by itself. */
function groupedByGoal(arrivals: Iterable<Arrival>): Iterable<Arrival[]> {
  const goal = ({ key }: Arrival) => (key.kind === 'file' ? key.prefix : key.prefix + key.path)
  return Map.groupBy(arrivals, goal).values()
}

// What is left for the objects of an order in a message that SQS takes.
const maxObjectsJsonBytes = maxMessageBytes - 16 * 1024

function* orderMessages(arrivals: readonly Arrival[], maxOrderBytes: number): Generator<OutgoingMessage> {
  for (const part of parts(arrivals, maxOrderBytes)) {
    const order = orderFor(part)
    if (order !== undefined) yield orderMessage(order)
  }
}

/** What one run of deliver-files can send. A larger object has an order of its own, which that function refuses. */
function* parts(arrivals: readonly Arrival[], maxOrderBytes: number): Generator<Arrival[]> {
  const sorted = arrivals.toSorted((a, b) => (a.key.path < b.key.path ? -1 : 1))
  let part: Arrival[] = []
  let [bytes, jsonBytes] = [0, 0]
  for (const arrival of sorted) {
    const json = Buffer.byteLength(JSON.stringify(orderedObject(arrival))) + 1
    const isFull = bytes + arrival.sizeBytes > maxOrderBytes || jsonBytes + json > maxObjectsJsonBytes
    if (isFull && part.length > 0) {
      yield part
      part = []
      bytes = 0
      jsonBytes = 0
    }
    part.push(arrival)
    bytes += arrival.sizeBytes
    jsonBytes += json
  }
  if (part.length > 0) yield part
}

/** `undefined` for a loose file of a session: it is delivered when its marker is. */
function orderFor(arrivals: readonly Arrival[]): AnyOrder | undefined {
  const [first] = arrivals
  if (first === undefined) throw new Error('an order needs an object')
  const newest = new Date(Math.max(...arrivals.map((arrival) => arrival.time.getTime())))
  const { key } = first
  const id = deliveryId(newest, [
    key.prefix,
    arrivals.map((arrival) => [arrival.key.path, arrival.etag, arrival.sequencer]),
  ])
  const common = { deliveryId: id, keyPrefix: key.prefix }
  if (key.kind === 'file') return { ...common, target: key.target, objects: arrivals.map(orderedObject) }
  if (isHeld(first)) return undefined
  return { kind: 'session', ...common, target: key.target, source: orderedObject(first) }
}

const isHeld = ({ key }: Arrival) => key.kind === 'session' && key.part === 'loose'

const orderedObject = ({ key, sizeBytes, etag }: Arrival) => ({ path: key.path, sizeBytes, etag })
