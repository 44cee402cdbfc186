// `conduit deliver` over the whole local stack, with a proxy before S3 that counts what is sent.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { sampleStudies } from '../../infra/local/sample-studies.ts'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { conduit as runConduit, type Said } from '../support/command-line.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { askXnat } from '../support/stack-xnat.ts'

let stack: Stack
let proxy: FaultProxy
let s3: S3Client
let home: string
let folder: string
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
  proxy = await startFaultProxy(stack.description.s3.endpoint)
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.description.s3
  s3 = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  home = await mkdtemp(join(tmpdir(), 'conduit-home-'))
  const description = { ...stack.description, s3: { ...stack.description.s3, endpoint: proxy.url } }
  await writeFile(join(home, 'stack.json'), JSON.stringify(description))
  await xnat('PUT', '/data/projects/P1?xnat:projectData/secondary_ID=hub-1')
}, 60_000)
afterAll(async () => {
  s3.destroy()
  await proxy.stop()
  await stack.stop()
  await rm(home, { recursive: true })
})
beforeEach(async () => {
  proxy.judge = () => undefined
  folder = await mkdtemp(join(tmpdir(), 'conduit-files-'))
})
afterEach(() => rm(folder, { recursive: true }))

const xnat = (method: string, path: string) => askXnat(stack.description.xnat, method, path)

const environment = () => ({ XDG_STATE_HOME: home })
const conduit = (args: string[], situation: { signal?: AbortSignal; typed?: string } = {}): Promise<Said> =>
  runConduit(args, { env: environment(), stackFile: join(home, 'stack.json'), ...situation })

/** Delivers the folder, and reads the report. */
async function deliver(to: string, ...options: string[]) {
  const { exitCode, stdout, stderr } = await conduit(['deliver', folder, '--to', to, '-o', 'json', ...options])
  return { exitCode, stderr, report: stdout === '' ? undefined : JSON.parse(stdout) }
}

async function write(name: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), content)
}

const bucket = () => stack.description.s3.buckets['incoming']!
const md5 = (bytes: Buffer | string) => createHash('md5').update(bytes).digest('hex')

/** What was put through the proxy from here on: keys, or with their query those of parts. */
function puts() {
  const from = proxy.seen.length
  return () =>
    proxy.seen.slice(from).flatMap(({ method, path }) => {
      const [place = '', query = ''] = path.slice(`/${bucket()}/`.length).split('?')
      const part = new URLSearchParams(query).get('partNumber')
      return method === 'PUT' ? [decodeURIComponent(place) + (part === null ? '' : ` part ${part}`)] : []
    })
}

async function bucketKeys(Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket(), Prefix }))
  return Contents.map(({ Key = '' }) => Key)
}

/** The files of an XNAT resource by their paths, as MD5. */
async function digestsInXnat(resource: string): Promise<Map<string, string>> {
  const listing = JSON.parse(await xnat('GET', `/data/${resource}?format=json`))
  const files: { URI: string; digest: string }[] = listing.ResultSet.Result
  return new Map(files.map(({ URI, digest }) => [decodeURI(URI.slice(URI.indexOf('/files/') + 7)), digest]))
}

const scan = (experiment: string) => `projects/P1/subjects/S1/experiments/${experiment}/scans/1/resources/DICOM/files`

/** DICOM files, real ones where this machine has them. */
async function dicomFiles(): Promise<Buffer[]> {
  const real = resolve(import.meta.dirname, '../../../shared/data/dicom/studies')
  if (!existsSync(real)) return [...sampleStudies()].map(({ bytes }) => bytes)
  const entries = await readdir(real, { recursive: true, withFileTypes: true })
  return Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name))),
  )
}

/** The command in a process of its own, as a shell starts it: with nothing but environment variables. */
function start(args: string[]): { child: ChildProcess; ended: Promise<Said> } {
  const { api, serviceKey, s3: place } = stack.description
  const main = join(import.meta.dirname, '../../functions/cli/conduit.ts')
  const env = {
    ...environment(),
    CONDUIT_URL: api,
    CONDUIT_SERVICE_KEY: serviceKey.key,
    CONDUIT_INCOMING_BUCKET: bucket(),
    AWS_ENDPOINT_URL_S3: proxy.url,
    AWS_REGION: place.region,
    AWS_ACCESS_KEY_ID: place.accessKeyId,
    AWS_SECRET_ACCESS_KEY: place.secretAccessKey,
  }
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk) => (written[name] += chunk))
  return { child, ended: once(child, 'close').then(([code]) => ({ exitCode: code, ...written })) }
}

describe('conduit deliver', () => {
  it('of 500 files, killed in the middle, goes on where it was and ends with all of them verified', async () => {
    const originals = await dicomFiles()
    const digests = new Map<string, string>()
    for (let index = 0; index < 500; index += 1) {
      const name = `${index % 7}/${index}.dcm`
      const content = Buffer.concat([originals[index % originals.length]!, Buffer.from(`copy ${index}`)])
      digests.set(name, md5(content))
      await write(name, content)
    }
    const to = `${scan('MR1')}/`
    const line = ['deliver', folder, '--to', to, '--xsi-type', 'xnat:mrSessionData', '-o', 'json']

    const ofFirst = puts()
    proxy.judge = ({ method }) => (method === 'PUT' && ofFirst().length > 200 ? { kind: 'hang' } : undefined)
    const first = start(line)
    // Eight are under way at a time.
    await expect.poll(() => ofFirst().length, { timeout: 30_000, interval: 50 }).toBe(208)
    first.child.kill('SIGKILL')
    expect(await first.ended).toMatchObject({
      exitCode: null,
      stdout: '',
      stderr: expect.stringMatching(/^sending: \d+ of 500/m),
    })

    const there = await bucketKeys(to)
    expect(there.length).toBe(200)
    proxy.judge = () => undefined
    const ofSecond = puts()
    const { exitCode, stdout, stderr } = await start(line).ended

    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ files: 500, sent: 300, verified: 500, failed: [], pending: [] })
    expect(stderr).toMatch(/^settled: 500 of 500$/m)
    expect(ofSecond().toSorted()).toEqual(
      [...digests.keys()]
        .map((name) => to + name)
        .filter((key) => !there.includes(key))
        .toSorted(),
    )
    expect(await digestsInXnat(scan('MR1'))).toEqual(digests)
  }, 60_000)

  it('sends nothing when all is there, and only what has changed', async () => {
    await write('a.txt', 'one')
    await write('b/c.txt', 'two')
    const to = 'projects/P1/resources/NOTES/files'
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 2, verified: 2 } })

    const later = puts()
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 0, verified: 2 } })
    expect(later()).toEqual([])

    await write('a.txt', 'new')
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 1, sentBytes: 3, verified: 2 } })
    expect(later()).toEqual([`${to}/a.txt`])
    expect(await digestsInXnat(to)).toEqual(
      new Map([
        ['a.txt', md5('new')],
        ['b/c.txt', md5('two')],
      ]),
    )
  })

  it('does not send again what was removed from S3 after its delivery, unless it is told to', async () => {
    await write('a.txt', 'kept')
    await write('b.txt', 'removed')
    const to = 'projects/hub:hub-1/resources/REMOVED/files/'
    await deliver(to)
    const Objects = [{ Key: `${to}b.txt` }]
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket(), Delete: { Objects } }))

    const later = puts()
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 0, verified: 2 } })
    expect(later()).toEqual([])

    expect(await deliver(to, '--again')).toMatchObject({ exitCode: 0, report: { sent: 2, verified: 2 } })
    expect(later().toSorted()).toEqual([`${to}a.txt`, `${to}b.txt`])
  })

  it('goes on with a large file at the parts that are missing', async () => {
    const content = Buffer.concat([randomBytes(32 * 1024 * 1024), randomBytes(32 * 1024 * 1024), randomBytes(1000)])
    await write('large.nii', content)
    const to = 'projects/P1/resources/LARGE/files/'
    const line = ['deliver', folder, '--to', to]
    proxy.judge = ({ path }) => (path.includes('partNumber=2') ? { kind: 'hang' } : undefined)
    const stored = puts()
    const first = start(line)
    const parts = ['part 1', 'part 2', 'part 3'].map((part) => `${to}large.nii ${part}`)
    await expect.poll(() => stored().toSorted(), { timeout: 20_000 }).toEqual(parts)
    await expect.poll(() => proxy.underWay(), { timeout: 20_000 }).toBe(1)
    first.child.kill('SIGKILL')
    await first.ended

    proxy.judge = () => undefined
    const later = puts()
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 1, verified: 1 } })
    expect(later()).toEqual([parts[1]])
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 0, verified: 1 } })
    expect(await digestsInXnat(to.slice(0, -1))).toEqual(new Map([['large.nii', md5(content)]]))
  }, 40_000)

  it('ends with 130 when it is interrupted, and says that it can go on', async () => {
    await write('a.txt', 'interrupted')
    const to = 'projects/P1/resources/INTERRUPTED/files/'
    proxy.judge = ({ method }) => (method === 'PUT' ? { kind: 'hang' } : undefined)
    const interrupt = new AbortController()
    const stored = puts()
    const broken = conduit(['deliver', folder, '--to', to], { signal: interrupt.signal })
    await expect.poll(stored, { timeout: 10_000 }).toHaveLength(1)

    interrupt.abort()

    expect(await broken).toMatchObject({
      exitCode: 130,
      stdout: '',
      stderr: expect.stringContaining('goes on from here'),
    })
    proxy.judge = () => undefined
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { verified: 1 } })
  })

  it('shows somebody who looks on a bar', async () => {
    await write('a.txt', 'bar')

    const { exitCode, stdout, stderr } = await conduit(
      ['deliver', folder, '--to', 'projects/P1/resources/BAR/files/'],
      { typed: '' },
    )

    expect([exitCode, stdout]).toEqual([0, '1 file (3 B), 1 of them sent now (3 B): 1 verified in XNAT.\n'])
    expect(stderr).toContain(`sending   [${'#'.repeat(24)}] 1 of 1, 3 B of 3 B`)
    expect(stderr).toContain(`settled   [${'#'.repeat(24)}] 1 of 1`)
  })

  it('says what failed and why, and a second run with the missing type heals it', async () => {
    await write('1.dcm', 'content')
    const to = `${scan('MR9')}/`

    expect(await deliver(to)).toMatchObject({
      exitCode: 1,
      report: { verified: 0, failed: [{ name: '1.dcm', code: 'EXPERIMENT_NOT_FOUND' }], pending: [] },
    })
    const again = await conduit(['deliver', folder, '--to', to])
    expect(again).toMatchObject({ exitCode: 1 })
    expect(again.stdout).toContain('0 of them sent now')
    expect(again.stdout).toContain('conduit dead-letters redrive deliveries --code EXPERIMENT_NOT_FOUND')

    expect(await deliver(to, '--xsi-type', 'xnat:mrSessionData')).toMatchObject({
      exitCode: 0,
      report: { sent: 1, verified: 1 },
    })
    expect(await deliver(to, '--xsi-type', 'xnat:mrSessionData')).toMatchObject({
      exitCode: 0,
      report: { sent: 0, verified: 1 },
    })
  })

  it('ends when all is sent with --no-follow, and sends nothing with --dry-run', async () => {
    await write('a.txt', 'left')
    const to = 'projects/P1/resources/LEFT/files/'
    const toSend = [{ name: 'a.txt', key: `${to}a.txt`, sizeBytes: 4 }]

    expect(await deliver(to, '--dry-run')).toMatchObject({ exitCode: 0, report: { files: 1, toSend, toSendBytes: 4 } })
    expect(await bucketKeys(to)).toEqual([])
    expect(await conduit(['deliver', folder, '--to', to, '--dry-run'])).toMatchObject({
      stdout: `${to}a.txt\n1 of 1 files would be sent (4 B).\n`,
    })
    expect(await deliver(to, '--no-follow')).toMatchObject({
      exitCode: 0,
      report: { sent: 1, verified: 0, pending: ['a.txt'] },
    })
    expect(await bucketKeys(to)).toEqual([`${to}a.txt`])
  })

  it.each([
    ['another project', 'projects/P9/resources/R/files/', 1, /no project P9/],
    ['a project that the hub does not have', 'projects/hub:h9/resources/R/files/', 1, /no project hub:h9/],
    ['a key that means nothing', 'projects/P1/files/', 2, /neither projects.*\n {2}a\.txt/],
    ['no project', 'resources/R/files/', 2, /--to has to name a project/],
  ])('sends nothing to %s', async (_, to, exitCode, words) => {
    await write('a.txt', 'nowhere')
    const sent = puts()

    expect(await deliver(to)).toMatchObject({ exitCode, report: undefined, stderr: expect.stringMatching(words) })
    expect(sent()).toEqual([])
  })

  it.each([
    ['the bucket is not there', { buckets: { incoming: 'no-such-bucket' } }, 1, /NoSuchBucket/],
    ['the key is not right', { secretAccessKey: 'fake-secret' }, 1, /SignatureDoesNotMatch/],
    ['S3 is not there', { endpoint: 'http://127.0.0.1:9' }, 4, /cannot be reached/],
  ])('says by its exit code that %s', async (_, changes, exitCode, words) => {
    await write('a.txt', 'x')
    const stackFile = join(folder, '../', `${md5(JSON.stringify(changes))}.json`)
    await writeFile(stackFile, JSON.stringify({ ...stack.description, s3: { ...stack.description.s3, ...changes } }))

    const said = await runConduit(['deliver', folder, '--to', 'projects/P1/resources/R/files/'], {
      env: environment(),
      stackFile,
    })

    await rm(stackFile)
    expect(said).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(words) })
    expect(said.stderr).not.toContain('fake-secret')
  })
})

describe('conduit deliver of a DICOM session', () => {
  const session = (experiment: string) => `projects/P1/subjects/S5/experiments/${experiment}/dicom/`

  async function writeStudy(seed: number): Promise<number> {
    const files = [...sampleStudies({ seed })]
    const patient = files[0]!.relativePath.split('/')[0]
    const ofStudy = files.filter(({ relativePath }) => relativePath.startsWith(`${patient}/`))
    for (const { relativePath, bytes } of ofStudy) await write(relativePath, bytes)
    return ofStudy.length
  }

  it('puts its marker last, once, and ends when the session is in the archive', async () => {
    const instances = await writeStudy(3)
    const to = session('CT1')
    const sent = puts()

    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: instances, verified: instances } })
    expect(sent()).toHaveLength(instances + 1)
    expect(sent().at(-1)).toBe(`${to}_SUCCESS`)

    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 0, verified: instances } })
    expect(sent()).toHaveLength(instances + 1)
  })

  it('puts the marker that a run did not come to', async () => {
    const instances = await writeStudy(4)
    const to = session('CT2')
    proxy.judge = ({ method, path }) =>
      method === 'PUT' && path.includes('_SUCCESS') ? { kind: 'answer', status: 403 } : undefined
    expect(await deliver(to)).toMatchObject({
      exitCode: 1,
      report: undefined,
      stderr: expect.stringContaining('S3 refuses'),
    })

    proxy.judge = () => undefined
    const later = puts()
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 0, verified: instances } })
    expect(later()).toEqual([`${to}_SUCCESS`])
  })

  it('is not sent again when S3 holds nothing of it any more', async () => {
    const instances = await writeStudy(5)
    const to = session('CT3')
    await deliver(to)
    const Objects = (await bucketKeys(to)).map((Key) => ({ Key }))
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket(), Delete: { Objects } }))

    const later = puts()
    expect(await deliver(to)).toMatchObject({ exitCode: 0, report: { sent: 0, verified: instances } })
    expect(later()).toEqual([])
  })

  it('fails as a whole, with the code of its receipt', async () => {
    await write('not.dcm', 'no DICOM at all')
    const to = session('CT4')

    expect(await deliver(to)).toMatchObject({
      exitCode: 1,
      report: { failed: [{ name: 'not.dcm', code: expect.stringMatching(/^[A-Z_]+$/) }] },
    })
  })
})
