import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { sizeOfFiles } from '../support/folder-size.ts'
import { plainHttp } from '../support/plain-http.ts'
import { addArchive, basic, scanFiles, startSite } from './site.ts'

it('frees what it has spooled of a form that breaks off within a file, and can still be stopped', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'broken-form-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const site = await startSite({ dataDir })
  onTestFinished(() => site.stop())
  await addArchive(site)
  const { url, user, password } = site.server
  const http = plainHttp(url)
  onTestFinished(() => http.close())
  const head = '--B\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
  const headers = { 'content-type': 'multipart/form-data; boundary=B', ...basic(user, password) }
  const first = head + 'x'.repeat(3_000_000)
  const open = http.begin(`PUT ${scanFiles}/a.bin`, { headers, sizeBytes: 4_000_000, first })
  const uploads = join(dataDir, 'uploads')
  await vi.waitFor(async () => expect(await sizeOfFiles(uploads)).toBeGreaterThan(0))
  open.cut()
  await vi.waitFor(async () => expect(await readdir(uploads)).toEqual([]))
  expect((await site.send(`GET ${scanFiles}`)).rows()).toEqual([])
})
