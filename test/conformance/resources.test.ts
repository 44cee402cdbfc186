import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'
import { scanFiles, session } from './site.ts'

const inbody = { headers: { 'content-type': 'application/octet-stream' }, body: 'abc' }
const levels = [
  '/data/projects/{P1}',
  '/data/projects/{P1}/subjects/S1',
  '/data/subjects/{S1}',
  session,
  '/data/experiments/{E1}',
  '/data/projects/{P1}/experiments/E1',
  `${session}/scans/1`,
  '/data/experiments/{E1}/scans/1',
  `${session}/assessors/A1`,
  '/data/experiments/{E1}/assessors/{A1}/out',
]

const facts: Case[] = [
  {
    fact: 'data-api 4.2: a new resource is 200 and empty, an existing one 409',
    steps: [
      { send: `PUT ${session}/resources/NOTES?format=TEXT&content=note&tags=a,b:c`, status: 200, text: '' },
      { send: `PUT ${session}/resources/NOTES`, status: 409, text: /Specified resource already exists\./ },
      {
        send: `GET ${session}/resources`,
        status: 200,
        rows: [
          {
            xnat_abstractresource_id: /^\d+$/,
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
    fact: 'data-api 4.1: a write to a parent that does not resolve is 404 and says which',
    steps: [
      { send: 'PUT /data/projects/NONE/resources/R', status: 404, text: /Unable to identify project/ },
      { send: 'PUT /data/projects/{P1}/subjects/NONE/resources/R', status: 404, text: /Unable to identify subject/ },
      {
        send: 'PUT /data/projects/{P1}/experiments/NONE/resources/R',
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
          { label: 'R2', category: 'assessors', cat_id: '{A1}' },
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
        text: /<cat:Catalog [\s\S]*<cat:entry (?=[^>]* ?ID="sub\/a\.dcm")(?=[^>]* URI="sub\/a\.dcm")(?=[^>]* name="a\.dcm")(?=[^>]* digest="900150983cd24fb0d6963f7d28e17f72")/,
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
    fact: 'data-api 4.2: deleting a resource that is not there is 200, and members may not delete',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200 },
      { send: `DELETE ${session}/scans/1/resources/DICOM`, as: 'member', status: 403 },
      { send: `DELETE ${session}/scans/1/resources/NONE`, as: 'owner', status: 200 },
      { send: `DELETE ${session}/scans/1/resources/99999999`, as: 'owner', status: 404 },
      { send: `DELETE ${session}/scans/1/resources/DICOM`, as: 'owner', status: 200 },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [] },
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200, text: '' },
    ],
  },
  {
    fact: 'data-api 4.2: POST to the list creates by label and gives the numeric URL',
    steps: [
      { send: `POST ${session}/resources?label=R`, status: 200, text: /\/resources\/\d+$/ },
      { send: `POST ${session}/resources`, status: 417 },
    ],
  },
  {
    fact: 'data-api 4.2: who may not see a project gets 404 for its files, who may only read gets 403 for a resource',
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
    fact: 'auth-users-import 9: refresh with append lists a file that lies in the folder, and counts with populateStats',
    steps: [
      { send: `PUT ${scanFiles}/a?inbody=true`, ...inbody, status: 200 },
      { send: `DELETE ${scanFiles}/a?removeFiles=false`, status: 200 },
      {
        send: 'POST /data/services/refresh/catalog?resource=/archive/projects/{P1}/subjects/S1/experiments/E1/scans/1/resources/DICOM&options=append',
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
        send: 'POST /data/services/refresh/catalog?resource=/archive/experiments/{E1}&populateStats=true',
        status: 200,
      },
      { send: `GET ${session}/scans/1/resources`, status: 200, rows: [{ file_count: '1', file_size: '3' }] },
    ],
  },
  {
    fact: 'auth-users-import 9: refresh of a path that names nothing is 400, without edit rights 403',
    steps: [
      { send: 'POST /data/services/refresh/catalog?resource=/nowhere', status: 400 },
      { send: 'POST /data/services/refresh/catalog?resource=/archive/experiments/NONE', status: 400 },
      { send: `PUT ${session}/resources/R`, status: 200 },
      {
        send: 'POST /data/services/refresh/catalog?resource=/archive/experiments/{E1}',
        as: 'collaborator',
        status: 403,
      },
    ],
  },
]

describe('resources', () => testFacts(facts))
