// How XNAT names the columns of a list and picks its rows: QueryOrganizerResource.java, XMLPathShortcuts.java.
import { describe } from 'vitest'
import { testFacts } from './facts.ts'
import { session } from './site.ts'

const scan = { send: `PUT ${session}/scans/2?xsiType=xnat:ctScanData`, status: 200 }

describe('columns of lists', () => {
  testFacts([
    {
      fact: 'data-api 7.2: a column asked for by its path goes by the shortcut of that path',
      steps: [
        {
          send: 'GET /data/experiments?project={P1}&columns=xnat:experimentData/label,xnat:subjectAssessorData/subject_ID&label=E1',
          status: 200,
          rows: [{ label: 'E1', subject_ID: '{S1}' }],
        },
        {
          send: 'GET /data/experiments?project={P1}&columns=xnat:imageSessionData/dcmAccessionNumber&label=E1',
          status: 200,
          rows: [{ dcmAccessionNumber: '' }],
        },
        { send: 'PUT /data/projects/{P1}/subjects/S1?age=26', status: 200 },
        {
          send: 'GET /data/projects/{P1}/subjects?columns=xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/age',
          status: 200,
          rows: [{ age: '26' }],
        },
      ],
    },
    {
      fact: 'data-api 7.2: a path without a shortcut is a column in small letters',
      steps: [
        {
          send: 'GET /data/experiments?project={P1}&columns=xnat:mrSessionData/date',
          status: 200,
          rows: [{ 'xnat:mrsessiondata/date': '2024-01-31' }],
        },
      ],
    },
    {
      fact: 'data-api 7.2: the label of a subject is not that of its experiments',
      steps: [
        {
          send: 'GET /data/experiments?project={P1}&columns=xnat:subjectData/label&xnat:subjectData/label=S1&xsiType=xnat:mrSessionData',
          status: 200,
          rows: [{ subject_label: 'S1' }],
        },
        { send: 'GET /data/experiments?project={P1}&xnat:subjectData/label=E1', status: 200, rows: [] },
      ],
    },
    {
      fact: 'data-api 7.2: the key of the listed type is there whatever was asked for',
      steps: [
        { send: 'GET /data/projects?columns=alias&ID={P1}', status: 200, rows: [{ ID: '{P1}', alias: '' }] },
        { send: 'GET /data/projects/{P1}/subjects?columns=label', status: 200, rows: [{ ID: '{S1}' }] },
        {
          send: 'GET /data/projects/{P1}/experiments?columns=label',
          status: 200,
          rows: [{ 'xnat:subjectassessordata/id': '{E1}', xsiType: 'xnat:mrSessionData', project: '{P1}' }],
        },
        {
          send: 'GET /data/experiments?project={P1}&columns=label&xsiType=xnat:mrSessionData',
          status: 200,
          rows: [{ 'xnat:mrsessiondata/id': '{E1}' }],
        },
        {
          send: `GET ${session}/scans?columns=type`,
          status: 200,
          rows: [{ xnat_imagescandata_id: /^\d+$/, type: 'T1' }],
        },
      ],
    },
    {
      fact: 'data-api 7.2: a whole number in a floating-point column has a point',
      steps: [
        { send: `PUT ${session}?xnat:mrSessionData/age=42`, status: 200 },
        {
          send: 'GET /data/experiments?project={P1}&columns=xnat:mrSessionData/age&xsiType=xnat:mrSessionData',
          status: 200,
          rows: [{ 'xnat:mrsessiondata/age': '42.0' }],
        },
      ],
    },
  ])
})

describe('rows of lists', () => {
  testFacts([
    {
      fact: 'data-api 7.2: xsiType takes in the types that extend it',
      steps: [
        {
          send: 'GET /data/experiments?project={P1}&xsiType=xnat:imageSessionData',
          status: 200,
          rows: [{ label: 'E1' }],
        },
        {
          send: 'GET /data/experiments?project={P1}&xsiType=xnat:imageAssessorData',
          status: 200,
          rows: [{ label: 'A1' }],
        },
        { send: 'GET /data/experiments?project={P1}&xsiType=xnat:ctSessionData', status: 200, rows: [] },
        scan,
        { send: `GET ${session}/scans?xsiType=xnat:imageScanData`, status: 200, rows: [{ ID: '1' }, { ID: '2' }] },
        { send: `GET ${session}/scans?xsiType=xnat:ctScanData`, status: 200, rows: [{ ID: '2' }] },
      ],
    },
    {
      fact: 'data-api 7.2: several types in xsiType count for nothing',
      steps: [
        {
          send: 'GET /data/experiments?project={P1}&xsiType=xnat:ctSessionData,xnat:petSessionData',
          status: 200,
          rows: [{ label: 'E1' }, { label: 'A1' }],
        },
      ],
    },
    {
      fact: 'data-api 7.2: a column of a narrower type keeps the others out of the list',
      steps: [
        { send: 'GET /data/experiments?project={P1}&columns=ID', status: 200, rows: [{ ID: '{E1}' }, { ID: '{A1}' }] },
        { send: 'GET /data/experiments?project={P1}&columns=subject_ID', status: 200, rows: [{ subject_ID: '{S1}' }] },
        { send: 'GET /data/experiments?project={P1}&columns=xnat:ctSessionData/date', status: 200, rows: [] },
      ],
    },
    {
      fact: 'data-api 7.2: a column of a scan type makes a row per scan of that type, and one for a session without any',
      steps: [
        scan,
        { send: 'PUT /data/projects/{P1}/subjects/S1/experiments/E2?xsiType=xnat:mrSessionData', status: 201 },
        {
          send: 'GET /data/experiments?project={P1}&columns=label,xnat:imageScanData/ID&xsiType=xnat:mrSessionData',
          status: 200,
          rows: [
            { label: 'E1', 'xnat:imagescandata/id': '1' },
            { label: 'E1', 'xnat:imagescandata/id': '2' },
            { label: 'E2', 'xnat:imagescandata/id': '' },
          ],
        },
        {
          send: 'GET /data/experiments?project={P1}&columns=label,xnat:ctScanData/ID&xnat:ctScanData/ID=2',
          status: 200,
          rows: [{ label: 'E1', 'xnat:ctscandata/id': '2' }],
        },
      ],
    },
    {
      fact: 'data-api 2.2: the projects of a subject are listed below it, its own first',
      steps: [
        { send: 'PUT /data/projects/{P2}', status: 200 },
        { send: 'PUT /data/projects/{P1}/subjects/S1/projects/{P2}?label=THERE', status: 200 },
        {
          send: 'GET /data/projects/{P1}/subjects/S1/projects?format=json',
          status: 200,
          rows: [
            { ID: '{P1}', label: 'S1', Secondary_ID: '{P1}', Name: '{P1}' },
            { ID: '{P2}', label: 'THERE', Secondary_ID: '{P2}', Name: '{P2}' },
          ],
        },
      ],
    },
  ])
})
