// A file-backed S3 server for local work and tests: streams of any size in constant memory, real signatures,
// real conditions, event notifications. Survives the death of its process at any moment.
import type { NotificationTarget } from './delivery.ts'
import { Front } from './front.ts'
import { assertBucketName } from './operations/buckets.ts'
import type { Credentials } from './signature.ts'
import { openStore } from './store.ts'

export type { NotificationTarget } from './delivery.ts'
export type { S3Event, S3EventRecord, S3TestEvent } from './event-record.ts'

export interface S3ServerOptions {
  /** Created when missing; a server started later with the same folder finds everything again. */
  dataDir: string
  /** Default 0: any free port. */
  port?: number
  /** Default 'eu-central-1'. */
  region?: string
  credentials: Credentials
  /** The clock for object times, signatures and expiry. */
  now?: () => Date
}

export interface S3Server {
  url: string
  port: number
  /** No error when the bucket is there. */
  createBucket(name: string): Promise<void>
  /** Replaces the bucket's targets, and delivers what earlier ones of the same id had not taken. */
  setNotifications(bucket: string, targets: NotificationTarget[]): Promise<void>
  /** Ends every connection, idle or not; waits two seconds at most for a `deliver` under way. Calling it again is safe. */
  stop(): Promise<void>
}

/** @throws when another server has the folder, or another program the port. */
export async function startS3(options: S3ServerOptions): Promise<S3Server> {
  const { dataDir, port = 0, region = 'eu-central-1', credentials, now = () => new Date() } = options
  const store = await openStore({ dataDir, region, now })
  const front = new Front(store, credentials)
  let stopped: Promise<void> | undefined
  const stop = async () => {
    await front.close()
    await store.notifications.stop()
    store.db.close()
  }
  try {
    await front.listen(port)
  } catch (error) {
    store.db.close()
    throw error
  }
  return {
    url: `http://127.0.0.1:${front.port}`,
    port: front.port,
    createBucket: async (name) => {
      assertBucketName(name)
      store.buckets.ensure(name, now())
    },
    setNotifications: async (bucket, targets) => {
      store.buckets.assertExists(bucket)
      await store.notifications.setTargets(bucket, targets)
    },
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}
