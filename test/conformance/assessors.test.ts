import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'
import { session } from './site.ts'

const facts: Case[] = [
  {
    fact: 'data-api 5: an assessor is 201 when new and 200 after, by label or ID',
    steps: [
      {
        send: `PUT ${session}/assessors/A2?xsiType=xnat:qcManualAssessorData`,
        status: 201,
        text: /^\w+_E\d{5,}$/,
        keep: 'A2',
      },
      { send: `PUT ${session}/assessors/A2?date=2024-01-01`, status: 200, text: '{A2}' },
      {
        send: `GET ${session}/assessors`,
        status: 200,
        rows: [{ label: 'A1' }, { label: 'A2', session_ID: '{E1}', 'xnat:imageassessordata/id': '{A2}' }],
      },
      { send: 'GET /data/experiments/{A2}?format=json', status: 200, text: /"imageSession_ID":"{E1}"/ },
      { send: 'GET /data/projects/{P1}/experiments', status: 200, rows: [{ label: 'E1' }] },
    ],
  },
  {
    fact: 'data-api 5: what an assessor PUT is refused for',
    steps: [
      { send: `PUT ${session}/assessors/A2`, status: 417, text: /Need POST Contents/ },
      { send: `PUT ${session}/assessors/A2?xsiType=xnat:mrSessionData`, status: 400 },
      { send: 'PUT /data/experiments/{E1}/assessors/A2?xsiType=xnat:qcManualAssessorData', status: 422 },
      { send: `PUT ${session}X/assessors/A2?xsiType=xnat:qcManualAssessorData`, status: 404 },
      { send: `PUT ${session}/assessors/A2?xsiType=xnat:qcManualAssessorData`, as: 'collaborator', status: 403 },
    ],
  },
  {
    fact: 'data-api 5: an assessor is deleted like an experiment',
    steps: [
      { send: `DELETE ${session}/assessors/A1`, as: 'member', status: 403 },
      { send: `DELETE ${session}/assessors/A1`, as: 'owner', status: 200 },
      { send: `DELETE ${session}/assessors/A1`, as: 'owner', status: 404 },
      { send: `GET ${session}/assessors/A1?format=json`, status: 404 },
    ],
  },
  {
    fact: 'data-api 5: a file is read from below "out" and without it',
    steps: [
      {
        send: `PUT ${session}/assessors/A1/out/resources/R/files/1.dcm?inbody=true`,
        headers: { 'content-type': 'application/octet-stream' },
        body: 'x',
        status: 200,
      },
      { send: `GET ${session}/assessors/A1/out/files/1.dcm`, status: 200, text: 'x' },
      { send: `GET ${session}/assessors/A1/files/1.dcm`, status: 200, text: 'x' },
    ],
  },
]

describe('assessors', () => testFacts(facts))
