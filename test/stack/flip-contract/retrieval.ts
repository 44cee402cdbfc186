// /retrieval: where a cohort stands, and asking for it again (1.6).
import type { Row } from './contract.ts'

const encoded = (query: string) => `encoded_query=${Buffer.from(query).toString('base64url')}`
const count = (projectId: string, query: string) => `GET /retrieval/import_status_count/${projectId}?${query}`
const reimport = (projectId: string, query: string) =>
  `PUT /retrieval/reimport_imaging_project_studies/${projectId}?${query}`

const noProject = { status: 404, detail: "404: Project with ID 'nowhere' not found." }
const missing = {
  status: 422,
  detail: [{ type: 'missing', loc: ['query', 'encoded_query'], msg: 'Field required' }],
  differs: 'input',
} as const
const undecodable = {
  status: 400,
  detail: 'encoded_query is not URL-safe base64 of a text.',
  differs: 'noQuery',
} as const

const sql = 'SELECT accession_id FROM omop.image_occurrence WHERE r1'
const cohort = Array.from({ length: 12 }, (_, index) => `R${index}`)
const known = { cohorts: [{ query: sql, accessionIds: [...cohort, 'R0', 'R*', ' ', null] }] }
const counted = {
  project_creation_completed: true,
  import_status: {
    successful_count: 0,
    failed_count: 0,
    processing_count: 0,
    queued_count: 0,
    queue_failed_count: 12,
  },
}

const status: readonly Row[] = [
  {
    name: 'each number of the cohort once, and none that a PACS takes for many',
    request: count('R1', encoded(sql)),
    given: { source: known },
    status: 200,
    answer: counted,
  },
  {
    name: 'with padding',
    request: count('R1', `${encoded(sql)}%3D`),
    given: { source: known },
    status: 200,
    answer: counted,
  },
  { name: 'without a query', request: count('R1', ''), ...missing },
  { name: 'of an unknown project', request: count('nowhere', encoded(sql)), ...noProject },
  {
    name: 'of an unknown project, by a query that is none',
    request: count('nowhere', 'encoded_query=A'),
    ...noProject,
  },
  {
    name: 'of an unknown project, while the data access service is down',
    request: count('nowhere', encoded(sql)),
    given: { source: { settings: { isDown: true } } },
    ...noProject,
  },
  { name: 'by a query that is none', request: count('R1', 'encoded_query=AAAAA'), ...undecodable },
  { name: 'by a query that is no text', request: count('R1', 'encoded_query=gICA'), ...undecodable },
  {
    name: "of a cohort below the trust's threshold",
    request: count('R1', encoded('SELECT few')),
    given: { source: { cohorts: [{ query: 'SELECT few', accessionIds: ['R1'] }] } },
    status: 403,
    detail:
      "Cohort is below the trust's minimum size, so its accession IDs cannot be released and import status cannot be reported.",
  },
  {
    name: 'of a cohort without an approved snapshot',
    request: count('R1', encoded('SELECT snapshot')),
    given: { source: { cohorts: [{ query: 'SELECT snapshot', isApproved: false }] } },
    status: 403,
    detail: 'No approved cohort snapshot exists for this project. Import status cannot be reported.',
  },
  {
    name: 'by a query that the data access service cannot run',
    request: count('R1', encoded('SELECT wrong')),
    given: { source: { cohorts: [{ query: 'SELECT wrong', invalidSql: 'no such column: wrong' }] } },
    status: 400,
    detail: 'The data access service refused the cohort query.',
    differs: 'noQuery',
  },
  {
    name: 'while the data access service is down',
    // A question that was asked a moment ago would be answered from memory.
    request: count('R1', encoded('SELECT down')),
    given: { source: { settings: { isDown: true } } },
    status: 503,
    detail: 'The data access service cannot be reached. Try again later.',
    with: { 'retry-after': '30' },
    differs: 'source',
  },
  {
    name: 'where XNAT does not let the account see the experiments',
    request: count('R1', encoded('SELECT forbidden')),
    given: {
      source: { cohorts: [{ query: 'SELECT forbidden', accessionIds: cohort }] },
      xnat: { 'GET /data/experiments': { status: 403 } },
    },
    status: 502,
    detail: 'XNAT does not allow the service account to do this.',
    differs: 'exceptions',
  },
]

const accepted = (projectId: string) => ({ status: 202, answer: { message: 'Reimport queued', projectId } })

const reimports: readonly Row[] = [
  { name: 'of a project', request: reimport('R2', encoded(sql)), ...accepted('R2') },
  { name: 'of an unknown project', request: reimport('nowhere', encoded(sql)), ...accepted('nowhere') },
  { name: 'without a query', request: reimport('R1', ''), ...missing },
  {
    name: 'by an empty query',
    request: reimport('R1', 'encoded_query='),
    status: 400,
    detail: 'Query must not be empty',
  },
  {
    name: 'by a query of white space',
    request: reimport('R1', encoded(' \n')),
    status: 400,
    detail: 'Query must not be empty',
    differs: 'blankQuery',
  },
  { name: 'by a query that is none', request: reimport('R1', 'encoded_query=A'), ...undecodable },
]

export const retrieval: readonly Row[] = [
  ...status.map((row) => ({ ...row, given: { ...row.given, before: [['PUT /data/projects/R1']] as const } })),
  ...reimports,
]

const off = { status: 418, detail: 'Reimport studies feature is not enabled' }

/** The functions of these have reimports switched off. */
export const withoutReimports: readonly Row[] = [
  { name: 'where the feature is off', request: reimport('nowhere', encoded(sql)), ...off },
  { name: 'where the feature is off, by an empty query', request: reimport('nowhere', 'encoded_query='), ...off },
  {
    name: 'where the feature is off, by a query that is none',
    request: reimport('nowhere', 'encoded_query=A'),
    ...off,
  },
  { name: 'where the feature is off, without a query', request: reimport('nowhere', ''), ...missing },
]
