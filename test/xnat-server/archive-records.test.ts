import { describe, expect } from 'vitest'
import { type Case, session, test, testFacts } from './site.ts'

const xml = { 'content-type': 'text/xml' }
const ns = 'xmlns:xnat="http://nrg.wustl.edu/xnat"'
const subjects = '/data/projects/P1/subjects'

const facts: Case[] = [
  {
    fact: 'data-api 0.1: a new subject is 201 with its accession ID, an existing one 200 with the same',
    steps: [
      { send: `PUT ${subjects}/S2?gender=female&age=41`, status: 201, text: 'XNAT_S00002' },
      { send: `PUT ${subjects}/S2?age=42`, status: 200, text: 'XNAT_S00002' },
      {
        send: `GET ${subjects}/S2?format=json`,
        status: 200,
        text: /"demographics".*"age":42,?.*"gender":"female"|"gender":"female".*"age":42/,
      },
      { send: 'GET /data/subjects/XNAT_S00002?format=json', status: 200, text: /"label":"S2"/ },
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
    fact: 'data-api 0.1: a wrong typed value is 400',
    steps: [
      { send: `PUT ${subjects}/S1?age=old`, status: 400 },
      { send: `PUT ${session}?date=yesterday`, status: 400 },
    ],
  },
  {
    fact: 'data-api 0.1: a path that does not exist makes a create drop every query field',
    steps: [
      { send: `PUT ${session}X?xsiType=xnat:mrSessionData&date=2024-02-02&xnat:mrSessionData/no_such=1`, status: 201 },
      { send: 'GET /data/experiments?label=E1X&columns=date', status: 200, rows: [{ date: '' }] },
      { send: `PUT ${session}X?date=2024-02-02&xnat:mrSessionData/no_such=1`, status: 200 },
      { send: 'GET /data/experiments?label=E1X&columns=date', status: 200, rows: [{ date: '2024-02-02' }] },
    ],
  },
  {
    fact: 'data-api 2.1: POST to the list is 200 with the URL, a second time 409',
    steps: [
      { send: `POST ${subjects}?label=S2`, status: 200, text: /\/data\/projects\/P1\/subjects\/XNAT_S00002$/ },
      { send: `POST ${subjects}?label=S2`, status: 409, text: /Subject already exists\./ },
    ],
  },
  {
    fact: 'data-api 2.1: subjects of an unknown project are 404, of a readable one without data rights 403',
    steps: [
      { send: 'GET /data/projects/NONE/subjects', status: 404 },
      { send: 'PUT /data/projects/P1/accessibility/protected', status: 200 },
      { send: `GET ${subjects}`, as: 'outsider', status: 403, text: /Unable to read subjects for Project: P1/ },
      {
        send: 'GET /data/projects/P1/experiments',
        as: 'outsider',
        status: 403,
        text: /Unable to read experiments for Project: P1/,
      },
    ],
  },
  {
    fact: 'data-api 2.1: all subjects is 500 for someone without any project',
    steps: [
      { send: 'GET /data/subjects', as: 'outsider', status: 500 },
      {
        send: 'GET /data/subjects',
        as: 'member',
        status: 200,
        rows: [{ ID: 'XNAT_S00001', URI: '/data/subjects/XNAT_S00001' }],
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
    fact: 'data-api 0.1: a new experiment is 201 with its accession ID, an existing one 200',
    steps: [
      { send: `PUT ${subjects}/S1/experiments/CT1?xsiType=xnat:ctSessionData`, status: 201, text: 'XNAT_E00003' },
      { send: `PUT ${subjects}/S1/experiments/CT1?date=2024-03-04`, status: 200, text: 'XNAT_E00003' },
      { send: 'GET /data/projects/P1/experiments/CT1?format=json', status: 200, text: /"date":"2024-03-04"/ },
    ],
  },
  {
    fact: 'data-api 2.4: an experiment creates the subject it names',
    steps: [
      { send: `PUT ${subjects}/NEW/experiments/E2?xsiType=xnat:mrSessionData`, status: 201 },
      { send: `GET ${subjects}/NEW/experiments`, status: 200, rows: [{ label: 'E2', project: 'P1' }] },
    ],
  },
  {
    fact: 'data-api 2.4: naming another subject moves the session there',
    steps: [
      { send: `PUT ${subjects}/S2/experiments/E1`, status: 200, text: 'XNAT_E00001' },
      { send: `GET ${subjects}/S1/experiments`, status: 200, rows: [] },
      { send: `GET ${subjects}/S2/experiments`, status: 200, rows: [{ label: 'E1' }] },
    ],
  },
  {
    fact: 'data-api 2.4: no type is 417, an unknown one 400, an unknown project 404, a bad label 500',
    steps: [
      { send: `PUT ${subjects}/S1/experiments/E2`, status: 417, text: /Need PUT Contents/ },
      { send: `PUT ${subjects}/S1/experiments/E2?xsiType=xnat:noSuchData`, status: 400 },
      { send: 'PUT /data/projects/NONE/subjects/S1/experiments/E2?xsiType=xnat:mrSessionData', status: 404 },
      {
        send: `PUT ${subjects}/S1/experiments/E(2)?xsiType=xnat:mrSessionData`,
        status: 500,
        text: /cannot use special characters/,
      },
    ],
  },
  {
    fact: 'data-api 2.4: renaming a session is 200 and empty, a label in use 409',
    steps: [
      { send: `PUT ${subjects}/S1/experiments/E2?xsiType=xnat:mrSessionData`, status: 201 },
      { send: `PUT ${session}?label=E2`, status: 409 },
      { send: `PUT ${session}?label=E3`, status: 200, text: '' },
      { send: `PUT ${subjects}/S1/experiments/E3?label=E4`, as: 'collaborator', status: 403 },
    ],
  },
  {
    fact: 'data-api 2.4: a document may not change identity',
    steps: [
      {
        send: `PUT ${session}`,
        headers: xml,
        body: `<xnat:MRSession ID="X" ${ns}/>`,
        status: 400,
        text: /ID cannot be modified/,
      },
      {
        send: `PUT ${session}`,
        headers: xml,
        body: `<xnat:MRSession label="X" ${ns}/>`,
        status: 400,
        text: /Label must be modified/,
      },
    ],
  },
  {
    fact: 'data-api 2.3: POST of a session document creates it and its scans, and needs the subject to exist',
    steps: [
      {
        send: `POST ${subjects}/S1/experiments`,
        headers: xml,
        body: `<xnat:MRSession label="E2" ${ns} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><xnat:date>2024-05-06</xnat:date><xnat:scans><xnat:scan ID="7" type="T2" xsi:type="xnat:mrScanData"><xnat:frames>9</xnat:frames></xnat:scan></xnat:scans></xnat:MRSession>`,
        status: 200,
        text: /\/experiments\/XNAT_E00003$/,
      },
      { send: `GET ${subjects}/S1/experiments/E2/scans`, status: 200, rows: [{ ID: '7', type: 'T2' }] },
      { send: `GET ${subjects}/S1/experiments/E2/scans/7?format=json`, status: 200, text: /"frames":9/ },
      {
        send: `POST ${subjects}/NONE/experiments`,
        headers: xml,
        body: `<xnat:MRSession label="E9" ${ns}/>`,
        status: 404,
      },
      {
        send: `POST ${subjects}/S1/experiments`,
        headers: xml,
        body: `<xnat:MRSession label="E2" ${ns}/>`,
        status: 409,
      },
    ],
  },
  {
    fact: 'data-api 2.3: the global list filters by project and type, and shows subjects for a session type',
    steps: [
      {
        send: 'GET /data/experiments?project=P1&xsiType=xnat:mrSessionData',
        status: 200,
        rows: [{ ID: 'XNAT_E00001', subject_ID: 'XNAT_S00001', subject_label: 'S1' }],
      },
      {
        send: 'GET /data/experiments?xsiType=xnat:qcManualAssessorData',
        status: 200,
        rows: [{ ID: 'XNAT_E00002', session_ID: 'XNAT_E00001', session_label: 'E1' }],
      },
      { send: 'GET /data/experiments?date=01/01/2024-12/31/2024', status: 200, rows: [{ ID: 'XNAT_E00001' }] },
      {
        send: 'GET /data/projects/P1/experiments',
        status: 200,
        rows: [{ 'xnat:subjectassessordata/id': 'XNAT_E00001', URI: '/data/experiments/XNAT_E00001' }],
      },
      {
        send: 'GET /data/experiments?columns=label,xnat:mrSessionData/date&label=E1',
        status: 200,
        rows: [{ label: 'E1', 'xnat:mrsessiondata/date': '2024-01-31' }],
      },
    ],
  },
  {
    fact: 'data-api 2.4: DELETE needs an owner, and is 404 for who cannot see',
    steps: [
      { send: 'DELETE /data/experiments/XNAT_E00001', as: 'outsider', status: 404 },
      { send: 'DELETE /data/experiments/XNAT_E00001', as: 'member', status: 403 },
      { send: 'DELETE /data/experiments/XNAT_E00001?removeFiles=true', as: 'owner', status: 200, text: '' },
      { send: 'DELETE /data/experiments/XNAT_E00001', as: 'owner', status: 404 },
    ],
  },
  {
    fact: 'data-api 2.2: sharing shows a subject under its label in the other project, and twice is 409',
    steps: [
      { send: 'PUT /data/projects/P2', status: 200 },
      { send: `PUT ${subjects}/S1/projects/P2?label=other`, status: 200 },
      {
        send: 'GET /data/projects/P2/subjects',
        status: 200,
        rows: [{ label: 'other', ID: 'XNAT_S00001', project: 'P1' }],
      },
      { send: `PUT ${subjects}/S1/projects/P2`, status: 409, text: /Already assigned to project:P2/ },
      { send: `PUT ${subjects}/S1/projects/NONE`, status: 404, text: /Unable to identify project: NONE/ },
      { send: `DELETE ${subjects}/S1/projects/P2`, status: 200 },
      { send: 'GET /data/projects/P2/subjects', status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 2.4: the projects of an experiment are listed below it',
    steps: [
      { send: 'PUT /data/projects/P2', status: 200 },
      { send: `PUT ${session}/projects/P2?label=shared`, status: 200 },
      {
        send: 'GET /data/experiments/XNAT_E00001/projects',
        status: 200,
        rows: [
          { ID: 'P1', label: 'E1' },
          { ID: 'P2', label: 'shared' },
        ],
      },
    ],
  },
  {
    fact: 'data-api 0.1: a scan is 200 and empty whether it is new or not',
    steps: [
      { send: `PUT ${session}/scans/2?xsiType=xnat:mrScanData&type=T2&frames=176`, status: 200, text: '' },
      { send: `PUT ${session}/scans/2?quality=usable`, status: 200, text: '' },
      {
        send: `GET ${session}/scans`,
        status: 200,
        rows: [
          { ID: '1', type: 'T1' },
          { ID: '2', type: 'T2', quality: 'usable', URI: '/data/experiments/XNAT_E00001/scans/2' },
        ],
      },
    ],
  },
  {
    fact: 'data-api 3: what a scan PUT is refused for',
    steps: [
      { send: `PUT ${session}/scans/2`, status: 417, text: /Need PUT Contents/ },
      { send: `PUT ${session}/scans/2?xsiType=xnat:imageScanData`, status: 400, text: /Multiple scan modalities/ },
      { send: `PUT ${session}/scans/2?xsiType=xnat:mrSessionData`, status: 400, text: /Only Scan documents/ },
      { send: `PUT ${session}/scans/1?xsiType=xnat:ctScanData`, status: 409, text: /differs from existing xsiType/ },
      { send: 'PUT /data/experiments/NONE/scans/1?xsiType=xnat:mrScanData', status: 417, text: /valid image session/ },
      { send: `PUT ${session}X/scans/1?xsiType=xnat:mrScanData`, status: 404 },
      { send: `PUT ${session}/scans/2?xsiType=xnat:mrScanData`, as: 'collaborator', status: 403 },
      { send: `PUT ${session}/scans/2?xsiType=xnat:mrScanData&frames=many`, status: 400 },
    ],
  },
  {
    fact: 'data-api 0.8: scans of an unknown session are 500 on the short path and 404 on the long one',
    steps: [
      { send: 'GET /data/experiments/NONE/scans', status: 500 },
      { send: `GET ${session}X/scans`, status: 404 },
      { send: `GET ${session}/scans/9?format=json`, status: 404, text: /Unable to find the specified scan\./ },
    ],
  },
  {
    fact: 'data-api 3: POST numbers a scan that has no ID, and refuses one that exists',
    steps: [
      { send: `POST ${session}/scans?xsiType=xnat:mrScanData`, status: 200, text: /\/scans\/2$/ },
      { send: `POST ${session}/scans?xsiType=xnat:mrScanData&ID=2`, status: 409 },
    ],
  },
  {
    fact: 'data-api 3: deleting a scan is for owners',
    steps: [
      { send: `DELETE ${session}/scans/1`, as: 'member', status: 403 },
      { send: `DELETE ${session}/scans/1`, as: 'owner', status: 200 },
      { send: `DELETE ${session}/scans/1`, as: 'owner', status: 404 },
    ],
  },
  {
    fact: 'data-api 5: an assessor is 201 when new and 200 after, by label or ID',
    steps: [
      { send: `PUT ${session}/assessors/A2?xsiType=xnat:qcManualAssessorData`, status: 201, text: 'XNAT_E00003' },
      { send: `PUT ${session}/assessors/A2?date=2024-01-01`, status: 200, text: 'XNAT_E00003' },
      {
        send: `GET ${session}/assessors`,
        status: 200,
        rows: [{ label: 'A1' }, { label: 'A2', session_ID: 'XNAT_E00001', 'xnat:imageassessordata/id': 'XNAT_E00003' }],
      },
      { send: 'GET /data/experiments/XNAT_E00003?format=json', status: 200, text: /"imageSession_ID":"XNAT_E00001"/ },
      { send: 'GET /data/projects/P1/experiments', status: 200, rows: [{ label: 'E1' }] },
    ],
  },
  {
    fact: 'data-api 5: what an assessor PUT is refused for',
    steps: [
      { send: `PUT ${session}/assessors/A2`, status: 417, text: /Need POST Contents/ },
      { send: `PUT ${session}/assessors/A2?xsiType=xnat:mrSessionData`, status: 400 },
      { send: 'PUT /data/experiments/XNAT_E00001/assessors/A2?xsiType=xnat:qcManualAssessorData', status: 422 },
      { send: `PUT ${session}X/assessors/A2?xsiType=xnat:qcManualAssessorData`, status: 404 },
      { send: `PUT ${session}/assessors/A2?xsiType=xnat:qcManualAssessorData`, as: 'collaborator', status: 403 },
    ],
  },
]

describe('subjects, experiments, scans, assessors', () => {
  testFacts(facts)

  test('data-api 7.4: an item has typed fields, its children and their types', async ({ site }) => {
    await site.send(`PUT ${session}/scans/1?frames=3`)
    await site.send(`PUT ${session}/resources/NOTES`)
    const { items } = (await site.send(`GET ${session}?format=json`)).json() as { items: unknown[] }
    expect(items).toMatchObject([
      {
        meta: { isHistory: false, 'xsi:type': 'xnat:mrSessionData' },
        data_fields: { ID: 'XNAT_E00001', project: 'P1', label: 'E1', subject_ID: 'XNAT_S00001', date: '2024-01-31' },
        children: [
          {
            field: 'scans/scan',
            items: [{ meta: { 'xsi:type': 'xnat:mrScanData' }, data_fields: { ID: '1', type: 'T1', frames: 3 } }],
          },
          { field: 'resources/resource', items: [{ data_fields: { label: 'NOTES', file_count: 0 } }] },
          { field: 'assessors/assessor', items: [{ data_fields: { label: 'A1' } }] },
        ],
      },
    ])
  })

  test('data-api 2.4: a renamed session keeps its files, and its old label is free', async ({ site }) => {
    const headers = { 'content-type': 'application/octet-stream' }
    await site.send(`PUT ${session}/scans/1/resources/R/files/a?inbody=true`, { headers, body: 'old' })
    await site.send(`PUT ${session}?label=E9`)
    await site.send(`PUT ${session}?xsiType=xnat:mrSessionData`)
    await site.send(`PUT ${session}/scans/1?xsiType=xnat:mrScanData`)
    await site.send(`PUT ${session}/scans/1/resources/R/files/a?inbody=true`, { headers, body: 'new' })
    expect((await site.send(`GET ${session}/scans/1/resources/R/files/a`)).text).toBe('new')
    const moved = '/data/projects/P1/subjects/S1/experiments/E9/scans/1/resources/R/files'
    expect((await site.send(`GET ${moved}/a`)).text).toBe('old')
    const [file] = (await site.send(`GET ${moved}?locator=projectPath`)).rows()
    expect(file).toMatchObject({ projectPath: 'P1/arc001/E9/SCANS/1/R/a' })
  })

  test('data-api 2: accession IDs carry the site ID', async ({ site }) => {
    site.server.state.configure({ siteId: 'My-Site' })
    expect((await site.send(`PUT ${subjects}/S2`)).text).toBe('MySite_S00002')
  })
})
