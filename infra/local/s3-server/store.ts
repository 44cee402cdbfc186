import { join } from 'node:path'
import { BlobStore } from './blobs.ts'
import { BucketIndex } from './bucket-index.ts'
import { Database } from './database.ts'
import { Notifications } from './notifications.ts'
import { ObjectIndex } from './object-index.ts'
import { UploadIndex } from './upload-index.ts'

/** Everything a data folder holds. */
export interface Store {
  db: Database
  buckets: BucketIndex
  objects: ObjectIndex
  uploads: UploadIndex
  blobs: BlobStore
  notifications: Notifications
  region: string
  now: () => Date
}

/** Opens the folder, making it when missing, and clears away what a crash left half-done. */
export async function openStore(options: { dataDir: string; region: string; now: () => Date }): Promise<Store> {
  const { dataDir, region, now } = options
  const db = new Database(dataDir)
  const store: Store = {
    db,
    buckets: new BucketIndex(db),
    objects: new ObjectIndex(db),
    uploads: new UploadIndex(db),
    blobs: new BlobStore(join(dataDir, 'blobs')),
    notifications: new Notifications({ db, region, now }),
    region,
    now,
  }
  const wanted = new Set([...store.objects.blobIds(), ...store.uploads.blobIds()])
  await store.blobs.sweep((blobId) => wanted.has(blobId))
  return store
}

/** S3: times of objects are kept to the second. */
export const modifiedNow = (store: Store) => new Date(Math.floor(store.now().getTime() / 1000) * 1000)
