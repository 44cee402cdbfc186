// `npm start`: brings the stack up, shows the main job once, and stays up until Ctrl-C.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { writeSampleStudies } from './sample-studies.ts'
import { type Stack, type StackDescription, startStack } from './stack.ts'
import { runTour, type TourProgress, type TourResult } from './tour.ts'

const usage = `npm start -- [options]

  --once         do the tour and exit: 0 when all is proved, 1 otherwise
  --data DIR     use the files below DIR for the tour, whatever they are
  --keep DIR     keep buckets, queues and the stand-in's archive in DIR, and go on from there next time
  --no-tour      only start; --tour: do the tour also with kept data or a real XNAT
  --port N       where the API listens (default: 3000, or the next that is free)
  --describe F   where to write how to reach everything (default: .local/stack.json)
  --bundles      run what \`npm run build\` made, not the sources
  --verbose      print what the functions log

With XNAT_URL, XNAT_SERVICE_USER and XNAT_SERVICE_PASSWORD set, that XNAT is used in place of the stand-in.
`

const defaultStackFile = join(import.meta.dirname, '../../.local/stack.json')

interface Options {
  once: boolean
  data: string | undefined
  keep: string | undefined
  port: number | undefined
  stackFile: string
  bundles: boolean
  verbose: boolean
  tour: boolean
  xnat: { url: string; user: string; password: string } | undefined
}

async function main(): Promise<number> {
  const options = readOptions()
  const interrupted = untilInterrupted()
  const startedAt = performance.now()
  const stack = await startStack({
    ...(options.keep !== undefined && { keepDir: options.keep }),
    ...(options.xnat && { xnat: options.xnat }),
    ...(options.port !== undefined && { apiPort: options.port }),
    bundles: options.bundles,
    log: functionLog(options.verbose),
  })
  try {
    await describeStack(options.stackFile, stack.description)
    console.log(`xnat-conduit is up after ${seconds(performance.now() - startedAt)}.\n`)
    const isProved = options.tour ? await Promise.race([showTour(stack, options.data), interrupted]) : true
    if (isProved === 'interrupted') return 130
    if (options.once) return isProved ? 0 : 1
    console.log(howToGoOn(stack.description, options.stackFile))
    await interrupted
    return 0
  } finally {
    console.log('\nStopping.')
    await rm(options.stackFile, { force: true })
    await stack.stop()
  }
}

/** @throws with the usage when an option is not known or not whole. */
function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      data: { type: 'string' },
      keep: { type: 'string' },
      tour: { type: 'boolean' },
      port: { type: 'string' },
      describe: { type: 'string', default: defaultStackFile },
      bundles: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  })
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const { once, data, bundles, verbose } = values
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new UsageError(`--port wants a number from 1 to 65535, not ${values.port}`)
  }
  const dataDir = data === undefined ? undefined : resolve(data)
  if (dataDir !== undefined && !existsSync(dataDir)) throw new UsageError(`--data: there is no folder ${dataDir}`)
  const keep = values.keep === undefined ? undefined : resolve(values.keep)
  const xnat = realXnat()
  const isFresh = xnat === undefined && (keep === undefined || !existsSync(keep))
  const tour = values.tour ?? (once || dataDir !== undefined || isFresh)
  const stackFile = resolve(values.describe)
  return { once, data: dataDir, keep, port, stackFile, bundles, verbose, tour, xnat }
}

class UsageError extends Error {}

function realXnat(): Options['xnat'] {
  const { XNAT_URL: url, XNAT_SERVICE_USER: user, XNAT_SERVICE_PASSWORD: password } = process.env
  if (url === undefined) return undefined
  if (user === undefined || password === undefined) {
    throw new UsageError('XNAT_URL is set: XNAT_SERVICE_USER and XNAT_SERVICE_PASSWORD are wanted too')
  }
  return { url, user, password }
}

function untilInterrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    let isFirst = true
    const onSignal = () => {
      // Whoever asks twice does not want to wait; the functions' processes end by themselves with this one.
      if (!isFirst) process.exit(130)
      isFirst = false
      resolve('interrupted')
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

/** What goes wrong is always shown; all else only on request. */
function functionLog(verbose: boolean) {
  return (functionName: string, line: string) => {
    const isTrouble = !line.startsWith('{') || /"level":"(?:warn|error)"/.test(line)
    if (verbose || isTrouble) console.error(`[${functionName}] ${line}`)
  }
}

async function describeStack(stackFile: string, description: StackDescription): Promise<void> {
  await mkdir(dirname(stackFile), { recursive: true })
  // Renamed into place: who waits for the file must not find half of it.
  const draft = `${stackFile}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(description, undefined, 2)}\n`, { mode: 0o600 })
  await rename(draft, stackFile)
}

async function showTour(stack: Stack, dataDir: string | undefined): Promise<boolean> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'xnat-conduit-samples-')))
  try {
    if (dataDir === undefined) await writeSampleStudies(folder)
    console.log(
      dataDir === undefined ? 'Tour: sample studies of patients who do not exist.' : `Tour: the files below ${folder}.`,
    )
    const result = await runTour(stack.description, folder, progressLine())
    console.log(tourReport(result, stack.description))
    return result.faults.length === 0 && result.equalDigests === result.files
  } finally {
    if (dataDir === undefined) await rm(folder, { recursive: true, force: true })
  }
}

const steps: Record<TourProgress['step'], string> = {
  provision: 'asking the API for a project',
  upload: 'putting files into S3',
  deliver: 'waiting for receipts: S3 -> SQS -> XNAT',
  compare: 'comparing digests with XNAT',
  import: 'importing the cohort: PACS -> XNAT',
}

/** On a terminal one line that is written over; elsewhere a line when a step begins and ends. */
function progressLine(): (progress: TourProgress) => void {
  let last = ''
  return ({ step, done, total }) => {
    const width = 24
    const filled = total === 0 ? width : Math.floor((done / total) * width)
    const isEnd = done === total
    const line = `  ${'#'.repeat(filled).padEnd(width, '.')} ${done}/${total}  ${steps[step]}`
    if (process.stdout.isTTY) process.stdout.write(`\r${line.padEnd(80)}${isEnd ? '\n' : ''}`)
    else if ((step !== last || isEnd) && line !== last) console.log(line)
    last = step
  }
}

function tourReport(result: TourResult, { api, xnat }: StackDescription): string {
  const [receipt] = result.deliveryIds
  const rows: [string, string][] = [
    ['project', `${result.projectName}`],
    ['', `${xnat.url}/data/projects/${result.projectId}`],
    ['sessions', String(result.experiments)],
    ['files', `${result.files} (${megabytes(result.bytes)})`],
    ['time', seconds(result.ms)],
    ['digests equal', `${result.equalDigests} of ${result.files}`],
    [
      'receipts',
      `${result.deliveryIds.length}${receipt === undefined ? '' : `, one of them ${api}/deliveries/${receipt}`}`,
    ],
  ]
  if (result.cohort.studies > 0) {
    rows.push([
      'cohort',
      `${result.cohort.verified} of ${result.cohort.studies} studies imported from the PACS and verified`,
    ])
  }
  const table = rows.map(([name, value]) => `  ${name.padEnd(14)} ${value}`).join('\n')
  const faults = result.faults.map((fault) => `  NOT AS IT SHOULD BE: ${fault}`)
  return ['', table, ...faults, ''].join('\n')
}

function howToGoOn({ api, s3, xnat, serviceKey }: StackDescription, stackFile: string): string {
  return [
    `  Console  ${api}/   (asks for the service key)`,
    `  API      ${api}   (header ${serviceKey.header}: ${serviceKey.key})`,
    `  S3       ${s3.endpoint}   bucket ${s3.buckets['incoming']}`,
    `  XNAT     ${xnat.url}   ${xnat.isStandIn ? `user ${xnat.user}, password ${xnat.password} (a stand-in)` : `user ${xnat.user}`}`,
    `  All of it is in ${relative(process.cwd(), stackFile)} while the stack is up. Ctrl-C ends it.`,
  ].join('\n')
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`

try {
  process.exitCode = await main()
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error)
  console.error(error instanceof Error ? error.message : error)
  if (isUsage) console.error(`\n${usage}`)
  process.exitCode = isUsage ? 2 : 1
}
