import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { expect, it, onTestFinished } from 'vitest'
import { downloadFolder } from '../../lib/xnat/download-folder.ts'
import type { Progress } from '../../lib/xnat/progress.ts'
import { listFiles, putArchive, putFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import { uploadFolder } from '../../lib/xnat/upload-folder.ts'
import { startAnswering, startScriptedXnat } from './scripted-xnat.ts'
import { bytes, clientOf, misbehaveNext, startWithSession } from './stand-in.ts'

const contents: Record<string, string> = {
  '1.dcm': 'one',
  'sub/2.dcm': 'x'.repeat(300_000),
  'sub/deep/empty.txt': '',
  'with space.txt': 'four',
}

const scanRef: ResourceRef = { parent: { level: 'scan', experimentId: 'E', scanId: '1' }, resourceLabel: 'DICOM' }

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xnat-folders-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, 'utf8')])),
  )
}

it.each(['tar', 'zip', 'tgz', 'per-file'] as const)('uploads a folder by %s and downloads it again', async (method) => {
  const { client, scan } = await startWithSession()
  const progress: Progress[] = []
  const onProgress = (step: Progress) => progress.push(step)
  const totalBytes = 300_007
  const folder = await folderWith(contents)
  expect(await uploadFolder(client, scan, folder, { method, onProgress, format: 'DICOM' })).toEqual({
    kind: 'stored',
    files: 4,
    bytes: totalBytes,
  })
  expect(progress.at(-1)).toEqual({ doneBytes: totalBytes, totalBytes })
  const back = join(await temporaryFolder(), 'new')
  const received: Progress[] = []
  expect(await downloadFolder(client, scan, back, { onProgress: (step) => received.push(step) })).toEqual({
    files: 4,
    bytes: totalBytes,
  })
  expect(received.at(-1)).toEqual({ doneBytes: totalBytes, totalBytes })
  expect(await contentsOf(back)).toEqual(contents)
})

it('keeps names that no URL can carry', async () => {
  const { client, scan } = await startWithSession()
  const folder = await folderWith({ 'é#%41;.dcm': 'odd' })
  expect(await uploadFolder(client, scan, folder)).toMatchObject({ kind: 'stored' })
  expect((await listFiles(client, scan)).map(({ path }) => path)).toEqual(['é#%41;.dcm'])
  await expect(uploadFolder(client, scan, folder, { method: 'per-file' })).rejects.toMatchObject({
    code: 'FILE_NAME_NEEDS_ARCHIVE',
  })
})

it.each(['tar', 'zip', 'tgz', 'per-file'] as const)('tells which files were there already, by %s', async (method) => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, 'sub/2.dcm', bytes('older'))
  const folder = await folderWith(contents)
  expect(await uploadFolder(client, scan, folder, { method })).toEqual({ kind: 'duplicates', paths: ['sub/2.dcm'] })
  expect(await uploadFolder(client, scan, folder, { method, overwrite: true })).toMatchObject({ kind: 'stored' })
})

it('does not call stored what XNAT did not keep whole', async () => {
  const { xnat, client, scan } = await startWithSession()
  misbehaveNext(xnat, 'truncate-store', { when: { method: 'PUT', path: /files/ } })
  const outcome = await uploadFolder(client, scan, await folderWith({ 'a.bin': 'x'.repeat(50_000) }), {
    method: 'per-file',
  })
  expect(outcome).toEqual({ kind: 'not-verified', paths: ['a.bin'] })
})

it('counts progress of a repeated try from its start', async () => {
  const { xnat, client, scan } = await startWithSession()
  misbehaveNext(xnat, '500-after-write', { when: { method: 'PUT', path: /files/ } })
  const progress: Progress[] = []
  const options = { overwrite: true, onProgress: (step: Progress) => progress.push(step) }
  expect(await uploadFolder(client, scan, await folderWith(contents), options)).toMatchObject({ kind: 'stored' })
  expect(Math.max(...progress.map(({ doneBytes }) => doneBytes))).toBe(300_007)
})

it('refuses a folder with links, which would send files from elsewhere', async () => {
  const { xnat, client, scan } = await startWithSession()
  const folder = await folderWith({ 'a.txt': 'x' })
  await symlink('/etc/hostname', join(folder, 'link'))
  xnat.requests.clear()
  await expect(uploadFolder(client, scan, folder)).rejects.toMatchObject({ code: 'NOT_A_PLAIN_FILE' })
  expect(xnat.requests.count()).toBe(0)
})

it('uploads nothing from an empty folder', async () => {
  const { client, scan } = await startWithSession()
  expect(await uploadFolder(client, scan, await temporaryFolder())).toEqual({ kind: 'stored', files: 0, bytes: 0 })
})

it.each(['../evil', '/etc/evil', 'a/../../evil', 'C:\\evil', 'a\\..\\evil'])(
  'does not write a file that XNAT lists as %j',
  async (name) => {
    const row = {
      Name: 'evil',
      Size: '1',
      URI: `/data/projects/P/resources/7/files/${name}`,
      collection: 'R',
      cat_ID: '7',
    }
    const list = 'GET /data/projects/P/resources/R/files'
    const xnat = await startAnswering({ [list]: { body: { ResultSet: { Result: [row] } } } })
    const folder = await temporaryFolder()
    const ref = { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' } as const
    const client = clientOf({ url: xnat.url, user: 'u', password: 'p' })
    await expect(downloadFolder(client, ref, folder)).rejects.toMatchObject({ code: 'UNSAFE_FILE_NAME' })
    expect(await readdir(folder)).toEqual([])
  },
)

it('keeps nothing of a file whose bytes are not those listed', async () => {
  const row = { Name: 'a', Size: '3', URI: '/data/projects/P/resources/7/files/a', digest: '00'.repeat(16) }
  const xnat = await startAnswering({
    'GET /data/projects/P/resources/R/files': { body: { ResultSet: { Result: [row] } } },
    'GET /data/projects/P/resources/R/files/a': { body: 'abc' },
  })
  const folder = await temporaryFolder()
  const ref = { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' } as const
  const client = clientOf({ url: xnat.url, user: 'u', password: 'p' })
  await expect(downloadFolder(client, ref, folder)).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
  expect(await readdir(folder)).toEqual([])
})

it('stops the other downloads when one fails, and leaves no half files', async () => {
  const { xnat, client, scan } = await startWithSession()
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await putFile(client, scan, name, bytes(name.repeat(200_000)))
  misbehaveNext(xnat, 'status', { when: { path: /files\/c$/ }, status: 403 })
  const folder = await temporaryFolder()
  await expect(downloadFolder(client, scan, folder, { concurrency: 2 })).rejects.toMatchObject({
    code: 'XNAT_FORBIDDEN',
  })
  // What was on its way when the others were stopped may still arrive.
  await new Promise((resolve) => setTimeout(resolve, 200))
  const requests = xnat.requests.count()
  const left = await contentsOf(folder)
  expect(Object.keys(left).every((name) => name.length === 1 && left[name]?.length === 200_000)).toBe(true)
  expect(Object.keys(left).length).toBeLessThan(5)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(xnat.requests.count()).toBe(requests)
})

it.each(['tar', 'zip', 'tgz', 'per-file'] as const)(
  "breaks off with the disk's own error when a file vanishes, by %s",
  async (method) => {
    const broken = Promise.withResolvers<void>()
    const xnat = await startScriptedXnat((request, response) => {
      if (request.url?.includes('/a.txt')) request.once('end', () => response.end())
      request.once('error', () => broken.resolve()).resume()
    })
    const folder = await folderWith({ 'a.txt': 'x'.repeat(200_000), 'b.txt': 'y' })
    const onProgress = () => void rm(join(folder, 'b.txt'), { force: true })
    const client = clientOf({ url: xnat.url, user: 'u', password: 'p' })
    const upload = uploadFolder(client, scanRef, folder, { method, onProgress, overwrite: true })
    await expect(upload).rejects.toMatchObject({ code: 'ENOENT' })
    if (method !== 'per-file') await broken.promise
  },
)

it('stores a file and an archive of unknown length', async () => {
  const { client, scan } = await startWithSession()
  const archive = pack()
  archive.entry({ name: 'in/side.txt' }, 'inside')
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array))
  const tgz = gzipSync(Buffer.concat(chunks))
  expect(await putFile(client, scan, 'a.txt', { ...bytes('abc'), sizeBytes: undefined })).toEqual({ kind: 'stored' })
  const source = { format: 'tgz', ...bytes(tgz), sizeBytes: undefined } as const
  expect(await putArchive(client, scan, source)).toEqual({ kind: 'stored' })
  expect((await listFiles(client, scan)).map(({ path, sizeBytes }) => [path, sizeBytes]).sort()).toEqual([
    ['a.txt', 3],
    ['in/side.txt', 6],
  ])
})
