// What route-objects asks of deliver-files, and the messages that carry it.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { OutgoingMessage } from '../aws/queue.ts'
import { DeliveryTarget, SessionTarget } from './object-key.ts'

/** `<13 digits>-<16 hex>`: the digits fall as time goes on, so that S3's ascending listings show the newest first. */
export const DeliveryId = z.string().regex(/^\d{13}-[0-9a-f]{16}$/)

/** One object to deliver, as its S3 event described it. */
const OrderedObject = z.object({
  /** The object's key after the order's `keyPrefix`; for files also the path in the resource. */
  path: z.string().min(1),
  sizeBytes: z.int().nonnegative(),
  /** Without quotes. */
  etag: z.string().min(1),
})
export type OrderedObject = z.infer<typeof OrderedObject>

/** Objects that belong to one XNAT resource. */
export const DeliveryOrder = z.object({
  deliveryId: DeliveryId,
  target: DeliveryTarget,
  keyPrefix: z.string().min(1),
  objects: z.array(OrderedObject).min(1),
})
export type DeliveryOrder = z.infer<typeof DeliveryOrder>

/** DICOM that is to become one session: an archive, or the loose files that a marker object says are complete. */
export const SessionOrder = z.object({
  kind: z.literal('session'),
  deliveryId: DeliveryId,
  target: SessionTarget,
  keyPrefix: z.string().min(1),
  source: OrderedObject,
})
export type SessionOrder = z.infer<typeof SessionOrder>

/** What the deliveries queue carries. */
export const AnyOrder = z.union([SessionOrder, DeliveryOrder])
export type AnyOrder = z.infer<typeof AnyOrder>

/** The message that carries an order. A second one of the same `deduplicationId` is dropped within five minutes. */
export function orderMessage(order: AnyOrder, deduplicationId: string = order.deliveryId): OutgoingMessage {
  const group = 'source' in order ? sessionGroup(order.target) : deliveryGroup(order.target)
  return { body: JSON.stringify(order), group, deduplicationId }
}

/**
 * The FIFO group in which all orders for one XNAT resource meet, so that it has one writer at a time.
 * Hashed, because groups are visible where labels must not be. The subject is left out when an experiment is named:
 * experiment labels are unique in a project, and keys may leave the subject out.
 */
export function deliveryGroup(target: DeliveryTarget): string {
  const { projectId, subject, experiment, scanId, assessor, direction, resourceLabel } = target
  const owner = experiment === undefined ? ['subject', subject ?? null] : ['experiment', experiment]
  const below = assessor === undefined ? (scanId ?? null) : ['assessor', assessor, direction]
  return sha256(JSON.stringify([projectId, owner, below, resourceLabel]))
}

const sessionGroup = ({ projectId, experiment }: SessionTarget) =>
  sha256(JSON.stringify([projectId, ['session', experiment]]))

/** The same id for the same content at the same time, so that a repeated event makes no second delivery. */
export function deliveryId(time: Date, content: unknown): string {
  return `${fallingMs(time)}-${sha256(JSON.stringify(content)).slice(0, 16)}`
}

/** A time as 13 digits that sort the newest first. */
export function fallingMs(time: Date): string {
  const ms = Math.min(Math.max(time.getTime(), 0), latestMs)
  return String(latestMs - ms).padStart(13, '0')
}

/** The time that `fallingMs` wrote. */
export const fromFallingMs = (digits: string) => new Date(latestMs - Number(digits))

/** In the year 2286. */
const latestMs = 9_999_999_999_999

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
