// The ten things that surprise clients, data-api.md section 0. The fourth is in overlapping-uploads.test.ts.
import { describe } from 'vitest'
import { type Case, stored, testFacts } from './facts.ts'
import { scanFiles, session } from './site.ts'

const octets = { 'content-type': 'application/octet-stream' }
const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36'
const items = [
  '/data/projects/{P1}',
  '/data/projects/{P1}/subjects/S1',
  session,
  `${session}/scans/1`,
  `${session}/assessors/A1`,
]

/** What is answered to a record that is new, and to the same once more. */
const createdTwice: [what: string, path: string, isNew: number, again: number][] = [
  ['a project', '/data/projects/{P2}', 200, 200],
  ['a subject', '/data/projects/{P1}/subjects/S2', 201, 200],
  ['an experiment', '/data/projects/{P1}/subjects/S1/experiments/E2?xsiType=xnat:mrSessionData', 201, 200],
  ['a scan', `${session}/scans/2?xsiType=xnat:mrScanData`, 200, 200],
  ['an assessor', `${session}/assessors/A2?xsiType=xnat:qcManualAssessorData`, 201, 200],
  ['a resource', `${session}/resources/R`, 200, 409],
]

const facts: Case[] = [
  ...createdTwice.map(([what, path, isNew, again]): Case => {
    const text = isNew === 201 ? /^\w+_[SE]\d{5,}$/ : ''
    return {
      fact: `data-api 0, surprise 1: ${what} is ${isNew} when it is new and ${again} when it is there`,
      steps: [
        { send: `PUT ${path}`, status: isNew, text, keep: 'FIRST' },
        { send: `PUT ${path}`, status: again, ...(again === 200 ? { text: '{FIRST}' } : {}) },
      ],
    }
  }),
  {
    fact: 'data-api 0, surprise 1: POST to a list is 200 with the new address as plain text',
    steps: [
      {
        send: 'POST /data/projects/{P1}/subjects?label=S2',
        status: 200,
        text: /\/data\/projects\/{P1}\/subjects\/\w+$/,
        replyHeaders: { 'content-type': /^text\/plain/ },
      },
    ],
  },
  {
    fact: 'data-api 0, surprise 2: an upload that hits an existing file is 200 with duplicates, sent as HTML, and changes nothing',
    steps: [
      {
        send: `PUT ${scanFiles}/sub/a.dcm?inbody=true`,
        headers: octets,
        body: 'one',
        status: 200,
        text: '',
        replyHeaders: { 'content-type': 'text/plain' },
      },
      {
        send: `PUT ${scanFiles}/sub/a.dcm?inbody=true`,
        headers: octets,
        body: 'second',
        status: 200,
        text: '{"duplicates":["sub/a.dcm"]}',
        replyHeaders: { 'content-type': 'text/html' },
      },
      { send: `GET ${scanFiles}/sub/a.dcm`, status: 200, text: 'one' },
      {
        send: `PUT ${scanFiles}/sub/a.dcm?inbody=true&overwrite=true`,
        headers: octets,
        body: 'second',
        status: 200,
        text: '',
      },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        rows: [{ Name: 'a.dcm', Size: '6', digest: 'a9f0e61a137d86aa9db53465e0801612' }],
      },
    ],
  },
  {
    fact: 'data-api 0, surprise 3: without the right to edit an upload is 200 and empty, and nothing is stored',
    steps: [
      { send: `PUT ${session}/scans/1/resources/DICOM`, as: 'collaborator', status: 403 },
      { send: `PUT ${session}/scans/1/resources/DICOM`, status: 200 },
      { send: `PUT ${scanFiles}/a?inbody=true`, as: 'collaborator', headers: octets, body: 'x', status: 200, text: '' },
      { send: `GET ${scanFiles}`, status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 0, surprise 5: a raw body of unknown or no length is 500, a zip may be chunked',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, headers: octets, body: 'x', chunked: true, status: 500 },
      { send: `PUT ${scanFiles}/a?inbody=true`, headers: octets, body: '', status: 500 },
      {
        send: `PUT ${scanFiles}/a.zip?inbody=true`,
        headers: { 'content-type': 'application/zip' },
        body: 'x',
        chunked: true,
        status: 200,
      },
    ],
  },
  {
    fact: 'data-api 0, surprise 5: XML sent chunked is ignored',
    steps: [
      {
        send: 'POST /data/projects',
        headers: { 'content-type': 'text/xml' },
        body: '<xnat:Project ID="{P2}" xmlns:xnat="http://nrg.wustl.edu/xnat"/>',
        chunked: true,
        status: 417,
      },
    ],
  },
  {
    fact: 'data-api 0, surprise 6: Accept json alone is 406 on a single item, whatever format says',
    steps: items.flatMap((path) => [
      { send: `GET ${path}?format=json`, headers: { accept: 'application/json' }, status: 406 },
      { send: `GET ${path}?format=json`, headers: { accept: '*/*' }, status: 200, text: /^\{"items":/ },
    ]),
  },
  {
    fact: 'data-api 0, surprise 6: Accept octet-stream or zip on files is 406',
    steps: [
      stored(`${scanFiles}/a.dcm`, 'x'),
      { send: `GET ${scanFiles}/a.dcm`, headers: { accept: 'application/octet-stream' }, status: 406 },
      { send: `GET ${scanFiles}?format=zip`, headers: { accept: 'application/zip' }, status: 406 },
      { send: `GET ${scanFiles}`, headers: { accept: 'application/json' }, status: 200 },
    ],
  },
  {
    fact: "data-api 0, surprise 7: scans and assessors below a project's experiment are no routes: GET is the session, PUT 400",
    steps: ['scans', 'assessors'].flatMap((below) => [
      {
        send: `GET /data/projects/{P1}/experiments/E1/${below}?format=json`,
        status: 200,
        text: /"xsi:type":"xnat:mrSessionData"/,
      },
      { send: `PUT /data/projects/{P1}/experiments/E1/${below}/2?xsiType=xnat:mrScanData`, status: 400 },
    ]),
  },
  {
    fact: 'data-api 0, surprise 7: they are below the accession ID, and below the subject',
    steps: [
      { send: 'GET /data/experiments/{E1}/scans', status: 200, rows: [{ ID: '1' }] },
      { send: `GET ${session}/scans`, status: 200, rows: [{ ID: '1' }] },
    ],
  },
  {
    fact: "data-api 0, surprise 8: a scan or session that is not there is answered with another level's files",
    steps: [
      stored('/data/projects/{P1}/subjects/S1/resources/R/files/a', 'x'),
      {
        send: `GET ${session}/scans/9/resources/R/files`,
        status: 200,
        rows: [{ Name: 'a', URI: /^\/data\/projects\/{P1}\/subjects\/{S1}\/resources\/\d+\/files\/a$/ }],
      },
      { send: `GET ${session}X/resources/R/files`, status: 200, rows: [{ Name: 'a' }] },
    ],
  },
  {
    fact: 'data-api 0, surprise 8: on the short path an unknown session is 500 for scans and files',
    steps: [
      { send: 'GET /data/experiments/BAD/scans', status: 500 },
      { send: 'GET /data/experiments/BAD/resources/R/files', status: 500 },
      { send: 'GET /data/experiments/BAD/resources', status: 404 },
    ],
  },
  {
    fact: 'data-api 0, surprise 8: the files of a resource that is not there are an empty list',
    steps: [{ send: `GET ${session}/resources/NONE/files`, status: 200, rows: [] }],
  },
  {
    fact: 'data-api 0, surprise 9: DELETE takes everything that begins with the path',
    steps: [
      ...['a', 'ab.dcm', 'b', 'sub/c'].map((path) => stored(`${scanFiles}/${path}`, 'abc')),
      { send: `DELETE ${scanFiles}/a`, as: 'member', status: 403 },
      { send: `DELETE ${scanFiles}/a`, as: 'owner', status: 200, text: '' },
      { send: `GET ${scanFiles}`, status: 200, rows: [{ Name: 'b' }, { Name: 'c' }] },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [{ file_count: '2', file_size: '6' }] },
      { send: `DELETE ${scanFiles}/zzz`, status: 404, text: /No matched files/ },
      { send: `DELETE ${scanFiles}/zzz?accept-not-found=true`, status: 204 },
      {
        send: `DELETE ${session}/scans/1/resources/NONE/files/a`,
        status: 400,
        text: /Unable to determine resource, parent, or security\./,
      },
      { send: `DELETE ${scanFiles}/`, status: 200 },
      { send: `GET ${scanFiles}`, status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 0, surprise 9: deleting a resource that is not there is 200',
    steps: [{ send: `DELETE ${session}/resources/NONE`, status: 200 }],
  },
  {
    fact: 'data-api 0, surprise 10: what is private is 404, what is readable but not allowed 403',
    steps: [
      { send: 'GET /data/projects/{P1}?format=json', as: 'outsider', status: 404 },
      { send: `GET ${session}?format=json`, as: 'outsider', status: 404 },
      { send: `GET ${scanFiles}`, as: 'outsider', status: 404 },
      { send: `PUT ${session}/resources/R`, as: 'outsider', status: 404 },
      { send: `PUT ${session}/resources/R`, as: 'collaborator', status: 403 },
    ],
  },
  {
    fact: 'data-api 0, surprise 10: without a login a tool gets 401 with the realm',
    steps: [
      { send: 'GET /xapi/siteConfig/siteId', status: 200, keep: 'SITE' },
      {
        send: 'GET /data/projects',
        as: 'nobody',
        status: 401,
        replyHeaders: { 'www-authenticate': 'Basic realm="{SITE}"' },
      },
    ],
  },
  {
    fact: 'data-api 0, surprise 10: without a login a browser is sent to the login page, which is 200',
    steps: [
      {
        send: 'GET /data/projects',
        as: 'nobody',
        headers: { 'user-agent': chrome },
        status: 302,
        replyHeaders: { location: /\/app\/template\/Login\.vm/ },
      },
      {
        send: 'GET /app/template/Login.vm',
        as: 'nobody',
        status: 200,
        text: /<!-- BEGIN xnat-templates\/screens\/Login.vm -->/,
      },
    ],
  },
  {
    fact: 'data-api 0, surprise 10: a browser that writes without the CSRF token fails with 500',
    steps: [
      { send: 'PUT /data/projects/{P2}', headers: { 'user-agent': chrome }, status: 500 },
      { send: 'PUT /data/projects/{P2}', headers: { 'user-agent': 'a-tool/1' }, status: 200 },
    ],
  },
  {
    fact: 'data-api 0, runner-up: every value of a list is a text, totalRecords too',
    steps: [{ send: `GET ${session}/scans`, status: 200, text: /^(?!.*:(\d|true|false|null)).*"totalRecords":"1"/ }],
  },
  {
    fact: 'data-api 0, runner-up: format and content of an upload are put on the resource, too',
    steps: [
      { send: `PUT ${session}/resources/R?format=OLD&content=OLD`, status: 200 },
      {
        ...stored(`${session}/resources/R/files/a`, 'x'),
        send: `PUT ${session}/resources/R/files/a?inbody=true&format=NEW`,
      },
      { send: `GET ${session}/resources`, status: 200, rows: [{ label: 'R', format: 'NEW' }] },
    ],
  },
]

describe('data-api 0: ten things that surprise clients', () => testFacts(facts))
