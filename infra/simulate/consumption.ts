// What deliveries take of AWS and XNAT. The rules were counted on the local stack: test/simulate/local-stack.test.ts holds
// them to it.
import type { Delivery } from './deliver.ts'
import type { Routed } from './route.ts'

/** Requests by whom they are made to, as many as AWS bills; those that find an empty queue apart. */
export interface Consumption {
  xnatRequests: number
  /** Reads of objects. */
  s3Gets: number
  s3Heads: number
  s3Lists: number
  /** Of our own records; uploads are whoever makes them. */
  s3Puts: number
  sqsRequests: number
  /** The part of them that goes to FIFO queues. */
  fifoRequests: number
  lambdaRuns: number
  lambdaGbSeconds: number
}

/** Finding scan and resource, the catalog, the files, the catalog again, and the session's own record. */
export const xnatRequestsPerOrder = 5
/** The receipt, its two places in the lists, and the note that the session has changed. */
const recordsPerOrder = 4
/** Up to so many objects are asked for one by one (lib/delivery/superseded.ts, open-target.ts). */
const askedOneByOne = 16
const listedAtATime = 1000
// SQS: the most that one request carries.
const messagesPerRequest = 10

export function consumption(
  { batches, receives }: Pick<Routed, 'batches' | 'receives'>,
  deliveries: readonly Pick<Delivery, 'resource' | 'files' | 'startedAt' | 'endedAt'>[],
  memoryGb: { routeObjects: number; deliverFiles: number },
): Consumption {
  const orders = deliveries.length
  const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0)
  const files = sum(deliveries.map((delivery) => delivery.files))
  const begun = new Set<number>()
  const heads = deliveries.map(({ resource, files }) => {
    const isNew = !begun.has(resource)
    begun.add(resource)
    // Whether they are still as they were ordered; and for a new scan, of what type it is to be.
    return (files > 1 && files <= askedOneByOne ? files : 0) + (isNew ? Math.min(files, askedOneByOne) : 0)
  })
  const lists = deliveries.map(({ files }) => (files > askedOneByOne ? Math.ceil(files / listedAtATime) : 0))
  const messages = batches.map((batch) => batch.messages)
  const deletes = sum(messages.map((count) => Math.ceil(count / messagesPerRequest)))
  // Sent in tens, if so many come of a batch; each is received, hidden and deleted by itself.
  const fifoRequests = Math.max(Math.ceil(orders / messagesPerRequest), Math.min(orders, batches.length)) + 3 * orders
  const routeSeconds = sum(batches.map(({ seconds }) => seconds))
  const deliverSeconds = sum(deliveries.map(({ startedAt, endedAt }) => endedAt - startedAt))
  return {
    xnatRequests: xnatRequestsPerOrder * orders,
    s3Gets: files,
    s3Heads: sum(heads),
    s3Lists: sum(lists),
    s3Puts: recordsPerOrder * orders,
    // S3 sends one message for each object.
    sqsRequests: files + receives + deletes + fifoRequests,
    fifoRequests,
    lambdaRuns: batches.length + orders,
    lambdaGbSeconds: routeSeconds * memoryGb.routeObjects + deliverSeconds * memoryGb.deliverFiles,
  }
}

/** List prices for Frankfurt in dollars, from memory of 2025 and not looked up: put in today's. */
const prices = {
  s3PutOrList: 5.4e-6,
  s3GetOrHead: 4.3e-7,
  sqsRequest: 4e-7,
  /** What a request to a FIFO queue costs more. */
  fifoSurcharge: 1e-7,
  lambdaRun: 2e-7,
  lambdaGbSecond: 1.33e-5,
}

export interface Dollars {
  s3: number
  sqs: number
  lambda: number
}

export function dollars(taken: Consumption): Dollars {
  return {
    s3: (taken.s3Puts + taken.s3Lists) * prices.s3PutOrList + (taken.s3Gets + taken.s3Heads) * prices.s3GetOrHead,
    sqs: taken.sqsRequests * prices.sqsRequest + taken.fifoRequests * prices.fifoSurcharge,
    lambda: taken.lambdaRuns * prices.lambdaRun + taken.lambdaGbSeconds * prices.lambdaGbSecond,
  }
}
