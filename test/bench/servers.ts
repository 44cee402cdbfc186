import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as z from 'zod'

export const credentials = {
  accessKeyId: 'BENCHKEY',
  secretAccessKey: 'bench-secret-key',
  user: 'bench',
  password: 'bench-password',
}

const Started = z.object({ url: z.string() })

/** Starts an embedded server as a child process. It ends, and its data goes, when it is stopped or this process ends. */
export async function startServer(kind: 's3' | 'xnat'): Promise<{ url: string; stop: () => Promise<void> }> {
  // Bodies flow through short-lived buffers, which a small young generation frees with half of the work.
  const env = { ...process.env, NODE_OPTIONS: '--max-semi-space-size=1' }
  const child: ChildProcess = fork(join(import.meta.dirname, 'server-process.ts'), [kind], { env })
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
