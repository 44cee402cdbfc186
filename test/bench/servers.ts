import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'

export const credentials = {
  accessKeyId: 'BENCHKEY',
  secretAccessKey: 'bench-secret-key',
  user: 'bench',
  password: 'bench-password',
}

const Started = z.object({ url: z.string(), dataDir: z.string() })

export interface StartedServer {
  url: string
  /** Where it keeps its files. */
  dataDir: string
  stop(): Promise<void>
}

/**
 * Starts an embedded server as a child process. It ends, and its data goes, when it is stopped or this process ends.
 * `place` is a folder for its data other than the system's for temporary files.
 */
export async function startServer(kind: 's3' | 'xnat', place?: string): Promise<StartedServer> {
  // Bodies flow through short-lived buffers, which a small young generation frees with half of the work.
  const env = { ...process.env, NODE_OPTIONS: '--max-semi-space-size=1' }
  const args = place === undefined ? [kind] : [kind, place]
  const child: ChildProcess = fork(join(import.meta.dirname, 'server-process.ts'), args, { env })
  const [message] = await once(child, 'message')
  return {
    ...Started.parse(message),
    async stop() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

const memory = '/dev/shm'
const neededBytes = 8 * 1024 ** 3

/** Where files are kept in memory, if this machine has such a place with room: making files costs little there. */
export async function placeInMemory(): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize >= neededBytes ? memory : undefined
}

const Put = z.object({ etags: z.array(z.string()).min(1) })

/** Puts a generated object of this size into the bucket `incoming`, by another process, and gives its ETag. */
export async function putObject(s3Url: string, key: string, sizeBytes: number): Promise<string> {
  const [etag = ''] = await putObjects(s3Url, key, { sizeBytes, count: 1 })
  return etag
}

/** The same for several: the first under this key, the others under the key with `.1`, `.2` and so on at its end. */
export async function putObjects(
  s3Url: string,
  key: string,
  { sizeBytes, count }: { sizeBytes: number; count: number },
): Promise<string[]> {
  const child = fork(join(import.meta.dirname, 'put-object.ts'), [s3Url, key, String(sizeBytes), String(count)])
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`putting an object ended with ${code}`)))
  const [message] = await Promise.race([once(child, 'message'), ended])
  return Put.parse(message).etags
}
