import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'
import { session } from './site.ts'

const xml = { 'content-type': 'text/xml' }
const ns = 'xmlns:xnat="http://nrg.wustl.edu/xnat"'
const subjects = '/data/projects/{P1}/subjects'

const renamed = session.replace(/E1$/, 'E9')
const file = (body: string) => ({ headers: { 'content-type': 'application/octet-stream' }, body })

const facts: Case[] = [
  {
    fact: 'data-api 2.4: a new experiment is 201 with its accession ID, an existing one 200',
    steps: [
      {
        send: `PUT ${subjects}/S1/experiments/CT1?xsiType=xnat:ctSessionData`,
        status: 201,
        text: /^\w+_E\d{5,}$/,
        keep: 'CT1',
      },
      { send: `PUT ${subjects}/S1/experiments/CT1?date=2024-03-04`, status: 200, text: '{CT1}' },
      { send: 'GET /data/projects/{P1}/experiments/CT1?format=json', status: 200, text: /"date":"2024-03-04"/ },
    ],
  },
  {
    fact: 'data-api 2.4: an experiment creates the subject it names',
    steps: [
      { send: `PUT ${subjects}/NEW/experiments/E2?xsiType=xnat:mrSessionData`, status: 201 },
      { send: `GET ${subjects}/NEW/experiments`, status: 200, rows: [{ label: 'E2', project: '{P1}' }] },
    ],
  },
  {
    fact: 'data-api 2.4: naming another subject moves the session there',
    steps: [
      { send: `PUT ${subjects}/S2/experiments/E1`, status: 200, text: '{E1}' },
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
        text: /\/experiments\/\w+_E\d{5,}$/,
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
        send: 'GET /data/experiments?project={P1}&xsiType=xnat:mrSessionData',
        status: 200,
        rows: [{ ID: '{E1}', subject_ID: '{S1}', subject_label: 'S1' }],
      },
      {
        send: 'GET /data/experiments?project={P1}&xsiType=xnat:qcManualAssessorData',
        status: 200,
        rows: [{ ID: '{A1}', session_ID: '{E1}', session_label: 'E1' }],
      },
      { send: 'GET /data/experiments?project={P1}&date=01/01/2024-12/31/2024', status: 200, rows: [{ ID: '{E1}' }] },
      {
        send: 'GET /data/projects/{P1}/experiments',
        status: 200,
        rows: [{ 'xnat:subjectassessordata/id': '{E1}', URI: '/data/experiments/{E1}' }],
      },
      {
        send: 'GET /data/experiments?columns=label,xnat:mrSessionData/date&label=E1&project={P1}',
        status: 200,
        rows: [{ label: 'E1', 'xnat:mrsessiondata/date': '2024-01-31' }],
      },
    ],
  },
  {
    fact: 'data-api 2.4: DELETE needs an owner, and is 404 for who cannot see',
    steps: [
      { send: 'DELETE /data/experiments/{E1}', as: 'outsider', status: 404 },
      { send: 'DELETE /data/experiments/{E1}', as: 'member', status: 403 },
      { send: 'DELETE /data/experiments/{E1}?removeFiles=true', as: 'owner', status: 200, text: '' },
      { send: 'DELETE /data/experiments/{E1}', as: 'owner', status: 404 },
    ],
  },
  {
    fact: 'data-api 2.4: the projects of an experiment are listed below it',
    steps: [
      { send: 'PUT /data/projects/{P2}', status: 200 },
      { send: `PUT ${session}/projects/{P2}?label=shared`, status: 200 },
      {
        send: 'GET /data/experiments/{E1}/projects',
        status: 200,
        rows: [
          { ID: '{P1}', label: 'E1' },
          { ID: '{P2}', label: 'shared' },
        ],
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
      { send: 'GET /data/experiments?label=E1X&project={P1}&columns=date', status: 200, rows: [{ date: '' }] },
      { send: `PUT ${session}X?date=2024-02-02&xnat:mrSessionData/no_such=1`, status: 200 },
      {
        send: 'GET /data/experiments?label=E1X&project={P1}&columns=date',
        status: 200,
        rows: [{ date: '2024-02-02' }],
      },
    ],
  },
  {
    fact: 'data-api 2.4: a renamed session keeps its files, and its old label is free',
    steps: [
      { send: `PUT ${session}/scans/1/resources/R/files/a?inbody=true`, ...file('old'), status: 200 },
      { send: `PUT ${session}?label=E9`, status: 200 },
      { send: `PUT ${session}?xsiType=xnat:mrSessionData`, status: 201 },
      { send: `PUT ${session}/scans/1?xsiType=xnat:mrScanData`, status: 200 },
      { send: `PUT ${session}/scans/1/resources/R/files/a?inbody=true`, ...file('new'), status: 200 },
      { send: `GET ${session}/scans/1/resources/R/files/a`, status: 200, text: 'new' },
      { send: `GET ${renamed}/scans/1/resources/R/files/a`, status: 200, text: 'old' },
      {
        send: `GET ${renamed}/scans/1/resources/R/files?locator=projectPath`,
        status: 200,
        rows: [{ projectPath: '{P1}/arc001/E9/SCANS/1/R/a' }],
      },
    ],
  },
  {
    fact: 'data-api 2.4: a session is found by ID alone, and by ID or label below its project',
    steps: [
      { send: 'GET /data/experiments/{E1}?format=json', status: 200, text: /"label":"E1"/ },
      { send: 'GET /data/experiments/E1?format=json', status: 404 },
      { send: 'GET /data/projects/{P1}/experiments/{E1}?format=json', status: 200, text: /"label":"E1"/ },
      { send: 'GET /data/projects/{P1}/experiments/E1?format=json', status: 200, text: /"ID":"{E1}"/ },
      {
        send: 'GET /data/projects/{P1}/experiments/E2?format=json',
        status: 404,
        text: /Unable to find the specified experiment\./,
      },
    ],
  },
  {
    fact: 'data-api 2.3: an unknown project or subject has no list of experiments',
    steps: [
      { send: 'GET /data/projects/{P2}/experiments', status: 404 },
      { send: 'GET /data/projects/{P1}/subjects/S2/experiments', status: 404 },
    ],
  },
  {
    fact: 'data-api 2.4: an experiment shared away is read-only there, and no longer there once un-shared',
    steps: [
      { send: 'PUT /data/projects/{P2}', status: 200 },
      { send: `PUT ${session}/projects/{P2}`, status: 200 },
      { send: 'GET /data/projects/{P2}/experiments', status: 200, rows: [{ label: 'E1', ID: '{E1}' }] },
      { send: `DELETE ${session}/projects/{P2}`, status: 200 },
      { send: 'GET /data/projects/{P2}/experiments', status: 200, rows: [] },
      { send: `GET ${session}?format=json`, status: 200 },
    ],
  },
]

describe('experiments', () => testFacts(facts))
