// Sessions on their way, over a restart, and with real files.
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { sampleStudies } from '../../infra/local/sample-studies.ts'
import { startSite, test } from './site.ts'
import { addProjects, imported, importing, minuteMs, prearchived, scanFiles } from './studies.ts'

it('keeps what waits over a restart: rows, files, and how long they have waited', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'xnat-waiting-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  let nowMs = Date.UTC(2024, 0, 1)
  const now = () => new Date(nowMs)
  const before = await startSite({ dataDir, now })
  await before.send('PUT /data/projects/P1')
  await before.send('PUT /data/projects/MANUAL')
  await before.send('PUT /data/projects/MANUAL/prearchive_code/0')
  await imported(before, 'project=MANUAL&subject=S1&session=E1')
  await imported(before, 'project=MANUAL&subject=S1&session=E2&Direct-Archive=true')
  nowMs += 4 * minuteMs
  await before.stop()
  const after = await startSite({ dataDir, now })
  onTestFinished(() => after.stop())
  expect(await prearchived(after, 'MANUAL')).toMatchObject([{ name: 'E1', status: 'RECEIVING' }])
  nowMs += minuteMs
  const [row] = await prearchived(after, 'MANUAL')
  expect(row).toMatchObject({ status: 'READY' })
  expect((await after.send(`POST /data/services/archive?src=${row?.['url']}`)).status).toBe(200)
  expect(await scanFiles(after, 'MANUAL', 'E1')).toEqual({ 1: 2, 2: 2 })
  expect(await scanFiles(after, 'MANUAL', 'E2')).toEqual({ 1: 2, 2: 2 })
})

test('the sample studies become an MR, a CT and a CR session with all their files', async ({ site }) => {
  await addProjects(site)
  const files = [...sampleStudies()].map(({ relativePath, bytes }) => ({ name: relativePath, bytes }))
  const answer = await importing(site, 'project=MANUAL&action=commit&AA=true', files)
  expect(answer.text.trim().split('\r\n')).toHaveLength(3)
  const sessions = (await site.send('GET /data/projects/MANUAL/experiments?format=json')).rows()
  expect(sessions.map(({ xsiType }) => xsiType).toSorted()).toEqual([
    'xnat:crSessionData',
    'xnat:ctSessionData',
    'xnat:mrSessionData',
  ])
  let count = 0
  for (const { label = '' } of sessions) {
    for (const each of Object.values(await scanFiles(site, 'MANUAL', label))) count += each
  }
  expect(count).toBe(files.length)
})

/** A folder of real DICOM files with `studies/`, of any depth, and `malformed/` in it, beside the project. */
const beside = resolve(import.meta.dirname, '../../../shared/data/dicom')
const samples = existsSync(beside) ? beside : undefined
const reason = `there are no real DICOM files in ${beside}`
if (samples === undefined) process.stderr.write(`real files are not tried: ${reason}\n`)

test('real files become one session per study, none of them lost', async ({ site, skip }) => {
  if (samples === undefined) return skip(reason)
  await addProjects(site)
  const found = await readdir(join(samples, 'studies'), { recursive: true, withFileTypes: true })
  const paths = found.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
  const files = await Promise.all(paths.map(async (path) => ({ name: path.slice(1), bytes: await readFile(path) })))
  const studies = new Set(files.map(({ bytes }) => studyUidOf(bytes)))
  const answer = await importing(site, 'project=MANUAL', files)
  expect(answer.status, answer.text).toBe(200)
  const rows = await prearchived(site, 'MANUAL')
  expect(new Set(rows.map(({ tag }) => tag))).toEqual(studies)
  let count = 0
  for (const { url = '' } of rows) {
    expect((await site.send(`POST /data${url}?action=build`)).status).toBe(200)
    const resources = (await site.send(`GET /data${url}/resources?format=json`)).rows()
    for (const resource of resources) count += Number(resource['file_count'])
  }
  expect(count).toBe(files.length)
})

test('of malformed files, those whose header can be read are taken', async ({ site, skip }) => {
  if (samples === undefined) return skip(reason)
  await addProjects(site)
  const folder = join(samples, 'malformed')
  const outcomes: Record<string, number> = {}
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name))
    outcomes[name] = (await importing(site, 'project=MANUAL', [{ name, bytes }])).status
  }
  // The last begins with a stray byte.
  expect(outcomes).toEqual({ 'MR_truncated.dcm': 200, 'badVR.dcm': 200, 'no_meta.dcm': 400 })
})

/** Explicit or implicit VR: the value begins 8 bytes after its tag. */
function studyUidOf(bytes: Buffer): string {
  const start = bytes.indexOf(Buffer.from([0x20, 0x00, 0x0d, 0x00])) + 8
  return /^[\d.]+/.exec(bytes.toString('latin1', start, start + 64))?.[0] ?? ''
}
