// Uploads into a local stack, and what became of them: when they came, their receipts, and what all that took.
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import * as z from 'zod'
import type { ServiceModel } from '../../infra/local/run-functions/service-model.ts'
import { startStack } from '../../infra/local/stack.ts'
import type { Upload } from '../../infra/simulate/route.ts'
import { Receipt } from '../../lib/delivery/receipt.ts'
import { parseJson } from '../../lib/json.ts'
import { type Counts, countRequests } from './counted-requests.ts'
import { askXnat } from './stack-xnat.ts'

export interface Watched {
  /** As they were, and not as they were planned: S3 takes its time. In seconds since `startedAt`. */
  uploads: Upload[]
  startedAt: Date
  receipts: Receipt[]
  /** From the first upload until the queues were empty. */
  requests: Counts
}

export interface WatchedStack {
  /** @throws when the files are not all proved within two minutes. */
  deliver(plan: Iterable<Upload>): Promise<Watched>
  stop(): Promise<void>
}

const Told = z.object({ message: z.string(), files: z.number().optional() })

/** XNAT answers every request after so long. */
export async function startWatchedStack(
  service: ServiceModel,
  { xnatDelayMs }: { xnatDelayMs: number },
): Promise<WatchedStack> {
  let proved = 0
  const log = (_: string, line: string) => {
    const told = Told.safeParse(parseJson(line)).data
    if (told?.message === 'files delivered') proved += told.files ?? 0
  }
  const stack = await startStack({ service, log })
  const { endpoint, region, buckets, ...credentials } = stack.description.s3
  const s3 = new S3Client({ endpoint, region, credentials })
  const sqs = new SQSClient({ endpoint: stack.description.sqs.endpoint, region, credentials })
  const requests = countRequests(stack.description)
  await askXnat(stack.description.xnat, 'PUT', '/data/projects/P1')
  if (xnatDelayMs > 0) await askXnat(stack.description.xnat, 'POST', '/__stand-in/faults', slowFor(xnatDelayMs))
  let rounds = 0

  /** Eight at a time, as uploaders do. */
  async function upload(session: string, plan: Iterable<Upload>): Promise<Upload[]> {
    const startedAt = performance.now()
    const seconds = () => (performance.now() - startedAt) / 1000
    const uploads: Upload[] = []
    const waiting = plan[Symbol.iterator]()
    const work = async () => {
      for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
        const { at, resource, bytes } = next.value
        if (at > seconds()) await sleep((at - seconds()) * 1000)
        const Key = `${session}/scans/${resource + 1}/resources/DICOM/files/${crypto.randomUUID()}.dcm`
        await s3.send(new PutObjectCommand({ Bucket: buckets['incoming'], Key, Body: Buffer.alloc(bytes, Key) }))
        uploads.push({ at: seconds(), resource, bytes })
      }
    }
    await Promise.all(Array.from({ length: 8 }, work))
    return uploads
  }

  async function queuesAreEmpty(): Promise<boolean> {
    for (const role of ['uploads', 'deliveries']) {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: stack.description.sqs.queues[role], AttributeNames: ['All'] }),
      )
      const waiting = Number(Attributes['ApproximateNumberOfMessages'])
      if (waiting + Number(Attributes['ApproximateNumberOfMessagesNotVisible']) > 0) return false
    }
    return true
  }

  async function readReceipts(session: string): Promise<Receipt[]> {
    const Bucket = buckets['state']
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'receipts/' }))
    const receipts = await Promise.all(
      Contents.map(async ({ Key }) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
        return Receipt.parse(JSON.parse((await Body?.transformToString()) ?? ''))
      }),
    )
    return receipts.filter(({ target }) => target.experiment === session)
  }

  return {
    async deliver(plan) {
      rounds += 1
      const session = `E${rounds}`
      const path = `projects/P1/subjects/S1/experiments/${session}`
      await askXnat(stack.description.xnat, 'PUT', `/data/${path}?xsiType=xnat:mrSessionData`)
      proved = 0
      requests.reset()
      const startedAt = new Date()
      const uploads = await upload(path, plan)
      while (proved < uploads.length || !(await queuesAreEmpty())) {
        if (Date.now() - startedAt.getTime() > 120_000)
          throw new Error(`${proved} of ${uploads.length} files are proved`)
        await sleep(100)
      }
      return { uploads, startedAt, requests: requests.counts(), receipts: await readReceipts(session) }
    },
    async stop() {
      requests.stop()
      s3.destroy()
      sqs.destroy()
      await stack.stop()
    },
  }
}

const slowFor = (delayMs: number) => ({ kind: 'slow', delayMs, times: 1_000_000_000 })
