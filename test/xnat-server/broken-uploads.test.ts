import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sizeOfFiles } from '../support/folder-size.ts'
import { plainHttp } from '../support/plain-http.ts'
import { addArchive, basic, type Site, scanFiles, startSite } from './site.ts'

const headers = { 'content-type': 'application/octet-stream' }
/** Large enough to be written to disk while the rest is still on its way. */
// More than the stand-in keeps in memory before it writes.
const half = 'x'.repeat(2 * 1024 ** 2)
let dataDir: string
let site: Site

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'broken-'))
  site = await startSite({ dataDir })
  await addArchive(site)
})

afterEach(async () => {
  await site.stop()
  await rm(dataDir, { recursive: true, force: true })
})

describe('an upload that breaks off', () => {
  it('data-api 4.5: leaves its beginning on disk, uncatalogued, and a plain retry meets it', async () => {
    await breakOff(`PUT ${scanFiles}/a.bin?inbody=true`)
    expect((await site.send(`GET ${scanFiles}`)).rows()).toEqual([])
    const whole = { headers, body: half + half }
    expect((await site.send(`PUT ${scanFiles}/a.bin?inbody=true`, whole)).text).toBe('{"duplicates":["a.bin"]}')
    expect((await site.send(`PUT ${scanFiles}/a.bin?inbody=true&overwrite=true`, whole)).text).toBe('')
    expect((await site.send(`GET ${scanFiles}/a.bin`)).text).toBe(half + half)
  })
})

async function breakOff(what: string): Promise<void> {
  const { url, user, password } = site.server
  const http = plainHttp(url)
  const sizeBytes = 2 * half.length
  const open = http.begin(what, { headers: { ...headers, ...basic(user, password) }, sizeBytes, first: half })
  await vi.waitFor(async () => expect(await sizeOfFiles(join(dataDir, 'uploads'))).toBeGreaterThan(0))
  open.cut()
  await vi.waitFor(async () => expect(await readdir(join(dataDir, 'uploads'))).toEqual([]))
  http.close()
}
