import { rm } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { describe, expect } from 'vitest'
import { fromBufferPromise } from 'yauzl'
import { type Case, type Site, scanFiles, session, test, testFacts } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }
const put = (path: string, body: string) => ({ send: `PUT ${path}?inbody=true`, headers: bytes, body, status: 200 })
const ten = put(`${scanFiles}/a.dcm`, '0123456789')

const facts: Case[] = [
  {
    fact: 'data-api 4.4: a file comes with its length, as an attachment, without ETag',
    steps: [
      ten,
      {
        send: `GET ${scanFiles}/a.dcm`,
        status: 200,
        text: '0123456789',
        replyHeaders: {
          'content-type': 'application/octet-stream',
          'content-length': '10',
          'content-disposition': 'attachment; filename="a.dcm";',
          'cache-control': 'must-revalidate',
          'last-modified': /GMT$/,
          'accept-ranges': 'bytes',
        },
      },
      { send: `HEAD ${scanFiles}/a.dcm`, status: 200, text: '', replyHeaders: { 'content-length': '10' } },
    ],
  },
  {
    fact: 'data-api 4.4: the type goes by the extension, in lower case',
    steps: [
      'a.txt text/plain',
      'a.xml text/xml',
      'a.TXT application/octet-stream',
      'a.json application/octet-stream',
    ].flatMap((line) => {
      const [name = '', type = ''] = line.split(' ')
      return [
        put(`${scanFiles}/${name}`, 'x'),
        { send: `GET ${scanFiles}/${name}`, status: 200, replyHeaders: { 'content-type': type } },
      ]
    }),
  },
  {
    fact: 'data-api 4.4: one range is 206, several are 501',
    steps: [
      ten,
      {
        send: `GET ${scanFiles}/a.dcm`,
        headers: { range: 'bytes=2-4' },
        status: 206,
        text: '234',
        replyHeaders: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
      },
      { send: `GET ${scanFiles}/a.dcm`, headers: { range: 'bytes=7-' }, status: 206, text: '789' },
      { send: `GET ${scanFiles}/a.dcm`, headers: { range: 'bytes=-2' }, status: 206, text: '89' },
      { send: `GET ${scanFiles}/a.dcm`, headers: { range: 'bytes=0-1,4-5' }, status: 501 },
    ],
  },
  {
    fact: 'data-api 4.4: an unchanged file is 304',
    steps: [
      ten,
      {
        send: `GET ${scanFiles}/a.dcm`,
        headers: { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
        status: 304,
        text: '',
      },
      {
        send: `GET ${scanFiles}/a.dcm`,
        headers: { 'if-modified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' },
        status: 200,
      },
    ],
  },
  {
    fact: 'data-api 4.4: a missing file is 404 with an empty body, or 204 when that was said to be fine',
    steps: [
      ten,
      { send: `GET ${scanFiles}/none`, status: 404, text: '' },
      { send: `GET ${scanFiles}/none?accept-not-found=true`, status: 204 },
      { send: `GET ${session}/scans/1/files/none`, status: 404, text: /Unable to find file\./ },
      { send: `GET ${session}/scans/1/files/a.dcm`, status: 200, text: '0123456789' },
    ],
  },
  {
    fact: 'data-api 0.6: Accept octet-stream or zip on files is 406',
    steps: [
      ten,
      { send: `GET ${scanFiles}/a.dcm`, headers: { accept: 'application/octet-stream' }, status: 406 },
      { send: `GET ${scanFiles}?format=zip`, headers: { accept: 'application/zip' }, status: 406 },
      { send: `GET ${scanFiles}`, headers: { accept: 'application/json' }, status: 200 },
    ],
  },
  {
    fact: 'data-api 4.4: a path with a slash at the end lists a folder, and recursive=false only its deeper folders',
    steps: [
      put(`${scanFiles}/1.dcm`, 'x'),
      put(`${scanFiles}/sub/2.dcm`, 'x'),
      put(`${scanFiles}/sub/folder/3.dcm`, 'x'),
      { send: `GET ${scanFiles}/sub/`, status: 200, rows: [{ Name: '2.dcm' }, { Name: '3.dcm' }] },
      { send: `GET ${scanFiles}/sub/?recursive=false`, status: 200, rows: [{ Name: '3.dcm' }] },
    ],
  },
  {
    fact: 'data-api 4.3: files are filtered by content and format, and picked by index',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true&content=RAW&format=DICOM`, headers: bytes, body: 'A', status: 200 },
      { send: `PUT ${scanFiles}/b?inbody=true&content=MASK&format=NIFTI`, headers: bytes, body: 'B', status: 200 },
      put(`${scanFiles}/c`, 'C'),
      {
        send: `GET ${scanFiles}?file_content=RAW&file_content=MASK`,
        status: 200,
        rows: [{ Name: 'a' }, { Name: 'b' }],
      },
      { send: `GET ${scanFiles}?file_content=NULL`, status: 200, rows: [{ Name: 'c' }] },
      { send: `GET ${scanFiles}?file_format=NULL`, status: 200, rows: [] },
      { send: `GET ${scanFiles}?file_format=NIFTI&index=0`, status: 200, text: 'B' },
      { send: `GET ${scanFiles}?file_format=NIFTI&index=1`, status: 404 },
    ],
  },
  {
    fact: 'data-api 4.3: locator puts a path on the server in place of the URI',
    steps: [
      ten,
      {
        send: `GET ${scanFiles}?locator=projectPath`,
        status: 200,
        rows: [{ projectPath: 'P1/arc001/E1/SCANS/1/DICOM/a.dcm' }],
      },
      {
        send: `GET ${scanFiles}?locator=absolutePath`,
        status: 200,
        text: /"absolutePath":"\/.*\/P1\/arc001\/E1\/SCANS\/1\/DICOM\/a\.dcm"/,
      },
    ],
  },
  {
    fact: 'data-api 4.8: an archive has no length, a name, and refuses an open range',
    steps: [
      ten,
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
  {
    fact: 'data-api 4.4: a member of a stored zip is read through it, and what is no zip is 415',
    steps: [
      put(`${scanFiles}/not.zip`, 'no zip'),
      { send: `GET ${scanFiles}/not.zip!/a`, status: 415 },
      { send: `GET ${scanFiles}/not.zip?listContents=true`, status: 415 },
    ],
  },
]

describe('downloads', () => {
  testFacts(facts)

  const layouts: [what: string, names: string[]][] = [
    [`${session}/scans/1/resources/DICOM/files`, ['E1/scans/1-T1/resources/DICOM/files/sub/a.dcm']],
    [`${session}/scans/ALL/files`, ['E1/scans/1-T1/resources/DICOM/files/sub/a.dcm']],
    [`${session}/resources/NOTES/files`, ['E1/resources/NOTES/files/n.txt']],
    ['/data/projects/P1/resources/PR/files', ['P1/resources/PR/files/p.txt']],
    ['/data/projects/P1/subjects/S1/resources/SR/files', ['S1/resources/SR/files/s.txt']],
    [`${session}/assessors/A1/resources/AR/files`, ['A1/out/resources/AR/files/q.txt']],
    [`${scanFiles}?structure=simplified`, ['E1/scans/1/DICOM/sub/a.dcm']],
    [`${scanFiles}?structure=improved`, ['scans/1_T1/DICOM/sub/a.dcm']],
    [
      `${scanFiles}?projectIncludedInPath=true&subjectIncludedInPath=true`,
      ['P1/S1/E1/scans/1-T1/resources/DICOM/files/sub/a.dcm'],
    ],
  ]
  for (const [what, names] of layouts) {
    test(`data-api 4.8: the names in a zip of ${what.replace('/data/projects/P1', '')}`, async ({ site }) => {
      await fill(site)
      const { bytes: body } = await site.send(`GET ${what}${what.includes('?') ? '&' : '?'}format=zip`)
      expect((await zipEntries(body)).map(({ name }) => name)).toEqual(names)
    })
  }

  test('data-api 4.4: a catalogued file that is gone from the disk is 404, and not in an archive', async ({ site }) => {
    await fill(site)
    const [file] = (await site.send(`GET ${scanFiles}?locator=absolutePath`)).rows()
    await rm(file?.['absolutePath'] ?? '')
    const answer = await site.send(`GET ${scanFiles}/sub/a.dcm`)
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 404, text: '' })
    expect((await site.send(`GET ${scanFiles}`)).rows()).toHaveLength(1)
    expect((await site.send(`GET ${scanFiles}?format=zip`)).status).toBe(404)
  })

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

  test('data-api 4.4: a single file is wrapped with format=zip unless it is one', async ({ site }) => {
    await fill(site)
    const wrapped = await site.send(`GET ${scanFiles}/sub/a.dcm?format=zip`)
    expect((await zipEntries(wrapped.bytes)).map(({ name }) => name)).toEqual([
      'E1/scans/1-T1/resources/DICOM/files/sub/a.dcm',
    ])
    await site.send(`PUT ${scanFiles}/kept.zip?inbody=true`, { headers: bytes, body: wrapped.bytes })
    expect((await site.send(`GET ${scanFiles}/kept.zip?format=zip`)).bytes).toEqual(wrapped.bytes)
  })

  test('data-api 4.4: members of a stored zip are listed and read', async ({ site }) => {
    await fill(site)
    const { bytes: body } = await site.send(`GET ${scanFiles}?format=zip&structure=simplified`)
    await site.send(`PUT ${scanFiles}/kept.zip?inbody=true`, { headers: bytes, body })
    const list = await site.send(`GET ${scanFiles}/kept.zip?listContents=true`)
    expect(list.rows()).toEqual([{ 'File Name': 'E1/scans/1/DICOM/sub/a.dcm', Size: '5' }])
    for (const mark of ['!/', '/']) {
      expect((await site.send(`GET ${scanFiles}/kept.zip${mark}E1/scans/1/DICOM/sub/a.dcm`)).text).toBe('dicom')
    }
    expect((await site.send(`GET ${scanFiles}/kept.zip!/none`)).status).toBe(404)
  })
})

async function fill(site: Site): Promise<void> {
  for (const [path, body] of [
    [`${scanFiles}/sub/a.dcm`, 'dicom'],
    [`${session}/resources/NOTES/files/n.txt`, 'note'],
    ['/data/projects/P1/resources/PR/files/p.txt', 'project'],
    ['/data/projects/P1/subjects/S1/resources/SR/files/s.txt', 'subject'],
    [`${session}/assessors/A1/resources/AR/files/q.txt`, 'quality'],
  ] as const) {
    expect((await site.send(`PUT ${path}?inbody=true`, { headers: bytes, body })).status).toBe(200)
  }
}

async function zipEntries(body: Buffer): Promise<{ name: string; method: number }[]> {
  const entries = []
  const zip = await fromBufferPromise(body)
  for await (const entry of zip.eachEntry()) entries.push({ name: entry.fileName, method: entry.compressionMethod })
  return entries
}

async function untar(body: Buffer): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const entries = extract()
  entries.end(body)
  for await (const entry of entries) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Buffer))
    found[entry.header.name] = Buffer.concat(chunks).toString()
  }
  return found
}
