// Which uploads in parts were begun, so that the next run goes on with them. S3 lists them too, but does not tell the
// metadata that they were begun with.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { parseJson } from '../../../lib/json.ts'

const BegunUpload = z.object({
  id: z.string(),
  sizeBytes: z.int(),
  metadata: z.record(z.string(), z.string()),
})
export type BegunUpload = z.infer<typeof BegunUpload>

export interface UploadJournal {
  find(key: string): Promise<BegunUpload | undefined>
  keep(key: string, upload: BegunUpload): Promise<void>
  drop(key: string): Promise<void>
}

/** The journal of one bucket, below this folder. Its files are named by digests: keys hold labels. */
export function uploadJournal(stateFolder: string, bucket: string): UploadJournal {
  const folder = join(stateFolder, 'uploads')
  const fileOf = (key: string) => join(folder, `${createHash('sha256').update(`${bucket}/${key}`).digest('hex')}.json`)
  return {
    async find(key) {
      const text = await readFile(fileOf(key), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return ''
        throw error
      })
      // One that was cut off as it was written names no upload to go on with.
      return BegunUpload.safeParse(parseJson(text)).data
    },
    async keep(key, upload) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(fileOf(key), JSON.stringify(upload), { mode: 0o600 })
    },
    drop: (key) => rm(fileOf(key), { force: true }),
  }
}
