import { gunzipSync } from 'node:zlib'
import { describe, expect } from 'vitest'
import { untar, zipEntries } from '../support/archive-bytes.ts'
import { type Case, stored, test, testFacts } from './facts.ts'
import { type Site, scanFiles, session } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }

const facts: Case[] = [
  {
    fact: 'data-api 4.8: an archive has no length, a name, and refuses an open range',
    steps: [
      stored(`${scanFiles}/a.dcm`, 'x'),
      {
        send: `GET ${scanFiles}?format=zip`,
        status: 200,
        replyHeaders: {
          'content-disposition': 'attachment; filename="E1.zip";',
          'content-type': 'application/zip',
          'transfer-encoding': 'chunked',
        },
      },
      { send: `GET ${scanFiles}?format=zip`, headers: { range: 'bytes=5-' }, status: 500 },
      { send: `GET ${scanFiles}?format=zip&compression=high`, status: 400 },
      { send: `GET ${session}/scans/1/resources/NONE/files?format=tar`, status: 404 },
    ],
  },
]

describe('archives of files', () => {
  testFacts(facts)

  const layouts: [what: string, names: string[]][] = [
    [`${session}/scans/1/resources/DICOM/files`, ['E1/scans/1-T1/resources/DICOM/files/sub/a.dcm']],
    [`${session}/scans/ALL/files`, ['E1/scans/1-T1/resources/DICOM/files/sub/a.dcm']],
    [`${session}/resources/NOTES/files`, ['E1/resources/NOTES/files/n.txt']],
    ['/data/projects/{P1}/resources/PR/files', ['{P1}/resources/PR/files/p.txt']],
    ['/data/projects/{P1}/subjects/S1/resources/SR/files', ['S1/resources/SR/files/s.txt']],
    [`${session}/assessors/A1/resources/AR/files`, ['A1/out/resources/AR/files/q.txt']],
    [`${scanFiles}?structure=simplified`, ['E1/scans/1/DICOM/sub/a.dcm']],
    [`${scanFiles}?structure=improved`, ['scans/1_T1/DICOM/sub/a.dcm']],
    [
      `${scanFiles}?projectIncludedInPath=true&subjectIncludedInPath=true`,
      ['{P1}/S1/E1/scans/1-T1/resources/DICOM/files/sub/a.dcm'],
    ],
  ]
  for (const [what, names] of layouts) {
    test(`data-api 4.8: the names in a zip of ${what.replace('/data/projects/{P1}', '')}`, async ({ site }) => {
      await fill(site)
      const { bytes: body } = await site.send(`GET ${what}${what.includes('?') ? '&' : '?'}format=zip`)
      expect((await zipEntries(body)).map(({ name }) => name)).toEqual(names.map((name) => site.fill(name)))
    })
  }

  test("data-api 4.8: a folder named like the scan gets the scan's type too", async ({ site }) => {
    await site.send(`PUT ${scanFiles}/1/a.dcm?inbody=true`, { headers: bytes, body: 'x' })
    const { bytes: body } = await site.send(`GET ${scanFiles}?format=zip`)
    expect((await zipEntries(body)).map(({ name }) => name)).toEqual(['E1/scans/1-T1/resources/DICOM/files/1-T1/a.dcm'])
  })

  test('data-api 4.8: zip entries are stored, and deflated with compression=8', async ({ site }) => {
    await fill(site)
    const stored = await site.send(`GET ${scanFiles}?format=zip`)
    const deflated = await site.send(`GET ${scanFiles}?format=zip&compression=8`)
    expect((await zipEntries(stored.bytes)).map(({ method }) => method)).toEqual([0])
    expect((await zipEntries(deflated.bytes)).map(({ method }) => method)).toEqual([8])
  })

  test('data-api 4.8: tar and tar.gz hold the same, tar.gz compressed', async ({ site }) => {
    await fill(site)
    const expected = { 'E1/scans/1-T1/resources/DICOM/files/sub/a.dcm': 'dicom' }
    const tar = await site.send(`GET ${scanFiles}?format=tar`)
    expect(tar.headers['content-type']).toBe('application/x-tar')
    expect(await untar(tar.bytes)).toEqual(expected)
    const tgz = await site.send(`GET ${scanFiles}?format=tar.gz`)
    expect(tgz.headers['content-type']).toBe('application/x-gtar')
    expect(await untar(gunzipSync(tgz.bytes))).toEqual(expected)
  })
})

async function fill(site: Site): Promise<void> {
  for (const [path, body] of [
    [`${scanFiles}/sub/a.dcm`, 'dicom'],
    [`${session}/resources/NOTES/files/n.txt`, 'note'],
    ['/data/projects/{P1}/resources/PR/files/p.txt', 'project'],
    ['/data/projects/{P1}/subjects/S1/resources/SR/files/s.txt', 'subject'],
    [`${session}/assessors/A1/resources/AR/files/q.txt`, 'quality'],
  ] as const) {
    expect((await site.send(`PUT ${path}?inbody=true`, { headers: bytes, body })).status).toBe(200)
  }
}
