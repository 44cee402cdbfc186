// The process that bench memory measures: it runs deliver-files' real handler, as Lambda would.
import { readFileSync } from 'node:fs'
import { createHandler } from '../../functions/workers/deliver-files.ts'
import { createAws } from '../../lib/aws/clients.ts'
import { parseObjectKey } from '../../lib/delivery/object-key.ts'
import { deliveryId } from '../../lib/delivery/order.ts'
import { ensureExperiment } from '../../lib/xnat/archive.ts'
import { createHttpAgent, XnatClient } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { testWired } from '../support/wired.ts'
import { credentials, putObject } from './servers.ts'

const mebibyte = 1024 ** 2
const sizes = { 'warm-up': 8 * mebibyte, '2 GiB': 2048 * mebibyte }

async function measure(s3Url: string, xnatUrl: string): Promise<void> {
  const { user, password } = credentials
  const xnat = new XnatClient({ url: xnatUrl, credentials: { kind: 'password', user, password } })
  await createProject(xnat, { projectId: 'P', secondaryId: 'P', name: 'P' })
  await ensureExperiment(xnat, { projectId: 'P', subjectLabel: 'S', label: 'E', xsiType: 'xnat:mrSessionData' })
  const aws = createAws(createHttpAgent())
  const wired = testWired({ xnat, incoming: aws.bucket('incoming'), state: aws.bucket('state') })
  const handler = createHandler(() => wired)

  for (const [name, sizeBytes] of Object.entries(sizes)) {
    const event = sqsEvent([await orderOf(s3Url, name, sizeBytes)])
    const idle = process.memoryUsage.rss()
    let peak = idle
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss())
    }, 10)
    const writtenBefore = bytesWrittenToDisk()
    const startedAt = performance.now()
    const { batchItemFailures } = await handler(event, lambdaContext(900_000))
    const ms = performance.now() - startedAt
    clearInterval(timer)
    if (batchItemFailures.length > 0) throw new Error(`not delivered: ${JSON.stringify(wired.lines.at(-1))}`)
    console.log(
      [
        name.padEnd(8),
        `idle ${mib(idle)}`,
        `peak ${mib(peak)}`,
        `growth ${mib(peak - idle)}`,
        `written to disk ${mib(bytesWrittenToDisk() - writtenBefore)}`,
        `${(sizeBytes / mebibyte / (ms / 1000)).toFixed(0)} MiB/s`,
      ].join('   '),
    )
  }
  await xnat.close()
}

async function orderOf(s3Url: string, name: string, sizeBytes: number): Promise<string> {
  const key = `projects/P/subjects/S/experiments/E/scans/1/resources/RAW/files/${sizeBytes}.bin`
  const etag = await putObject(s3Url, key, sizeBytes)
  const parsed = parseObjectKey(key)
  if (parsed.kind !== 'file') throw new Error('the key names no file')
  const { target, prefix, path } = parsed
  const objects = [{ path, sizeBytes, etag }]
  return JSON.stringify({ deliveryId: deliveryId(new Date(), name), target, keyPrefix: prefix, objects })
}

/** Linux: what this process caused to be written to storage; sockets do not count (proc(5), /proc/pid/io). */
const bytesWrittenToDisk = () => Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)

const mib = (bytes: number) => `${(bytes / mebibyte).toFixed(0)} MiB`

const [s3Url = '', xnatUrl = ''] = process.argv.slice(2)
await measure(s3Url, xnatUrl)
