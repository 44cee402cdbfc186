import { gzipSync } from 'node:zlib'
import { describe, expect } from 'vitest'
import { tar, zip } from '../support/archive-bytes.ts'
import { fileContents } from '../support/file-contents.ts'
import { test } from './facts.ts'
import { type Site, scanFiles, session } from './site.ts'

const files = { 'a.dcm': 'one', 'sub/b.dcm': 'two', 'sub/deep/empty': '' }

const archives: { name: string; make: () => Promise<Buffer> }[] = [
  { name: 'x.tar', make: () => tar(files) },
  { name: 'x.xar', make: () => tar(files) },
  { name: 'x.tgz', make: async () => gzipSync(await tar(files)) },
  { name: 'x.tar.gz', make: async () => gzipSync(await tar(files)) },
  { name: 'x.zip', make: () => zip(files) },
  { name: 'x.zar', make: () => zip(files) },
]

describe('extract=true', () => {
  for (const { name, make } of archives) {
    test(`data-api 4.7: unpacks ${name.slice(2)} at the root of the resource, and keeps no archive`, async ({
      site,
    }) => {
      const { status, text } = await upload(site, `dir/${name}`, await make())
      expect({ status, text }).toEqual({ status: 200, text: '' })
      expect(await contents(site)).toEqual(files)
    })
  }

  test('data-api 4.7: a lone .gz is unzipped', async ({ site }) => {
    await upload(site, 'image.nii.gz', gzipSync('voxels'))
    expect(await contents(site)).toEqual({ 'image.nii': 'voxels' })
  })

  test('data-api 4.7: the format is told by the name in lower case, and anything else is stored as it is', async ({
    site,
  }) => {
    await upload(site, 'x.TAR', await tar(files))
    expect(Object.keys(await contents(site))).toEqual(['x.TAR'])
  })

  test('data-api 4.7: existing files are duplicates, the others are stored, and overwrite replaces', async ({
    site,
  }) => {
    await upload(site, 'x.tar', await tar({ 'a.dcm': 'old' }))
    const again = await upload(site, 'x.tar', await tar(files))
    expect(again.text).toBe('{"duplicates":["a.dcm"]}')
    expect(await contents(site)).toEqual({ ...files, 'a.dcm': 'old' })
    await upload(site, 'x.tar', await tar(files), '&overwrite=true')
    expect(await contents(site)).toEqual(files)
  })

  test('data-api 4.7: many files make one catalog write and correct counts', async ({ site }) => {
    await upload(site, 'x.zip', await zip(files))
    expect((await site.send(`GET ${session}/scans/1/resources`)).rows()).toMatchObject([
      { file_count: '3', file_size: '6' },
    ])
  })

  test('data-api 4.7: a multipart archive is unpacked too', async ({ site }) => {
    const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="x.tar"\r\n\r\n'
    const body = Buffer.concat([Buffer.from(head), await tar(files), Buffer.from('\r\n--b--\r\n')])
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    expect((await site.send(`POST ${scanFiles}?extract=true`, { headers, body })).status).toBe(200)
    expect(await contents(site)).toEqual(files)
  })
})

function upload(site: Site, name: string, body: Buffer, more = '') {
  return site.send(`PUT ${scanFiles}/${name}?inbody=true&extract=true${more}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body,
  })
}

const contents = (site: Site) => fileContents(site, scanFiles)
