import type { Options } from './options.ts'
import type { Simulated } from './simulate.ts'

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const whole = (value: number) => grouped.format(value)
const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** For people: what was assumed, how long files wait, how much waits when, and what it takes. */
export function report(options: Options, simulated: Simulated): string {
  const { backlog } = simulated.summary
  const most = Math.max(...backlog.map(({ files }) => files), 1)
  const facts = [...work(options, simulated), ...bill(simulated)]
  return [
    ...facts.map(([name, value]) => `${name.padEnd(15)}${value}`),
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

type Fact = [name: string, value: string]

function work({ plan }: Options, { settings, summary, batches }: Simulated): Fact[] {
  const { files, orders, delaySeconds: delay, utilisation, endSeconds } = summary
  const { routeObjects, deliverFiles } = settings
  const size = `${whole(files)} of ${whole(plan.bytesPerFile / 1000)} kB`
  const pace = plan.filesPerSecond === undefined ? 'all at once' : `${plan.filesPerSecond.toFixed(2)} a second`
  const batch = `up to ${whole(routeObjects.batchSize)} files in ${routeObjects.windowSeconds} s`
  const runs = ({ concurrency }: { concurrency: number }, busy: number) =>
    `${concurrency} runs at a time; busy ${percent(busy)}`
  const quantiles = `p50 ${time(delay.p50)}, p95 ${time(delay.p95)}, p99 ${time(delay.p99)}`
  return [
    ['files', `${size}, ${pace}; ${whole(plan.resourcesAtATime)} resources filled at a time`],
    ['route-objects', `${batch}, ${runs(routeObjects, utilisation.routeObjects)}`],
    ['deliver-files', runs(deliverFiles, utilisation.deliverFiles)],
    ['orders', `${whole(orders)} of ${(files / orders).toFixed(1)} files, from ${whole(batches)} batches`],
    ['all proved', `after ${time(endSeconds)}`],
    ['delay', `${quantiles}, longest ${time(delay.max)}, mean ${time(delay.mean)}`],
  ]
}

function bill({ summary, taken, dollars }: Simulated): Fact[] {
  const { s3Gets, s3Heads, s3Puts, s3Lists } = taken
  const cost = (amount: number) => `$${amount.toFixed(2)}`
  const pace = (taken.xnatRequests / summary.endSeconds).toFixed(1)
  const reads = `${whole(s3Gets)} GETs, ${whole(s3Heads)} HEADs`
  return [
    ['XNAT', `${whole(taken.xnatRequests)} requests, ${pace} a second`],
    ['Lambda', `${whole(taken.lambdaRuns)} runs, ${whole(taken.lambdaGbSeconds)} GB-seconds: ${cost(dollars.lambda)}`],
    ['S3', `${reads}, ${whole(s3Puts)} PUTs, ${whole(s3Lists)} listings: ${cost(dollars.s3)}`],
    ['SQS', `${whole(taken.sqsRequests)} requests, ${whole(taken.fifoRequests)} of them FIFO: ${cost(dollars.sqs)}`],
  ]
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
