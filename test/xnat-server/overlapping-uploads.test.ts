import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addArchive, basic, type Site, scanFiles, session, startSite } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }
/** Large enough to be written to disk while the rest is still on its way. */
const half = 'x'.repeat(400_000)
let dataDir: string
let site: Site

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'overlap-'))
  site = await startSite({ dataDir })
  await addArchive(site)
  await site.send(`PUT ${session}/scans/1/resources/DICOM`)
})

afterEach(async () => {
  await site.stop()
  await rm(dataDir, { recursive: true, force: true })
})

describe('uploads that overlap', () => {
  it('data-api 4.9: fail with 500 when they are to one resource, leaving a file that only overwrite heals', async () => {
    const slow = await beginUpload(`${scanFiles}/slow.bin?inbody=true`, bytes, [half, half])
    await put('quick.bin', 'quick')
    const answer = await slow.finish()
    expect(answer.status).toBe(500)
    expect(answer.text).toMatch(/<h3>Another thread or process modified .*DICOM_catalog\.xml since I last read it/)
    expect(await listedNames()).toEqual(['quick.bin'])

    const retry = await site.send(`PUT ${scanFiles}/slow.bin?inbody=true`, { headers: bytes, body: half + half })
    expect(retry.text).toBe('{"duplicates":["slow.bin"]}')
    expect(await listedNames()).toEqual(['quick.bin'])

    await put('slow.bin', half + half)
    expect(await listedNames()).toEqual(['quick.bin', 'slow.bin'])
  })

  it('data-api 4.9: make two resources of one label when both are the first to it', async () => {
    const files = `${session}/scans/1/resources/NEW/files`
    const slow = await beginUpload(`${files}/slow.bin?inbody=true`, bytes, [half, half])
    expect((await site.send(`PUT ${files}/quick.bin?inbody=true`, { headers: bytes, body: 'quick' })).status).toBe(200)
    expect((await slow.finish()).status).toBe(500)
    const resources = (await site.send(`GET ${session}/scans/1/resources`)).rows()
    expect(resources.map((row) => row['label'])).toEqual(['DICOM', 'NEW', 'NEW'])
  })

  it('data-api 4.9: are healed by a refresh with append as well', async () => {
    const slow = await beginUpload(`${scanFiles}/slow.bin?inbody=true`, bytes, [half, half])
    await put('quick.bin', 'quick')
    await slow.finish()
    await site.send(
      'POST /data/services/refresh/catalog?options=append&resource=/archive/experiments/XNAT_E00001/scans/1/resources/DICOM',
    )
    expect(await listedNames()).toEqual(['quick.bin', 'slow.bin'])
  })

  it('data-api 4.9: do not disturb each other in different resources', async () => {
    const slow = await beginUpload(`${scanFiles}/slow.bin?inbody=true`, bytes, [half, half])
    const other = await site.send(`PUT ${session}/resources/OTHER/files/a?inbody=true`, { headers: bytes, body: 'x' })
    expect(other.status).toBe(200)
    expect((await slow.finish()).status).toBe(200)
  })

  it('data-api 4.9: have a short window when one is multipart, as its body comes before the catalog is read', async () => {
    const type = { 'content-type': 'multipart/form-data; boundary=b' }
    const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="slow.bin"\r\n\r\n'
    const slow = await beginUpload(scanFiles, type, [`${head}${half}`, 'end\r\n--b--\r\n'])
    await put('quick.bin', 'quick')
    expect((await slow.finish()).status).toBe(200)
    expect(await listedNames()).toEqual(['quick.bin', 'slow.bin'])
  })

  it('data-api 4.5: a broken one leaves its beginning on disk, uncatalogued, and a plain retry meets it', async () => {
    const broken = await beginUpload(`${scanFiles}/a.bin?inbody=true`, bytes, [half, half])
    broken.cut()
    await vi.waitFor(async () => expect(await readdir(join(dataDir, 'uploads'))).toEqual([]))
    expect(await listedNames()).toEqual([])
    const retry = await site.send(`PUT ${scanFiles}/a.bin?inbody=true`, { headers: bytes, body: half + half })
    expect(retry.text).toBe('{"duplicates":["a.bin"]}')
    await put('a.bin', half + half)
    expect((await site.send(`GET ${scanFiles}/a.bin`)).text).toBe(half + half)
  })
})

interface OpenUpload {
  finish(): Promise<{ status: number; text: string }>
  cut(): void
}

/** Sends all but the last piece and waits until the server has begun to write it down: its catalog is read by then. */
async function beginUpload(
  path: string,
  headers: Record<string, string>,
  [first, last]: [string, string],
): Promise<OpenUpload> {
  const { url, user, password } = site.server
  const length = { 'content-length': String(first.length + last.length) }
  const sent = request(`${url}${path}`, { method: 'PUT', headers: { ...headers, ...length, ...basic(user, password) } })
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    sent.once('error', reject)
    sent.once('response', (reply) => {
      text(reply).then((body) => resolve({ status: reply.statusCode ?? 0, text: body }), reject)
    })
  })
  answer.catch(() => undefined)
  sent.write(first)
  await vi.waitFor(async () => expect(await spooledBytes()).toBeGreaterThan(0))
  return {
    finish() {
      sent.end(last)
      return answer
    },
    cut: () => sent.destroy(),
  }
}

async function spooledBytes(): Promise<number> {
  const folder = join(dataDir, 'uploads')
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function put(path: string, content: string): Promise<void> {
  const { status, text } = await site.send(`PUT ${scanFiles}/${path}?inbody=true&overwrite=true`, {
    headers: bytes,
    body: content,
  })
  expect({ status, text }).toEqual({ status: 200, text: '' })
}

async function listedNames(): Promise<(string | undefined)[]> {
  return (await site.send(`GET ${scanFiles}`)).rows().map((row) => row['Name'])
}
