import { describe } from 'vitest'
import { type Case, scanFiles, session, testFacts } from './site.ts'

const inbody = { headers: { 'content-type': 'application/octet-stream' }, body: 'abc' }
const levels = [
  '/data/projects/P1',
  '/data/projects/P1/subjects/S1',
  '/data/subjects/XNAT_S00001',
  session,
  '/data/experiments/XNAT_E00001',
  '/data/projects/P1/experiments/E1',
  `${session}/scans/1`,
  '/data/experiments/XNAT_E00001/scans/1',
  `${session}/assessors/A1`,
  '/data/experiments/XNAT_E00001/assessors/XNAT_E00002/out',
]

const facts: Case[] = [
  {
    fact: 'data-api 0.1: a new resource is 200 and empty, an existing one 409',
    steps: [
      { send: `PUT ${session}/resources/NOTES?format=TEXT&content=note&tags=a,b:c`, status: 200, text: '' },
      { send: `PUT ${session}/resources/NOTES`, status: 409, text: /Specified resource already exists\./ },
      {
        send: `GET ${session}/resources`,
        status: 200,
        rows: [
          {
            xnat_abstractresource_id: '1',
            label: 'NOTES',
            element_name: 'xnat:resourceCatalog',
            category: 'resources',
            file_count: '0',
            file_size: '0',
            tags: 'a,b=c',
            content: 'note',
            format: 'TEXT',
          },
        ],
      },
    ],
  },
  {
    fact: 'data-api 4.1: resources and their files work at every level',
    steps: levels.flatMap((level, index) => [
      { send: `PUT ${level}/resources/R${index}/files/a/b.bin?inbody=true`, ...inbody, status: 200, text: '' },
      {
        send: `GET ${level}/resources/R${index}/files`,
        status: 200,
        rows: [{ Name: 'b.bin', Size: '3', collection: `R${index}` }],
      },
      { send: `GET ${level}/resources/R${index}/files/a/b.bin`, status: 200, text: 'abc' },
    ]),
  },
  {
    fact: 'data-api 4.3: file URIs name the numeric id and accession IDs, with project and subject only if the request did',
    steps: [
      { send: `PUT ${scanFiles}/sub/a.dcm?inbody=true`, ...inbody, status: 200 },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        rows: [
          { URI: '/data/projects/P1/subjects/XNAT_S00001/experiments/XNAT_E00001/scans/1/resources/1/files/sub/a.dcm' },
        ],
      },
      {
        send: 'GET /data/experiments/XNAT_E00001/scans/1/resources/DICOM/files',
        status: 200,
        rows: [{ URI: '/data/experiments/XNAT_E00001/scans/1/resources/1/files/sub/a.dcm', cat_ID: '1' }],
      },
      { send: 'GET /data/experiments/XNAT_E00001/scans/1/resources/1/files/sub/a.dcm', status: 200, text: 'abc' },
    ],
  },
  {
    fact: 'data-api 4.3: a file list has exactly these keys, Columns, and no totalRecords',
    steps: [
      { send: `PUT ${scanFiles}/a.dcm?inbody=true&format=DICOM&content=RAW`, ...inbody, status: 200 },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        text: /^\{"ResultSet":\{"Columns":\[\{"key":"URI","serverRoot":""\}\],"Result":\[\{"Name":"a\.dcm","Size":"3","URI":"[^"]+","collection":"DICOM","file_tags":"","file_format":"DICOM","file_content":"RAW","cat_ID":"1","digest":"900150983cd24fb0d6963f7d28e17f72"\}\],"title":"Files"\}\}$/,
      },
    ],
  },
  {
    fact: 'data-api 0.8: a missing label lists nothing with 200, a missing id is 404',
    steps: [
      { send: `GET ${session}/resources/NONE/files`, status: 200, rows: [] },
      { send: `GET ${session}/resources/99/files`, status: 404 },
      { send: `GET ${session}/resources/NONE/files?format=zip`, status: 404 },
      { send: `GET ${session}/resources/NONE/files/a`, status: 404, text: /Unable to find file\./ },
      { send: `GET ${session}/resources/NONE`, status: 404, text: /Unable to find the specified catalog\./ },
    ],
  },
  {
    fact: "data-api 0.8: a scan that is not there is answered with another level's files",
    steps: [
      { send: 'PUT /data/projects/P1/subjects/S1/resources/R/files/a?inbody=true', ...inbody, status: 200 },
      {
        send: `GET ${session}/scans/9/resources/R/files`,
        status: 200,
        rows: [{ Name: 'a', URI: '/data/projects/P1/subjects/XNAT_S00001/resources/1/files/a' }],
      },
      { send: `GET ${session}X/resources/R/files`, status: 200, rows: [{ Name: 'a' }] },
      { send: 'GET /data/experiments/BAD/resources/R/files', status: 500 },
      { send: 'GET /data/experiments/BAD/resources', status: 404 },
    ],
  },
  {
    fact: 'data-api 4.1: a write to a parent that does not resolve is 404 and says which',
    steps: [
      { send: 'PUT /data/projects/NONE/resources/R', status: 404, text: /Unable to identify project/ },
      { send: 'PUT /data/projects/P1/subjects/NONE/resources/R', status: 404, text: /Unable to identify subject/ },
      {
        send: 'PUT /data/projects/P1/experiments/NONE/resources/R',
        status: 404,
        text: /Unable to identify experiment/,
      },
      {
        send: `PUT ${session}/scans/9/resources/R/files/a?inbody=true`,
        ...inbody,
        status: 404,
        text: /Unable to identify scan/,
      },
      { send: 'PUT /data/experiments/NONE/scans/1/resources/R', status: 404, text: /Unable to identify image session/ },
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
    fact: 'data-api 4.2: all=true lists scans and assessors with their category',
    steps: [
      { send: `PUT ${session}/resources/R0`, status: 200 },
      { send: `PUT ${session}/scans/1/resources/R1`, status: 200 },
      { send: `PUT ${session}/assessors/A1/resources/R2`, status: 200 },
      { send: `GET ${session}/resources`, status: 200, rows: [{ label: 'R0' }] },
      {
        send: `GET ${session}/resources?all=true`,
        status: 200,
        rows: [
          { label: 'R0', category: 'resources' },
          { label: 'R1', category: 'scans', cat_id: '1', cat_desc: 'T1', content: 'RAW' },
          { label: 'R2', category: 'assessors', cat_id: 'XNAT_E00002' },
        ],
      },
    ],
  },
  {
    fact: 'data-api 4.2: the catalog is XML, whatever format says',
    steps: [
      { send: `PUT ${scanFiles}/sub/a.dcm?inbody=true`, ...inbody, status: 200 },
      {
        send: `GET ${session}/scans/1/resources/DICOM?format=json`,
        status: 200,
        text: /<cat:Catalog ID="DICOM"[\s\S]*<cat:entry ID="sub\/a\.dcm" URI="sub\/a\.dcm" name="a\.dcm" digest="900150983cd24fb0d6963f7d28e17f72"/,
        replyHeaders: { 'content-type': 'text/xml' },
      },
    ],
  },
  {
    fact: 'data-api 4.2: an assessor resource PUT below "in" is made below "out", a file PUT is not',
    steps: [
      { send: `PUT ${session}/assessors/A1/in/resources/R`, status: 200 },
      { send: `GET ${session}/assessors/A1/out/resources`, status: 200, rows: [{ label: 'R' }] },
      { send: `PUT ${session}/assessors/A1/in/resources/F/files/a?inbody=true`, ...inbody, status: 200 },
      { send: `GET ${session}/assessors/A1/in/resources`, status: 200, rows: [{ label: 'F' }] },
    ],
  },
  {
    fact: 'data-api 4.2: an extra path after the label is 400',
    steps: [{ send: `PUT ${session}/resources/R/extra`, status: 400, text: /works at the catalog level only/ }],
  },
  {
    fact: 'data-api 0.9: deleting a resource that is not there is 200, and members may not delete',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200 },
      { send: `DELETE ${session}/scans/1/resources/DICOM`, as: 'member', status: 403 },
      { send: `DELETE ${session}/scans/1/resources/NONE`, as: 'owner', status: 200 },
      { send: `DELETE ${session}/scans/1/resources/99`, as: 'owner', status: 404 },
      { send: `DELETE ${session}/scans/1/resources/DICOM`, as: 'owner', status: 200 },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [] },
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200, text: '' },
    ],
  },
  {
    fact: 'data-api 4.2: POST to the list creates by label and gives the numeric URL',
    steps: [
      { send: `POST ${session}/resources?label=R`, status: 200, text: /\/resources\/1$/ },
      { send: `POST ${session}/resources`, status: 417 },
    ],
  },
  {
    fact: 'data-api 0.10: who may not see a project gets 404 for its files, who may only read gets 403 for a resource',
    steps: [
      { send: `GET ${scanFiles}`, as: 'outsider', status: 404 },
      { send: `PUT ${session}/resources/R`, as: 'outsider', status: 404 },
      {
        send: `PUT ${session}/resources/R`,
        as: 'collaborator',
        status: 403,
        text: /doesn't have permission to modify this session/,
      },
      { send: `PUT ${session}/resources/R`, as: 'member', status: 200 },
    ],
  },
  {
    fact: 'data-api 0.9: DELETE takes everything that begins with the path',
    steps: [
      ...['a', 'ab.dcm', 'b', 'sub/c'].map((path) => ({
        send: `PUT ${scanFiles}/${path}?inbody=true`,
        ...inbody,
        status: 200,
      })),
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
    fact: 'data-api 4.11: removeFiles=false takes the entry and leaves the file, which then still exists',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200 },
      { send: `DELETE ${scanFiles}/a?removeFiles=false`, status: 200 },
      { send: `GET ${scanFiles}`, status: 200, rows: [] },
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200, text: '{"duplicates":["a"]}' },
    ],
  },
  {
    fact: 'auth 9: refresh with append lists a file that lies in the folder, and counts with populateStats',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200 },
      { send: `DELETE ${scanFiles}/a?removeFiles=false`, status: 200 },
      {
        send: 'POST /data/services/refresh/catalog?resource=/archive/projects/P1/subjects/S1/experiments/E1/scans/1/resources/DICOM&options=append',
        status: 200,
        text: '',
      },
      {
        send: `GET ${scanFiles}`,
        status: 200,
        rows: [{ Name: 'a', Size: '3', digest: '900150983cd24fb0d6963f7d28e17f72' }],
      },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [{ file_count: '0' }] },
      {
        send: 'POST /data/services/refresh/catalog?resource=/archive/experiments/XNAT_E00001&populateStats=true',
        status: 200,
      },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [{ file_count: '1', file_size: '3' }] },
    ],
  },
  {
    fact: 'auth 9: refresh of a path that names nothing is 400, without edit rights 403',
    steps: [
      { send: 'POST /data/services/refresh/catalog?resource=/nowhere', status: 400 },
      { send: 'POST /data/services/refresh/catalog?resource=/archive/experiments/NONE', status: 400 },
      { send: `PUT ${session}/resources/R`, status: 200 },
      {
        send: 'POST /data/services/refresh/catalog?resource=/archive/experiments/XNAT_E00001',
        as: 'collaborator',
        status: 403,
      },
    ],
  },
]

describe('resources and their files', () => testFacts(facts))
