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
import { credentials, putObjects } from './servers.ts'

const mebibyte = 1024 ** 2
/** `throttled`: XNAT reads 64 KiB, and then nothing for a millisecond. */
interface Case {
  sizeBytes: number
  count: number
  throttled?: boolean
}
const cases: Record<string, Case> = {
  // Idle is a process that has delivered in both ways: one file, and many in a tar.
  'warm-up': { sizeBytes: 8 * mebibyte, count: 1 },
  'warm-up, many': { sizeBytes: 1024, count: 1000 },
  '1 KiB': { sizeBytes: 1024, count: 1 },
  '1 MiB': { sizeBytes: mebibyte, count: 1 },
  '64 MiB': { sizeBytes: 64 * mebibyte, count: 1 },
  '10,000 x 1 KiB': { sizeBytes: 1024, count: 10_000 },
  '2 GiB': { sizeBytes: 2048 * mebibyte, count: 1 },
  '1 GiB throttled': { sizeBytes: 1024 * mebibyte, count: 1, throttled: true },
  ...(process.env['BENCH_FULL'] === '1' && {
    '10 GiB': { sizeBytes: 10_240 * mebibyte, count: 1 },
    '10 GiB throttled': { sizeBytes: 10_240 * mebibyte, count: 1, throttled: true },
  }),
}

async function measure(s3Url: string, xnatUrl: string): Promise<void> {
  const { user, password } = credentials
  const xnat = new XnatClient({ url: xnatUrl, credentials: { kind: 'password', user, password } })
  await createProject(xnat, { projectId: 'P', secondaryId: 'P', name: 'P' })
  await ensureExperiment(xnat, { projectId: 'P', subjectLabel: 'S', label: 'E', xsiType: 'xnat:mrSessionData' })
  const aws = createAws(createHttpAgent())
  const wired = testWired({ xnat, incoming: aws.bucket('incoming'), state: aws.bucket('state') })
  const handler = createHandler(() => wired)

  for (const [name, { sizeBytes, count, throttled }] of Object.entries(cases)) {
    await throttle(xnatUrl, throttled === true)
    const event = sqsEvent([await orderOf(s3Url, name, { sizeBytes, count })])
    const handlesBefore = process.getActiveResourcesInfo().length
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
        name.padEnd(16),
        `idle ${mib(idle)}`,
        `peak ${mib(peak)}`,
        `growth ${mib(peak - idle)}`,
        `written to disk ${mib(bytesWrittenToDisk() - writtenBefore)}`,
        `handles ${handlesBefore} -> ${process.getActiveResourcesInfo().length}`,
        `${((sizeBytes * count) / mebibyte / (ms / 1000)).toFixed(0)} MiB/s`,
      ].join('   '),
    )
  }
  await xnat.close()
}

async function throttle(xnatUrl: string, isThrottled: boolean): Promise<void> {
  const fault = JSON.stringify({ kind: 'throttle', delayMs: 1, times: 1_000_000_000 })
  await fetch(`${xnatUrl}/__stand-in/faults`, isThrottled ? { method: 'POST', body: fault } : { method: 'DELETE' })
}

async function orderOf(s3Url: string, name: string, what: { sizeBytes: number; count: number }): Promise<string> {
  const { sizeBytes } = what
  const key = `projects/P/subjects/S/experiments/E/scans/1/resources/RAW/files/${name}.bin`
  const etags = await putObjects(s3Url, key, what)
  const parsed = parseObjectKey(key)
  if (parsed.kind !== 'file') throw new Error('the key names no file')
  const { target, prefix, path } = parsed
  const objects = etags.map((etag, index) => ({ path: index === 0 ? path : `${path}.${index}`, sizeBytes, etag }))
  return JSON.stringify({ deliveryId: deliveryId(new Date(), name), target, keyPrefix: prefix, objects })
}

/** Linux: what this process caused to be written to storage; sockets do not count (proc(5), /proc/pid/io). */
const bytesWrittenToDisk = () => Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)

const mib = (bytes: number) => `${(bytes / mebibyte).toFixed(0)} MiB`

const [s3Url = '', xnatUrl = ''] = process.argv.slice(2)
await measure(s3Url, xnatUrl)
