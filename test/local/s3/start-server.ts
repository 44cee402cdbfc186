import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { onTestFinished } from 'vitest'
import { type S3Server, type S3ServerOptions, startS3 } from '../../../infra/local/s3-server/server.ts'

export const credentials = { accessKeyId: 'local-key', secretAccessKey: 'local-secret' }
export const region = 'eu-central-1'

/** A folder that is removed when the test has finished. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 's3-server-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Started {
  server: S3Server
  s3: S3Client
  dataDir: string
}

/** A server of the test's own with the bucket `images`, and the genuine client for it. Both end with the test. */
export async function startServer(options: Partial<S3ServerOptions> = {}): Promise<Started> {
  const dataDir = options.dataDir ?? (await makeFolder())
  const server = await startS3({ credentials, region, ...options, dataDir })
  onTestFinished(() => server.stop())
  await server.createBucket('images')
  return { server, s3: connect(server), dataDir }
}

export function connect(server: Pick<S3Server, 'url'>, config: S3ClientConfig = {}): S3Client {
  const s3 = new S3Client({
    endpoint: server.url,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    ...config,
  })
  onTestFinished(() => s3.destroy())
  return s3
}

/** Sends another body than the one that was signed and summed. */
export function changeBody(command: PutObjectCommand, change: (body: unknown) => unknown): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args
      if (typeof request === 'object' && request !== null && 'body' in request) request.body = change(request.body)
      return next(args)
    },
    { step: 'deserialize', priority: 'low' },
  )
}

/** How many files hold bytes of objects and parts. */
export async function countBlobs(dataDir: string): Promise<number> {
  const entries = await readdir(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).length
}

/** A server in a process of its own, with the bucket `images` and a target that never takes an event. */
export async function startInChild(dataDir: string): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL('./serve-in-child.ts', import.meta.url))
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  // Its folder is removed after this, so it must be gone by then.
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await gone
  })
  const [line] = await once(createInterface(child.stdout), 'line')
  return { child, port: Number(line) }
}
