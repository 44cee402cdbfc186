// /imaging: the PACS and what it has (1.5).
import { expect } from 'vitest'
import { inPacs, pingOfOne, type Row } from './contract.ts'

const ping = { pacsId: 1, successful: true, enabled: true, disabled: 0 }
const times = { pingTime: expect.any(Number), created: expect.any(Number), timestamp: expect.any(Number) }
const noPacs = { 'GET /xapi/pacs': { status: 200, body: '[]' } }

const pings: readonly Row[] = [
  {
    name: 'the PACS that XNAT queries',
    request: 'GET /imaging/ping_pacs',
    status: 200,
    answer: { ...ping, ...times, id: expect.any(Number) },
  },
  { name: 'by its number', request: 'GET /imaging/ping_pacs/1', status: 200, answer: { ...ping, ...times } },
  {
    name: 'while it is down',
    request: 'GET /imaging/ping_pacs',
    given: { standIn: { pacsDown: true } },
    status: 200,
    answer: { successful: false },
  },
  {
    name: 'unknown',
    request: 'GET /imaging/ping_pacs/4711',
    status: 404,
    detail: "404: PACS with ID '4711' not found.",
  },
  {
    name: 'the one that is set, where XNAT knows none',
    request: 'GET /imaging/ping_pacs',
    given: { xnat: noPacs },
    status: 404,
    detail: "404: PACS with ID '7' not found.",
  },
  {
    name: 'by a word',
    request: 'GET /imaging/ping_pacs/first',
    status: 422,
    detail: [
      {
        type: 'int_parsing',
        loc: ['path', 'pacs_id'],
        msg: 'Input should be a valid integer, unable to parse string as an integer',
      },
    ],
    differs: 'input',
  },
  {
    name: 'where XNAT does not let the account',
    request: 'GET /imaging/ping_pacs',
    given: { xnat: { [pingOfOne]: { status: 403 } } },
    status: 502,
    detail: 'XNAT does not allow the service account to do this.',
    differs: 'exceptions',
  },
]

/** The functions of these have no PACS set. */
export const withoutPacsSet: readonly Row[] = [
  {
    name: 'where XNAT knows none, and none is set',
    request: 'GET /imaging/ping_pacs',
    given: { xnat: noPacs },
    status: 404,
    detail: '404: XNAT knows no PACS.',
    differs: 'fallbackPacs',
  },
]

const query = 'GET /imaging/query_by_accession_number?accession_number='
const dqrQuery = 'POST /xapi/dqr/query/studies'

const failedQuery = { status: 500, detail: 'Failed to query PACS via DQR' }

const queries: readonly Row[] = [
  {
    name: 'a study',
    request: `${query}Q1`,
    given: { before: [inPacs('2.25.101', 'Q1')] },
    status: 200,
    answer: [
      {
        studyInstanceUid: '2.25.101',
        studyDescription: expect.any(String),
        accessionNumber: 'Q1',
        studyDate: expect.any(String),
        modalitiesInStudy: expect.any(Array),
        referringPhysicianName: expect.any(String),
        patient: { id: expect.any(String), name: expect.any(String), sex: expect.any(String) },
      },
    ],
  },
  { name: 'no study', request: `${query}Q9`, status: 200, answer: [] },
  {
    name: 'no accession number',
    request: 'GET /imaging/query_by_accession_number',
    status: 422,
    detail: [{ type: 'missing', loc: ['query', 'accession_number'], msg: 'Field required' }],
    differs: 'input',
  },
  {
    name: 'a wildcard',
    request: `${query}Q*`,
    status: 422,
    detail: [{ type: 'value_error', loc: ['query', 'accession_number'], msg: expect.any(String) }],
    differs: 'wildcards',
  },
  { name: 'while the PACS is down', request: `${query}Q1`, given: { standIn: { pacsDown: true } }, ...failedQuery },
  {
    name: 'of a PACS that may not be queried',
    request: `${query}Q1`,
    given: { xnat: { [dqrQuery]: { status: 409 } } },
    ...failedQuery,
  },
  {
    name: 'of a PACS that fails over DICOMweb',
    request: `${query}Q1`,
    given: { xnat: { [dqrQuery]: { status: 500 } } },
    ...failedQuery,
  },
  ...[401, 403].map((status) => ({
    name: `that XNAT answers with ${status}`,
    request: `${query}Q1`,
    given: { xnat: { [dqrQuery]: { status } } },
    status: 500,
    detail: 'Unauthorized to query PACS via DQR',
  })),
]

export const imaging: readonly Row[] = [...pings, ...queries]
