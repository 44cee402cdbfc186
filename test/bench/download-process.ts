// The process that bench download measures: it runs export-images' real handler, as Lambda would.
import { createHandler } from '../../functions/workers/export-images.ts'
import { createAws } from '../../lib/aws/clients.ts'
import { type DownloadOrder, downloadId, downloadJobs } from '../../lib/images/download.ts'
import { beginJob, findJob } from '../../lib/images/job.ts'
import { createHttpAgent, XnatClient } from '../../lib/xnat/client.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { testWired } from '../support/wired.ts'
import { credentials } from './servers.ts'

const [xnatUrl = ''] = process.argv.slice(3)
const { user, password } = credentials
const xnat = new XnatClient({ url: xnatUrl, credentials: { kind: 'password', user, password } })
const aws = createAws(createHttpAgent())
const wired = testWired({ xnat, images: aws.bucket('images'), state: aws.bucket('state') })
const handler = createHandler(() => wired)
const deps = { state: wired.state, signal: AbortSignal.timeout(900_000) }

async function exportSession(resourceType: 'DICOM' | 'SEG'): Promise<string> {
  const folder = { net: 'net', hubProjectId: 'P', accession: 'E' }
  const order = { folder, part: { assessorType: 'scan', resourceType }, isForced: true } as const
  const wanted = { id: downloadId(order), order, total: { files: 0, bytes: 0 }, joins: () => false }
  const { jobId } = await beginJob(deps, downloadJobs, wanted, async () => undefined)
  const message: DownloadOrder = { downloadId: wanted.id, jobId }
  await handler(sqsEvent([JSON.stringify(message)]), lambdaContext(900_000))
  return (await findJob(deps, downloadJobs, wanted.id))?.state ?? 'gone'
}

// There are none: this warms what a container is warm of.
await exportSession('SEG')
const idle = process.memoryUsage.rss()
let peak = idle
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss())
}, 10)
const startedAt = performance.now()
const state = await exportSession('DICOM')
const ms = performance.now() - startedAt
clearInterval(timer)
if (state !== 'done') throw new Error(`not exported: ${JSON.stringify(wired.lines.at(-1))}`)
await xnat.close()
process.send?.({ ms, idle, peak }, () => process.disconnect())
