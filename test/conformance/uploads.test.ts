import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'
import { scanFiles, session } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }
const resource = `${session}/scans/1/resources/DICOM`

function multipart(parts: readonly { name: string; fileName?: string; content: string }[]) {
  const boundary = 'a-boundary'
  const body = parts.map(({ name, fileName, content }) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"`
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`
  })
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${body.join('')}--${boundary}--\r\n`,
  }
}

const facts: Case[] = [
  {
    fact: 'data-api 4.5: without inbody only some types are taken as a file',
    steps: [
      { send: `PUT ${scanFiles}/a.dcm`, headers: bytes, body: 'x', status: 200 },
      {
        send: `PUT ${scanFiles}/a.csv`,
        headers: { 'content-type': 'text/csv; charset=utf-8' },
        body: 'x',
        status: 200,
      },
      {
        send: `PUT ${scanFiles}/a.json`,
        headers: { 'content-type': 'application/json' },
        body: '{}',
        status: 400,
        text: /inbody=true or use multipart\/form-data/,
      },
      { send: `PUT ${scanFiles}/a.gz`, headers: { 'content-type': 'application/gzip' }, body: 'x', status: 400 },
      { send: `PUT ${scanFiles}/b`, body: 'x', status: 400 },
      { send: `PUT ${scanFiles}/c`, status: 400, text: /found request entity size of 0/ },
      {
        send: `PUT ${scanFiles}/a.json?inbody=true`,
        headers: { 'content-type': 'application/json' },
        body: '{}',
        status: 200,
      },
      { send: `GET ${scanFiles}`, status: 200, rows: [{ Name: 'a.dcm' }, { Name: 'a.csv' }, { Name: 'a.json' }] },
    ],
  },
  {
    fact: 'data-api 4.5: a raw POST without a path is named after its type',
    steps: [
      {
        send: `POST ${scanFiles}?inbody=true`,
        headers: { 'content-type': 'application/dicom' },
        body: 'x',
        status: 200,
      },
      {
        send: `POST ${scanFiles}?inbody=true`,
        headers: { 'content-type': 'application/json' },
        body: 'x',
        status: 200,
      },
      { send: `GET ${scanFiles}`, status: 200, rows: [{ Name: 'upload.dcm' }, { Name: 'upload.unsupported' }] },
    ],
  },
  {
    fact: 'data-api 4.5: every file of a multipart body is stored under its base name, an empty one too, and fields are ignored',
    steps: [
      {
        send: `POST ${scanFiles}`,
        ...multipart([
          { name: 'f1', fileName: 'C:\\data\\one.dcm', content: 'one' },
          { name: 'overwrite', content: 'true' },
          { name: 'f2', fileName: 'dir/empty.dcm', content: '' },
        ]),
        status: 200,
        text: '',
      },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        rows: [
          { Name: 'one.dcm', Size: '3' },
          { Name: 'empty.dcm', Size: '0', digest: 'd41d8cd98f00b204e9800998ecf8427e' },
        ],
      },
      { send: `GET ${scanFiles}/empty.dcm`, status: 200, text: '', replyHeaders: { 'content-length': '0' } },
      {
        send: `POST ${scanFiles}`,
        ...multipart([{ name: 'f', fileName: 'one.dcm', content: 'x' }]),
        status: 200,
        text: '{"duplicates":["one.dcm"]}',
      },
    ],
  },
  {
    fact: "data-api 4.5: a path in the URL overrides a part's file name",
    steps: [
      {
        send: `PUT ${scanFiles}/kept/as.dcm`,
        ...multipart([{ name: 'f', fileName: 'other.dcm', content: 'one' }]),
        status: 200,
      },
      { send: `GET ${scanFiles}/kept/as.dcm`, status: 200, text: 'one' },
    ],
  },
  {
    fact: 'data-api 4.5: what a multipart body is refused for',
    steps: [
      {
        send: `PUT ${scanFiles}/a?inbody=true`,
        ...multipart([{ name: 'f', fileName: 'a', content: 'x' }]),
        status: 400,
      },
      {
        send: `POST ${scanFiles}`,
        ...multipart([
          { name: 'reference', content: '/etc/passwd' },
          { name: 'f', fileName: 'a', content: 'x' },
        ]),
        status: 400,
      },
      { send: `GET ${scanFiles}`, status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 4.5: format and content go to the file and to the resource, and tags are not split at commas',
    steps: [
      { send: `PUT ${resource}?format=OLD&content=OLD&tags=t0`, status: 200 },
      {
        send: `PUT ${scanFiles}/a?inbody=true&format=NIFTI&content=BRAIN&tags=t1,t2&tags=t3`,
        headers: bytes,
        body: 'x',
        status: 200,
      },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        rows: [{ file_format: 'NIFTI', file_content: 'BRAIN', file_tags: 't1,t2,t3' }],
      },
      {
        send: `GET ${session}/scans/1/resources`,
        status: 200,
        rows: [{ format: 'NIFTI', content: 'BRAIN', tags: 't0,t1,t2,t3' }],
      },
    ],
  },
  {
    fact: 'data-api 4.5: query values come back XML-escaped',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true&format=A%26B%3C`, headers: bytes, body: 'x', status: 200 },
      { send: `GET ${scanFiles}`, status: 200, rows: [{ file_format: 'A&amp;B&lt;' }] },
    ],
  },
  {
    fact: 'data-api 4.5: update-stats=false leaves the counts stale, and only "true" and "1" are true',
    steps: [
      { send: `PUT ${resource}`, status: 200 },
      { send: `PUT ${scanFiles}/a?inbody=true&update-stats=false`, headers: bytes, body: 'x', status: 200 },
      { send: `PUT ${scanFiles}/b?inbody=true&update-stats=yes`, headers: bytes, body: 'x', status: 200 },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [{ file_count: '0', file_size: '0' }] },
      {
        send: `GET ${session}/scans/1/resources?file_stats=true`,
        status: 200,
        rows: [{ file_count: '2', file_size: '2' }],
      },
      { send: `PUT ${scanFiles}/c?inbody=true`, headers: bytes, body: 'x', status: 200 },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [{ file_count: '3', file_size: '3' }] },
    ],
  },
  {
    fact: 'data-api 4.6: a path is decoded only when it holds %20 or %2B, and then altogether',
    steps: [
      { send: `PUT ${scanFiles}/a%23b?inbody=true`, headers: bytes, body: 'literal', status: 200 },
      { send: `PUT ${scanFiles}/a%23b%20c+d?inbody=true`, headers: bytes, body: 'decoded', status: 200 },
      { send: `PUT ${scanFiles}/e+f?inbody=true`, headers: bytes, body: 'plus', status: 200 },
      { send: `GET ${scanFiles}`, status: 200, text: /files\/a%23b"[\s\S]*files\/a#b c d"[\s\S]*files\/e\+f"/ },
      { send: `GET ${scanFiles}/a%23b`, status: 200, text: 'literal' },
      { send: `GET ${scanFiles}/a%23b%20c%20d`, status: 200, text: 'decoded' },
      { send: `GET ${scanFiles}/e+f`, status: 200, text: 'plus' },
    ],
  },
  {
    fact: 'data-api 4.5: what the file system objects to is 500',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, headers: bytes, body: 'x', status: 200 },
      { send: `PUT ${scanFiles}/a/b?inbody=true`, headers: bytes, body: 'x', status: 500 },
      { send: `PUT ${scanFiles}/${'n'.repeat(300)}?inbody=true`, headers: bytes, body: 'x', status: 500 },
      { send: `GET ${scanFiles}`, status: 200, rows: [{ Name: 'a' }] },
    ],
  },
  {
    fact: 'data-api 4.5: a catalog file cannot be overwritten',
    steps: [
      { send: `PUT ${resource}`, status: 200 },
      {
        send: `PUT ${scanFiles}/DICOM_catalog.xml?inbody=true&overwrite=true`,
        headers: bytes,
        body: 'x',
        status: 500,
        text: /XNAT cannot catalog DICOM_catalog\.xml/,
      },
    ],
  },
  {
    fact: 'data-api 4.10: with checksums off a new file has no digest, and an overwritten one keeps its stale digest',
    standInOnly: 'changes the site',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, headers: bytes, body: 'one', status: 200 },
      { send: 'POST /xapi/siteConfig/checksums', body: 'false', status: 200 },
      { send: `PUT ${scanFiles}/a?inbody=true&overwrite=true`, headers: bytes, body: 'other', status: 200 },
      { send: `PUT ${scanFiles}/b?inbody=true`, headers: bytes, body: 'one', status: 200 },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        rows: [
          { Name: 'a', digest: 'f97c5d29941bfb1b2fdab0874906ab82' },
          { Name: 'b', digest: '' },
        ],
      },
    ],
  },
]

describe('uploads', () => testFacts(facts))
