import { describe, expect } from 'vitest'
import { test, testFacts } from './facts.ts'
import { session } from './site.ts'

describe('items', () => {
  test('data-api 7.4: an item has typed fields, its children and their types', async ({ site }) => {
    await site.send(`PUT ${session}/scans/1?frames=3`)
    await site.send(`PUT ${session}/resources/NOTES`)
    const { items } = (await site.send(`GET ${session}?format=json`)).json() as { items: unknown[] }
    expect(items).toMatchObject([
      {
        meta: { isHistory: false, 'xsi:type': 'xnat:mrSessionData' },
        data_fields: {
          ID: site.name('E1'),
          project: site.name('P1'),
          label: 'E1',
          subject_ID: site.name('S1'),
          date: '2024-01-31',
        },
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

  test('data-api 7.4: what has no value is absent, and what has no children has no entry', async ({ site }) => {
    const { items } = (await site.send(`GET ${session}/scans/1?format=json`)).json() as {
      items: { data_fields: object; children: unknown[] }[]
    }
    expect(items[0]?.data_fields).not.toHaveProperty('quality')
    expect(items[0]?.children).toEqual([])
  })

  testFacts([
    {
      fact: 'data-api 7.4: numbers are numbers, and dates are texts',
      steps: [
        { send: 'PUT /data/projects/{P1}/subjects/S1?yob=1970&dob=1970-01-02', status: 200 },
        {
          send: 'GET /data/projects/{P1}/subjects/S1?format=json',
          status: 200,
          text: /"yob":1970.*"dob":"1970-01-02"|"dob":"1970-01-02".*"yob":1970/,
        },
      ],
    },
    {
      fact: 'data-api 7.4: a shared record names the other project among its children',
      steps: [
        { send: 'PUT /data/projects/{P2}', status: 200 },
        { send: `PUT ${session}/projects/{P2}?label=SHARED`, status: 200 },
        { send: `GET ${session}?format=json`, status: 200, text: /"field":"sharing\/share"[\s\S]*"label":"SHARED"/ },
      ],
    },
  ])
})
