import type { Options } from './options.ts'
import type { Simulated } from './simulate.ts'

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const whole = (value: number) => grouped.format(value)
const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** For people: what was assumed, how long files wait, how much waits when, and what it takes. */
export function report(options: Options, simulated: Simulated): string {
  const { plan } = options
  const { settings, summary, batches, taken, dollars } = simulated
  const { delaySeconds: delay, utilisation, backlog } = summary
  const most = Math.max(...backlog.map(({ files }) => files), 1)
  const pace = plan.filesPerSecond === undefined ? 'all at once' : `${plan.filesPerSecond.toFixed(2)} a second`
  const { routeObjects, deliverFiles } = settings
  const rows: [name: string, value: string][] = [
    [
      'files',
      `${whole(summary.files)} of ${whole(plan.bytesPerFile / 1000)} kB, ${pace}; ${whole(plan.resourcesAtATime)} resources filled at a time`,
    ],
    [
      'route-objects',
      `up to ${whole(routeObjects.batchSize)} files in ${routeObjects.windowSeconds} s, ${routeObjects.concurrency} runs at a time; busy ${percent(utilisation.routeObjects)}`,
    ],
    ['deliver-files', `${deliverFiles.concurrency} runs at a time; busy ${percent(utilisation.deliverFiles)}`],
    [
      'orders',
      `${whole(summary.orders)} of ${(summary.files / summary.orders).toFixed(1)} files, from ${whole(batches)} batches`,
    ],
    ['all proved', `after ${time(summary.endSeconds)}`],
    [
      'delay',
      `p50 ${time(delay.p50)}, p95 ${time(delay.p95)}, p99 ${time(delay.p99)}, longest ${time(delay.max)}, mean ${time(delay.mean)}`,
    ],
    ['XNAT', `${whole(taken.xnatRequests)} requests, ${(taken.xnatRequests / summary.endSeconds).toFixed(1)} a second`],
    [
      'Lambda',
      `${whole(taken.lambdaRuns)} runs, ${whole(taken.lambdaGbSeconds)} GB-seconds: $${dollars.lambda.toFixed(2)}`,
    ],
    [
      'S3',
      `${whole(taken.s3Gets)} GETs, ${whole(taken.s3Heads)} HEADs, ${whole(taken.s3Puts)} PUTs, ${whole(taken.s3Lists)} listings: $${dollars.s3.toFixed(2)}`,
    ],
    [
      'SQS',
      `${whole(taken.sqsRequests)} requests, ${whole(taken.fifoRequests)} of them FIFO: $${dollars.sqs.toFixed(2)}`,
    ],
  ]
  return [
    ...rows.map(([name, value]) => `${name.padEnd(15)}${value}`),
    '',
    'files that have come and are not proved, after',
    ...backlog.map(
      ({ seconds, files }) =>
        `${time(seconds).padStart(10)}${whole(files).padStart(12)}  ${'#'.repeat(Math.round((files / most) * 40))}`,
    ),
    '',
    ...verdict(simulated),
  ].join('\n')
}

/** Above this the line grows with every little delay. */
const fullyUsed = 0.9

function verdict({ summary: { utilisation } }: Simulated): string[] {
  const bound = Object.entries({ 'route-objects': utilisation.routeObjects, 'deliver-files': utilisation.deliverFiles })
    .filter(([, share]) => share > fullyUsed)
    .map(([name]) => name)
  return bound.length === 0 ? [] : [`${bound.join(' and ')}: what binds here.`, '']
}

function time(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(1)} s`
  return seconds < 7200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`
}
