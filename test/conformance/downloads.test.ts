import { rm } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { zip, zipEntries } from '../support/archive-bytes.ts'
import { type Case, stored, test, testFacts, testStandInOnly } from './facts.ts'
import { scanFiles, session } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }
const ten = stored(`${scanFiles}/a.dcm`, '0123456789')

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
        stored(`${scanFiles}/${name}`, 'x'),
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
    fact: 'data-api 4.4: a path with a slash at the end lists a folder, and recursive=false only its deeper folders',
    steps: [
      stored(`${scanFiles}/1.dcm`, 'x'),
      stored(`${scanFiles}/sub/2.dcm`, 'x'),
      stored(`${scanFiles}/sub/folder/3.dcm`, 'x'),
      { send: `GET ${scanFiles}/sub/`, status: 200, rows: [{ Name: '2.dcm' }, { Name: '3.dcm' }] },
      { send: `GET ${scanFiles}/sub/?recursive=false`, status: 200, rows: [{ Name: '3.dcm' }] },
    ],
  },
  {
    fact: 'data-api 4.4: a member of a stored zip is read through it, and what is no zip is 415',
    steps: [
      stored(`${scanFiles}/not.zip`, 'no zip'),
      { send: `GET ${scanFiles}/not.zip!/a`, status: 415 },
      { send: `GET ${scanFiles}/not.zip?listContents=true`, status: 415 },
    ],
  },
]

describe('downloads of files', () => {
  testFacts(facts)

  test('data-api 4.4: a single file is wrapped with format=zip unless it is one', async ({ site }) => {
    await site.send(`PUT ${scanFiles}/sub/a.dcm?inbody=true`, { headers: bytes, body: 'dicom' })
    const wrapped = await site.send(`GET ${scanFiles}/sub/a.dcm?format=zip`)
    expect((await zipEntries(wrapped.bytes)).map(({ name }) => name)).toEqual([
      'E1/scans/1-T1/resources/DICOM/files/sub/a.dcm',
    ])
    await site.send(`PUT ${scanFiles}/kept.zip?inbody=true`, { headers: bytes, body: wrapped.bytes })
    expect((await site.send(`GET ${scanFiles}/kept.zip?format=zip`)).bytes).toEqual(wrapped.bytes)
  })

  test('data-api 4.4: members of a stored zip are listed and read', async ({ site }) => {
    await site.send(`PUT ${scanFiles}/kept.zip?inbody=true`, {
      headers: bytes,
      body: await zip({ 'sub/a.dcm': 'dicom' }),
    })
    const list = await site.send(`GET ${scanFiles}/kept.zip?listContents=true`)
    expect(list.rows()).toEqual([{ 'File Name': 'sub/a.dcm', Size: '5' }])
    for (const mark of ['!/', '/']) {
      expect((await site.send(`GET ${scanFiles}/kept.zip${mark}sub/a.dcm`)).text).toBe('dicom')
    }
    expect((await site.send(`GET ${scanFiles}/kept.zip!/none`)).status).toBe(404)
  })

  testStandInOnly(
    'data-api 4.4: a catalogued file that is gone from the disk is 404, and not in an archive [stand-in only: changes its disk]',
    async ({ site }) => {
      await site.send(`PUT ${scanFiles}/a.dcm?inbody=true`, { headers: bytes, body: 'dicom' })
      const [file] = (await site.send(`GET ${scanFiles}?locator=absolutePath`)).rows()
      await rm(file?.['absolutePath'] ?? '')
      const answer = await site.send(`GET ${scanFiles}/a.dcm`)
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 404, text: '' })
      expect((await site.send(`GET ${scanFiles}`)).rows()).toHaveLength(1)
      expect((await site.send(`GET ${scanFiles}?format=zip`)).status).toBe(404)
    },
  )
})
