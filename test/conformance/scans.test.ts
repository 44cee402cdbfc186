import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'
import { session } from './site.ts'

const facts: Case[] = [
  {
    fact: 'data-api 3: a scan is 200 and empty whether it is new or not',
    steps: [
      { send: `PUT ${session}/scans/2?xsiType=xnat:mrScanData&type=T2&frames=176`, status: 200, text: '' },
      { send: `PUT ${session}/scans/2?quality=usable`, status: 200, text: '' },
      {
        send: `GET ${session}/scans`,
        status: 200,
        rows: [
          { ID: '1', type: 'T1' },
          { ID: '2', type: 'T2', quality: 'usable', URI: '/data/experiments/{E1}/scans/2' },
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
    fact: 'data-api 3: scans of an unknown session are 500 on the short path and 404 on the long one',
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
    fact: 'data-api 3: an unknown project on the way to scans is 500',
    steps: [{ send: 'GET /data/projects/{P2}/subjects/S1/experiments/E1/scans', status: 500 }],
  },
  {
    fact: 'data-api 3: a list of scans has these columns, and totalRecords',
    steps: [
      {
        send: `GET ${session}/scans`,
        status: 200,
        text: /"totalRecords":"1"/,
        rows: [
          {
            xnat_imagescandata_id: /^\d+$/,
            ID: '1',
            type: 'T1',
            quality: '',
            xsiType: 'xnat:mrScanData',
            note: '',
            series_description: '',
            URI: '/data/experiments/{E1}/scans/1',
          },
        ],
      },
    ],
  },
  {
    fact: 'data-api 3: a session without scans lists none, with 200',
    steps: [
      { send: `DELETE ${session}/scans/1`, status: 200 },
      { send: `GET ${session}/scans`, status: 200, rows: [] },
    ],
  },
]

describe('scans', () => testFacts(facts))
