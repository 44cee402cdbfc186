// How long the client takes to bring 500 files of 514 KB into XNAT, by each of its ways, beside curl sending the same
// bytes as one file. BENCH_RUNS (5) is the number of runs that each median is taken of.
//
// XNAT's catalog cannot take two writers to one resource, and the client does not try: `per-file, 8 at a time` is eight
// uploads side by side into eight resources. The last row shows what happens to eight writers on one.
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { link, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import * as z from 'zod'
import { median } from './median.ts'
import { credentials, startServer } from './servers.ts'

const fileCount = 500
const fileBytes = 514_000
const delays = [0, 60]

const Measured = z.object({ ms: z.number(), requests: z.number(), peakRssBytes: z.number(), note: z.string() })
export type Measured = z.infer<typeof Measured>

interface Way {
  name: string
  measure: (url: string, place: Place) => Promise<Measured>
}

/** Where the files are: whole, split among as many folders as there are writers, and all bytes in one file. */
interface Place {
  folder: string
}

const ways: Way[] = [
  { name: 'curl, one file', measure: (url, place) => curl(url, join(place.folder, 'all.bin')) },
  { name: 'tar', measure: client('tar', 1) },
  { name: 'zip', measure: client('zip', 1) },
  { name: 'tgz', measure: client('tgz', 1) },
  { name: 'per-file, 1 at a time', measure: client('per-file', 1) },
  { name: 'per-file, 8 at a time', measure: client('per-file', 8) },
  { name: 'per-file, 16 at a time', measure: client('per-file', 16) },
  { name: 'per-file, 8 writers on one resource', measure: client('one-resource', 8) },
]

export async function run(): Promise<void> {
  const runs = Number(process.env['BENCH_RUNS'] ?? 5)
  const place = { folder: await mkdtemp(join(tmpdir(), 'bench-client-')) }
  try {
    await makeFiles(place)
    for (const delayMs of delays) {
      console.log(`\n${delayMs} ms added to each request, medians of ${runs}; bytes that do not compress`)
      print(await measureAll(place, delayMs, runs))
    }
  } finally {
    await rm(place.folder, { recursive: true, force: true })
  }
}

async function makeFiles({ folder }: Place): Promise<void> {
  const bytes = new Uint8Array(fileBytes)
  await mkdir(join(folder, '1', '0'), { recursive: true })
  for (let index = 0; index < fileCount; index += 1) {
    for (let at = 0; at < fileBytes; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
    await writeFile(join(folder, '1', '0', `${index}.dcm`), bytes)
  }
  const names = await readdir(join(folder, '1', '0'))
  for (const writers of [8, 16]) {
    for (const [index, name] of names.entries()) {
      const part = join(folder, String(writers), String(index % writers))
      await mkdir(part, { recursive: true })
      await link(join(folder, '1', '0', name), join(part, name))
    }
  }
  for (const name of names) {
    const whole = createWriteStream(join(folder, 'all.bin'), { flags: 'a' })
    await pipeline(createReadStream(join(folder, '1', '0', name)), whole)
  }
}

/** Each run has a server of its own; the ways take turns, so that what slows the machine slows all of them. */
async function measureAll(place: Place, delayMs: number, runs: number): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>(ways.map(({ name }) => [name, []]))
  for (let index = 0; index < runs; index += 1) {
    for (const { name, measure } of ways) {
      const xnat = await startServer('xnat')
      try {
        results.get(name)?.push(await measure(await prepared(xnat.url, delayMs), place))
      } finally {
        await xnat.stop()
      }
    }
  }
  return results
}

async function prepared(url: string, delayMs: number): Promise<string> {
  if (delayMs === 0) return url
  const fault = JSON.stringify({ kind: 'slow', delayMs, times: 1_000_000 })
  const reply = await fetch(`${url}/__stand-in/faults`, { method: 'POST', body: fault })
  if (!reply.ok) throw new Error(`the stand-in did not take the delay: ${reply.status}`)
  return url
}

/** The client in a process of its own, with all it needs and nothing of the bench. */
function client(method: string, writers: number): Way['measure'] {
  return async (url, { folder }) => {
    const child = fork(join(import.meta.dirname, 'client-process.ts'), [url, method, join(folder, String(writers))])
    const ended = once(child, 'exit')
    const message = await Promise.race([once(child, 'message'), ended.then(() => undefined)])
    if (message === undefined) throw new Error(`the client's process ended before it was done (${method})`)
    await ended
    return Measured.parse(message[0])
  }
}

async function curl(url: string, file: string): Promise<Measured> {
  const target = `${url}/data/projects/P/resources/RAW/files/all.bin?inbody=true`
  const user = `${credentials.user}:${credentials.password}`
  const send = (...args: string[]) => promisify(execFile)('curl', ['--silent', '--fail', '--user', user, ...args])
  await send('--request', 'PUT', `${url}/data/projects/P`)
  const startedAt = performance.now()
  await send('--upload-file', file, '--header', 'Content-Type: application/octet-stream', target)
  return { ms: performance.now() - startedAt, requests: 1, peakRssBytes: 0, note: '' }
}

function print(results: ReadonlyMap<string, readonly Measured[]>): void {
  const bare = median((results.get('curl, one file') ?? []).map(({ ms }) => ms))
  const rows = [...results].map(([name, all]) => {
    const of = (pick: (one: Measured) => number) => median(all.map(pick))
    const ms = of((one) => one.ms)
    const rss = of((one) => one.peakRssBytes)
    return [
      name,
      `${(ms / 1000).toFixed(2)} s`,
      `${((fileCount * fileBytes) / ms / 1000).toFixed(0)} MB/s`,
      (ms / bare).toFixed(2),
      of((one) => one.requests).toFixed(0),
      rss === 0 ? '' : `${(rss / 1024 ** 2).toFixed(0)} MiB`,
      all.at(-1)?.note ?? '',
    ]
  })
  const table = [['', 'time', 'rate', 'times curl', 'requests', 'peak RSS', ''], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}
