// How long a session takes from XNAT into the image tree, and the memory that it takes, beside what a script would do:
// curl to disk, unzip, copy to S3. BENCH_RUNS runs of each, 3 by default, in turns; the median counts.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import * as z from 'zod'
import { ensureExperiment, ensureScan } from '../../lib/xnat/archive.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { putArchive } from '../../lib/xnat/resources.ts'
import { tarLength, tarStream } from '../../lib/xnat/tar.ts'
import { forkAsDeployed } from './as-deployed.ts'
import { median } from './median.ts'
import { credentials, startServer } from './servers.ts'

const runs = Number(process.env['BENCH_RUNS'] ?? 3)
const mebibyte = 1024 ** 2
const session = { scans: 5, filesPerScan: 100, sizeBytes: Math.round((1024 * mebibyte) / 500) }
const totalBytes = session.scans * session.filesPerScan * session.sizeBytes

export async function run(): Promise<void> {
  const [s3Server, xnatServer] = await Promise.all([startServer('s3'), startServer('xnat')])
  const { user, password, ...keys } = credentials
  const s3 = new S3Client({ endpoint: s3Server.url, region: 'eu-central-1', credentials: keys })
  const xnat = new XnatClient({ url: xnatServer.url, credentials: { kind: 'password', user, password } })
  try {
    for (const Bucket of ['images', 'state']) await s3.send(new CreateBucketCommand({ Bucket }))
    const experimentId = await fill(xnat)
    const [ours, script]: [number[], number[]] = [[], []]
    let growthBytes = 0
    for (let each = 0; each < runs; each += 1) {
      const { ms, peak, idle } = await exported(s3Server.url, xnatServer.url)
      ours.push(ms)
      growthBytes = Math.max(growthBytes, peak - idle)
      const url = `${xnatServer.url}/data/experiments/${experimentId}/scans/ALL/resources/DICOM/files?format=zip`
      script.push(await byScript(s3, url))
    }
    const [here, there] = [median(ours), median(script)]
    console.log(`1 GiB in ${session.scans * session.filesPerScan} files`)
    console.log(
      `  export-images, proved and published   ${rate(here)}   grows by ${(growthBytes / mebibyte).toFixed(0)} MiB`,
    )
    console.log(`  curl to disk, unzip, copy to S3       ${rate(there)}`)
    console.log(`  ${(there / here).toFixed(2)} times as fast`)
  } finally {
    await xnat.close()
    s3.destroy()
    await Promise.all([s3Server.stop(), xnatServer.stop()])
  }
}

const rate = (ms: number) =>
  `${(ms / 1000).toFixed(2).padStart(6)} s   ${(totalBytes / 1e6 / (ms / 1000)).toFixed(0).padStart(4)} MB/s`

async function fill(xnat: XnatClient): Promise<string> {
  await createProject(xnat, { projectId: 'P', secondaryId: 'P', name: 'P' })
  const wanted = { projectId: 'P', subjectLabel: 'S', label: 'E', xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(xnat, wanted)
  const noise = randomBytes(session.sizeBytes)
  for (let scan = 1; scan <= session.scans; scan += 1) {
    await ensureScan(xnat, { experimentId, scanId: String(scan), xsiType: 'xnat:mrScanData' })
    const files = Array.from({ length: session.filesPerScan }, (_, n) => ({
      path: `${n}.dcm`,
      sizeBytes: session.sizeBytes,
    }))
    const openBody = () =>
      Readable.from(
        tarStream(files, async () => Readable.from([noise])),
        { objectMode: false },
      )
    const ref = { parent: { level: 'scan', experimentId, scanId: String(scan) }, resourceLabel: 'DICOM' } as const
    await putArchive(xnat, ref, { format: 'tar', openBody, sizeBytes: tarLength(files) })
  }
  return experimentId
}

const Measured = z.object({ ms: z.number(), idle: z.number(), peak: z.number() })

/** One export in a process of its own. */
async function exported(s3Url: string, xnatUrl: string): Promise<z.infer<typeof Measured>> {
  const child = await forkAsDeployed('exportImages', 'download-process.ts', {
    args: [s3Url, xnatUrl],
    env: {
      AWS_ENDPOINT_URL_S3: s3Url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  })
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`the measured process ended with ${code}`)),
  )
  const [message] = await Promise.race([once(child, 'message'), ended])
  ended.catch(() => undefined)
  return Measured.parse(message)
}

/** As many copies at a time as the AWS command line makes. */
const copies = 10

async function byScript(s3: S3Client, url: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-download-'))
  const startedAt = performance.now()
  try {
    const { user, password } = credentials
    const zip = join(folder, 'session.zip')
    await promisify(execFile)('curl', ['-sf', '-u', `${user}:${password}`, '-o', zip, url])
    await promisify(execFile)('unzip', ['-q', zip, '-d', join(folder, 'files')])
    const entries = await readdir(join(folder, 'files'), { recursive: true, withFileTypes: true })
    const waiting = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const copy = async () => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        const { size: ContentLength } = await stat(file)
        const Key = `by-script${file.slice(folder.length)}`
        await s3.send(new PutObjectCommand({ Bucket: 'images', Key, Body: createReadStream(file), ContentLength }))
      }
    }
    await Promise.all(Array.from({ length: copies }, copy))
    return performance.now() - startedAt
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
