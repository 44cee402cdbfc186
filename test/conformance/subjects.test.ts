import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'

const xml = { 'content-type': 'text/xml' }
const ns = 'xmlns:xnat="http://nrg.wustl.edu/xnat"'
const subjects = '/data/projects/{P1}/subjects'

const facts: Case[] = [
  {
    fact: 'data-api 2.2: a new subject is 201 with its accession ID, an existing one 200 with the same',
    steps: [
      { send: `PUT ${subjects}/S2?gender=female&age=41`, status: 201, text: /^\w+_S\d{5,}$/, keep: 'S2' },
      { send: `PUT ${subjects}/S2?age=42`, status: 200, text: '{S2}' },
      {
        send: `GET ${subjects}/S2?format=json`,
        status: 200,
        text: /"demographics".*"age":42,?.*"gender":"female"|"gender":"female".*"age":42/,
      },
      { send: 'GET /data/subjects/{S2}?format=json', status: 200, text: /"label":"S2"/ },
    ],
  },
  {
    fact: 'data-api 2.2: renaming a subject is 200 and empty, a label in use 409',
    steps: [
      { send: `PUT ${subjects}/S2`, status: 201 },
      { send: `PUT ${subjects}/S2?label=S3`, status: 200, text: '' },
      { send: `PUT ${subjects}/S3?label=S1`, status: 409, text: /Specified label is already in use\./ },
      { send: `GET ${subjects}?columns=label`, status: 200, rows: [{ label: 'S1' }, { label: 'S3' }] },
    ],
  },
  {
    fact: 'data-api 2.2: a subject of a project that is not there is 422',
    steps: [
      { send: 'PUT /data/projects/NONE/subjects/S1', status: 422, text: /must include the project attribute/ },
      { send: `PUT ${subjects}/S9`, as: 'outsider', status: 422 },
    ],
  },
  {
    fact: 'data-api 2.2: a collaborator may not create a subject, and is told so',
    steps: [
      {
        send: `PUT ${subjects}/S9`,
        as: 'collaborator',
        status: 403,
        text: /insufficient create privileges for subjects in this project/,
      },
    ],
  },
  {
    fact: 'data-api 2.2: XML creates a subject, malformed XML is 422, another ID 400',
    steps: [
      {
        send: `PUT ${subjects}/S2`,
        headers: xml,
        body: `<xnat:Subject label="S2" group="control" ${ns}/>`,
        status: 201,
      },
      { send: `GET ${subjects}?columns=label,group&label=S2`, status: 200, rows: [{ group: 'control' }] },
      { send: `PUT ${subjects}/S2`, headers: xml, body: '<xnat:Subject', status: 422 },
      {
        send: `PUT ${subjects}/S2`,
        headers: xml,
        body: `<xnat:Subject ID="X" ${ns}/>`,
        status: 400,
        text: /ID cannot be modified/,
      },
    ],
  },
  {
    fact: 'data-api 2.2: characters that no ID may have are 417',
    steps: [
      { send: `PUT ${subjects}/S2`, headers: xml, body: `<xnat:Subject ID="a b" label="S2" ${ns}/>`, status: 417 },
    ],
  },
  {
    fact: 'data-api 2.2: a subject is found by label or ID below its project, and by ID alone',
    steps: [
      { send: `GET ${subjects}/S1?format=json`, status: 200, text: /"ID":"{S1}"/ },
      { send: `GET ${subjects}/{S1}?format=json`, status: 200, text: /"label":"S1"/ },
      { send: 'GET /data/subjects/{S1}?format=json', status: 200, text: /"label":"S1"/ },
      { send: 'GET /data/subjects/S1?format=json', status: 404 },
    ],
  },
  {
    fact: 'data-api 2.1: POST to the list is 200 with the URL, a second time 409',
    steps: [
      { send: `POST ${subjects}?label=S2`, status: 200, text: /\/data\/projects\/{P1}\/subjects\/\w+_S\d{5,}$/ },
      { send: `POST ${subjects}?label=S2`, status: 409, text: /Subject already exists\./ },
    ],
  },
  {
    fact: 'data-api 2.1: subjects of an unknown project are 404, of a readable one without data rights 403',
    steps: [
      { send: 'GET /data/projects/NONE/subjects', status: 404 },
      { send: 'PUT /data/projects/{P1}/accessibility/protected', status: 200 },
      { send: `GET ${subjects}`, as: 'outsider', status: 403, text: /Unable to read subjects for Project: {P1}/ },
      {
        send: 'GET /data/projects/{P1}/experiments',
        as: 'outsider',
        status: 403,
        text: /Unable to read experiments for Project: {P1}/,
      },
    ],
  },
  {
    fact: 'data-api 2.1: all subjects is 500 for someone without any project',
    standInOnly: 'counts on an empty site',
    steps: [
      { send: 'GET /data/subjects', as: 'outsider', status: 500 },
      {
        send: 'GET /data/subjects',
        as: 'member',
        status: 200,
        rows: [{ ID: '{S1}', URI: '/data/subjects/{S1}' }],
      },
    ],
  },
  {
    fact: 'data-api 2.1: a list of subjects has these columns',
    steps: [
      {
        send: `GET ${subjects}`,
        status: 200,
        rows: [
          {
            ID: '{S1}',
            project: '{P1}',
            label: 'S1',
            insert_date: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+$/,
            insert_user: '{admin}',
            URI: '/data/subjects/{S1}',
          },
        ],
      },
    ],
  },
  {
    fact: 'data-api 7.2: limit and offset leave totalRecords out',
    steps: [
      { send: `PUT ${subjects}/S2`, status: 201 },
      { send: `PUT ${subjects}/S3`, status: 201 },
      { send: `GET ${subjects}?limit=1&offset=1`, status: 200, rows: [{ label: 'S2' }] },
      { send: `GET ${subjects}?limit=1`, status: 200, text: /^(?!.*totalRecords)/ },
      { send: `GET ${subjects}?limit=*`, status: 200, text: /"totalRecords":"3"/ },
      { send: `GET ${subjects}?limit=x`, status: 500 },
    ],
  },
  {
    fact: 'data-api 2.2: sharing shows a subject under its label in the other project, and twice is 409',
    steps: [
      { send: 'PUT /data/projects/{P2}', status: 200 },
      { send: `PUT ${subjects}/S1/projects/{P2}?label=other`, status: 200 },
      {
        send: 'GET /data/projects/{P2}/subjects',
        status: 200,
        rows: [{ label: 'other', ID: '{S1}', project: '{P1}' }],
      },
      { send: `PUT ${subjects}/S1/projects/{P2}`, status: 409, text: /Already assigned to project:{P2}/ },
      { send: `PUT ${subjects}/S1/projects/NONE`, status: 404, text: /Unable to identify project: NONE/ },
      { send: `DELETE ${subjects}/S1/projects/{P2}`, status: 200 },
      { send: 'GET /data/projects/{P2}/subjects', status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 2.2: a label in use in the other project is 409',
    steps: [
      { send: 'PUT /data/projects/{P2}/subjects/S1?xnat:subjectData/group=x', status: 422 },
      { send: 'PUT /data/projects/{P2}', status: 200 },
      { send: 'PUT /data/projects/{P2}/subjects/S1', status: 201 },
      { send: `PUT ${subjects}/S1/projects/{P2}?label=S1`, status: 409, text: /Label already in use:S1/ },
    ],
  },
  {
    fact: 'data-api 2.2: DELETE is 200, for members 403, and 404 when the subject is gone or not to be seen',
    steps: [
      { send: `DELETE ${subjects}/S1`, as: 'outsider', status: 404 },
      { send: `DELETE ${subjects}/S1`, as: 'member', status: 403 },
      { send: `DELETE ${subjects}/S1?removeFiles=true`, as: 'owner', status: 200, text: '' },
      { send: `GET ${subjects}/S1?format=json`, status: 404 },
      { send: `DELETE ${subjects}/S1`, status: 404 },
    ],
  },
  {
    fact: 'data-api 2: accession IDs carry the site ID, made safe',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/siteId', body: 'My-Site', status: 200 },
      { send: `PUT ${subjects}/S2`, status: 201, text: 'MySite_S00002' },
    ],
  },
]

describe('subjects', () => testFacts(facts))
