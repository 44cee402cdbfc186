import { describe, expect } from 'vitest'
import { type Case, stored, test, testFacts } from './facts.ts'
import { scanFiles, session } from './site.ts'

const inbody = { headers: { 'content-type': 'application/octet-stream' }, body: 'abc' }

const facts: Case[] = [
  {
    fact: 'data-api 4.3: file URIs name the numeric id and accession IDs, with project and subject only if the request did',
    steps: [
      { send: `PUT ${scanFiles}/sub/a.dcm?inbody=true`, ...inbody, status: 200 },
      { send: `GET ${scanFiles}`, status: 200, keepCells: { R: 'cat_ID' } },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        rows: [{ URI: '/data/projects/{P1}/subjects/{S1}/experiments/{E1}/scans/1/resources/{R}/files/sub/a.dcm' }],
      },
      {
        send: 'GET /data/experiments/{E1}/scans/1/resources/DICOM/files',
        status: 200,
        rows: [{ URI: '/data/experiments/{E1}/scans/1/resources/{R}/files/sub/a.dcm', cat_ID: '{R}' }],
      },
      { send: 'GET /data/experiments/{E1}/scans/1/resources/{R}/files/sub/a.dcm', status: 200, text: 'abc' },
    ],
  },
  {
    fact: 'data-api 4.3: a missing label lists nothing with 200, a missing id is 404',
    steps: [
      { send: `GET ${session}/resources/NONE/files`, status: 200, rows: [] },
      { send: `GET ${session}/resources/99999999/files`, status: 404 },
      { send: `GET ${session}/resources/NONE/files?format=zip`, status: 404 },
      { send: `GET ${session}/resources/NONE/files/a`, status: 404, text: /Unable to find file\./ },
      { send: `GET ${session}/resources/NONE`, status: 404, text: /Unable to find the specified catalog\./ },
    ],
  },
  {
    fact: 'data-api 4.1: scans are read by list, by type and all together, and written one at a time',
    steps: [
      { send: `PUT ${session}/scans/2?xsiType=xnat:mrScanData&type=T2`, status: 200 },
      { send: `PUT ${session}/scans/1/resources/R/files/one?inbody=true`, ...inbody, status: 200 },
      { send: `PUT ${session}/scans/2/resources/R/files/two?inbody=true`, ...inbody, status: 200 },
      { send: `GET ${session}/scans/ALL/files`, status: 200, rows: [{ Name: 'one' }, { Name: 'two' }] },
      { send: `GET ${session}/scans/1,2/resources/R/files`, status: 200, rows: [{ Name: 'one' }, { Name: 'two' }] },
      { send: `GET ${session}/scans/T2/files`, status: 200, rows: [{ Name: 'two' }] },
      { send: `PUT ${session}/scans/ALL/resources/R/files/x?inbody=true`, ...inbody, status: 404 },
    ],
  },
  {
    fact: 'data-api 4.11: removeFiles=false takes the entry and leaves the file, which then still exists',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200 },
      { send: `DELETE ${scanFiles}/a?removeFiles=false`, status: 200 },
      { send: `GET ${scanFiles}`, status: 200, rows: [] },
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200, text: '{"duplicates":["a"]}' },
    ],
  },
  {
    fact: 'data-api 4.3: files are filtered by content and format, and picked by index',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true&content=RAW&format=DICOM`, ...inbody, status: 200 },
      { send: `PUT ${scanFiles}/b?inbody=true&content=MASK&format=NIFTI`, ...inbody, status: 200 },
      stored(`${scanFiles}/c`, 'C'),
      {
        send: `GET ${scanFiles}?file_content=RAW&file_content=MASK`,
        status: 200,
        rows: [{ Name: 'a' }, { Name: 'b' }],
      },
      { send: `GET ${scanFiles}?file_content=NULL`, status: 200, rows: [{ Name: 'c' }] },
      { send: `GET ${scanFiles}?file_format=NULL`, status: 200, rows: [] },
      { send: `GET ${scanFiles}?file_format=NIFTI&index=0`, status: 200, text: 'abc' },
      { send: `GET ${scanFiles}?file_format=NIFTI&index=1`, status: 404 },
    ],
  },
  {
    fact: 'data-api 4.3: locator puts a path on the server in place of the URI',
    steps: [
      stored(`${scanFiles}/a.dcm`, 'x'),
      {
        send: `GET ${scanFiles}?locator=projectPath`,
        status: 200,
        rows: [{ projectPath: '{P1}/arc001/E1/SCANS/1/DICOM/a.dcm' }],
      },
      {
        send: `GET ${scanFiles}?locator=absolutePath`,
        status: 200,
        text: /"absolutePath":"\/.*\/{P1}\/arc001\/E1\/SCANS\/1\/DICOM\/a\.dcm"/,
      },
    ],
  },
]

describe('files of resources', () => {
  testFacts(facts)

  test('data-api 4.3: a file list has exactly these keys, Columns, and no totalRecords', async ({ site }) => {
    await site.send(`PUT ${scanFiles}/a.dcm?inbody=true&format=DICOM&content=RAW`, inbody)
    expect((await site.send(`GET ${scanFiles}`)).json()).toEqual({
      ResultSet: {
        Columns: [{ key: 'URI', serverRoot: expect.any(String) }],
        Result: [
          {
            Name: 'a.dcm',
            Size: '3',
            URI: expect.stringMatching(/^\/data\/.*\/files\/a\.dcm$/),
            collection: 'DICOM',
            file_tags: '',
            file_format: 'DICOM',
            file_content: 'RAW',
            cat_ID: expect.stringMatching(/^\d+$/),
            digest: '900150983cd24fb0d6963f7d28e17f72',
          },
        ],
        title: 'Files',
      },
    })
  })
})
