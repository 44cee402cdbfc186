import { createHash } from 'node:crypto'
import * as z from 'zod'
import { DeliveryTarget } from './object-key.ts'

/** `<13 digits>-<16 hex>`: the digits fall as time goes on, so that S3's ascending listings show the newest first. */
export const DeliveryId = z.string().regex(/^\d{13}-[0-9a-f]{16}$/)

/** One object to deliver, as its S3 event described it. */
const OrderedObject = z.object({
  /** The file's path in the resource, and the object's key after the order's `keyPrefix`. */
  path: z.string().min(1),
  sizeBytes: z.int().nonnegative(),
  /** Without quotes. */
  etag: z.string().min(1),
})
export type OrderedObject = z.infer<typeof OrderedObject>

/** What route-objects asks of deliver-files: objects that belong to one XNAT resource. */
export const DeliveryOrder = z.object({
  deliveryId: DeliveryId,
  target: DeliveryTarget,
  keyPrefix: z.string().min(1),
  objects: z.array(OrderedObject).min(1),
})
export type DeliveryOrder = z.infer<typeof DeliveryOrder>

/**
 * The FIFO group in which all orders for one XNAT resource meet, so that it has one writer at a time.
 * Hashed, because groups are visible where labels must not be. The subject is left out when an experiment is named:
 * experiment labels are unique in a project, and keys may leave the subject out.
 */
export function deliveryGroup(target: DeliveryTarget): string {
  const { projectId, subject, experiment, scanId, resourceLabel } = target
  const owner = experiment === undefined ? ['subject', subject ?? null] : ['experiment', experiment]
  return sha256(JSON.stringify([projectId, owner, scanId ?? null, resourceLabel]))
}

/** The same id for the same content at the same time, so that a repeated event makes no second delivery. */
export function deliveryId(time: Date, content: unknown): string {
  const fallingMs = 9_999_999_999_999 - time.getTime()
  return `${String(fallingMs).padStart(13, '0')}-${sha256(JSON.stringify(content)).slice(0, 16)}`
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
