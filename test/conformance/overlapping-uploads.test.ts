import { describe, expect } from 'vitest'
import type { Answer } from '../support/plain-http.ts'
import { test } from './facts.ts'
import { type Site, scanFiles, session } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }
/** Large enough to be written to disk while the rest is still on its way. */
const half = 'x'.repeat(3_000_000)

describe('uploads that overlap', () => {
  test('data-api 0, surprise 4: fail with 500 when they are to one resource, leaving a file that only overwrite heals', async ({
    site,
  }) => {
    await site.send(`PUT ${session}/scans/1/resources/DICOM`)
    const finish = await beginUpload(site, `${scanFiles}/slow.bin?inbody=true`)
    await put(site, 'quick.bin', 'quick')
    const answer = await finish()
    expect(answer.status).toBe(500)
    expect(answer.text).toMatch(/<h3>Another thread or process modified .*DICOM_catalog\.xml since I last read it/)
    expect(await listedNames(site)).toEqual(['quick.bin'])

    const retry = await site.send(`PUT ${scanFiles}/slow.bin?inbody=true`, { headers: bytes, body: half + half })
    expect(retry.text).toBe('{"duplicates":["slow.bin"]}')
    expect(await listedNames(site)).toEqual(['quick.bin'])

    await put(site, 'slow.bin', half + half)
    expect(await listedNames(site)).toEqual(['quick.bin', 'slow.bin'])
  })

  test('data-api 4.9: make two resources of one label when both are the first to it', async ({ site }) => {
    await site.send(`PUT ${session}/scans/1/resources/DICOM`)
    const files = `${session}/scans/1/resources/NEW/files`
    const finish = await beginUpload(site, `${files}/slow.bin?inbody=true`)
    expect((await site.send(`PUT ${files}/quick.bin?inbody=true`, { headers: bytes, body: 'quick' })).status).toBe(200)
    expect((await finish()).status).toBe(500)
    const resources = (await site.send(`GET ${session}/scans/1/resources`)).rows()
    expect(resources.map((row) => row['label']).sort()).toEqual(['DICOM', 'NEW', 'NEW'])
  })

  test('data-api 4.9: are healed by a refresh with append as well', async ({ site }) => {
    await site.send(`PUT ${session}/scans/1/resources/DICOM`)
    const finish = await beginUpload(site, `${scanFiles}/slow.bin?inbody=true`)
    await put(site, 'quick.bin', 'quick')
    await finish()
    await site.send(
      'POST /data/services/refresh/catalog?options=append&resource=/archive/experiments/{E1}/scans/1/resources/DICOM',
    )
    expect(await listedNames(site)).toEqual(['quick.bin', 'slow.bin'])
  })

  test('data-api 4.9: do not disturb each other in different resources', async ({ site }) => {
    await site.send(`PUT ${session}/scans/1/resources/DICOM`)
    const finish = await beginUpload(site, `${scanFiles}/slow.bin?inbody=true`)
    const other = await site.send(`PUT ${session}/resources/OTHER/files/a?inbody=true`, { headers: bytes, body: 'x' })
    expect(other.status).toBe(200)
    expect((await finish()).status).toBe(200)
  })

  test('data-api 4.9: have a short window when one is multipart, as its body comes before the catalog is read', async ({
    site,
  }) => {
    await site.send(`PUT ${session}/scans/1/resources/DICOM`)
    const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="slow.bin"\r\n\r\n'
    const finish = await beginUpload(site, scanFiles, {
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      first: `${head}${half}`,
      last: 'end\r\n--b--\r\n',
    })
    await put(site, 'quick.bin', 'quick')
    expect((await finish()).status).toBe(200)
    expect(await listedNames(site)).toEqual(['quick.bin', 'slow.bin'])
  })
})

/** Sends a first half and waits until XNAT has read the catalog. */
async function beginUpload(
  site: Site,
  path: string,
  { headers = bytes, first = half, last = half } = {},
): Promise<() => Promise<Answer>> {
  const cookie = await site.accounts.cookie('admin')
  const sizeBytes = first.length + last.length
  const open = site.target.http.begin(`PUT ${site.fill(path)}`, {
    headers: { ...headers, ...cookie },
    sizeBytes,
    first,
  })
  await site.target.uploadBegins()
  return () => open.finish(last)
}

async function put(site: Site, path: string, content: string): Promise<void> {
  const { status, text } = await site.send(`PUT ${scanFiles}/${path}?inbody=true&overwrite=true`, {
    headers: bytes,
    body: content,
  })
  expect({ status, text }).toEqual({ status: 200, text: '' })
}

async function listedNames(site: Site): Promise<(string | undefined)[]> {
  return (await site.send(`GET ${scanFiles}`))
    .rows()
    .map((row) => row['Name'])
    .sort()
}
