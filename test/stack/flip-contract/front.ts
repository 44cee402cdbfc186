// What holds for every route: service key, health, order of checks, slashes, unknown routes, XNAT in trouble (1, 1.1-1.3).
import { busy, type Row, xnatIsBusy } from './contract.ts'

const missingKey = 'Not authenticated: trust-internal service key is missing.'
const keyHeader = 'X-Trust-Internal-Service-Key'
const noKey = { [keyHeader]: undefined }

/** Every route of sections 1.4, 1.5, 1.6 and 1.9 that asks XNAT, each with a request that is well formed. */
const asksXnat: readonly Pick<Row, 'request' | 'body'>[] = [
  { request: 'GET /projects/' },
  { request: 'POST /projects/?project_id=F&project_secondary_id=F&project_name=F' },
  {
    request: 'POST /projects/create-project-from-central-hub-project',
    body: {
      project_id: 'f0000000-0000-4000-8000-000000000000',
      trust_id: '11111111-2222-4333-8444-555555555555',
      project_name: 'F',
      query: '',
    },
  },
  { request: 'GET /projects/F' },
  { request: 'DELETE /projects/F' },
  { request: 'GET /projects/F/subjects' },
  { request: 'GET /projects/F/experiments' },
  { request: 'GET /projects/F/experiment/E' },
  { request: 'GET /imaging/ping_pacs' },
  { request: 'GET /imaging/ping_pacs/1' },
  { request: 'GET /imaging/query_by_accession_number?accession_number=ACC1' },
  {
    request: 'POST /imaging/queue_image_import_request',
    body: { projectId: 'F', studies: [{ studyInstanceUid: '2.25.1', accessionNumber: 'ACC1' }] },
  },
  { request: 'GET /users' },
  {
    request: 'POST /users',
    body: { username: 'f', password: 'Fake-password-1!', email: 'f@x.example', firstName: 'F', lastName: 'F' },
  },
  { request: 'PUT /users', body: { email: 'f@x.example', enabled: true } },
  { request: 'PUT /users/add-to-project/f/F' },
  { request: 'GET /retrieval/import_status_count/F?encoded_query=eA' },
]

const wellFormed: typeof asksXnat = [
  ...asksXnat,
  { request: 'PUT /retrieval/reimport_imaging_project_studies/F?encoded_query=eA' },
]

const serviceKey = wellFormed.flatMap((route): Row[] => [
  { ...route, name: 'with no key', headers: noKey, status: 401, detail: missingKey },
  { ...route, name: 'with an empty key', headers: { [keyHeader]: '' }, status: 401, detail: missingKey },
  {
    ...route,
    name: 'with another key',
    headers: { [keyHeader]: 'fake-other-key' },
    status: 401,
    detail: 'Invalid trust-internal service key.',
  },
])

/** The functions of these have no key set. */
export const withoutKeySet: readonly Row[] = [
  ...wellFormed.map((route) => ({
    ...route,
    name: 'where no key is set',
    headers: { [keyHeader]: 'fake-key' },
    status: 401,
    detail: 'Trust-internal service auth not configured.',
  })),
  { name: 'where no key is set or sent', request: 'GET /users', headers: noKey, status: 401, detail: missingKey },
  { name: 'where no key is set', request: 'GET /health', headers: noKey, status: 200, answer: { status: 'ok' } },
]

export const otherKeyHeader = 'X-Other-Key'

/** The functions of these look for the key under another name. */
export const withOtherKeyHeader: readonly Row[] = [
  { name: 'with the key under the name that is set', request: 'GET /users', status: 200 },
  {
    name: 'with a key under the usual name',
    request: 'GET /users',
    headers: { [keyHeader]: 'fake-key', [otherKeyHeader]: undefined },
    status: 401,
    detail: missingKey,
  },
]

const health = ['/health', '/health/'].flatMap((path): Row[] => [
  {
    name: 'without a key',
    request: `GET ${path}`,
    headers: noKey,
    status: 200,
    answer: { status: 'ok', version: 'r'.repeat(64), dead_tasks: [] },
  },
  { name: 'while XNAT is busy', request: `GET ${path}`, given: { xnat: { '*': xnatIsBusy } }, status: 200 },
])

const order: readonly Row[] = [
  {
    name: 'no JSON, and no key either',
    request: 'PUT /users',
    body: 'email=x',
    headers: noKey,
    status: 422,
    detail: [{ type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error' }],
    differs: 'input',
  },
  {
    name: 'a bad body, and no key either',
    request: 'PUT /users',
    body: {},
    headers: noKey,
    status: 401,
    detail: missingKey,
  },
  {
    name: 'a bad query, and another key',
    request: 'POST /projects/',
    headers: { [keyHeader]: 'fake-other-key' },
    status: 401,
    detail: 'Invalid trust-internal service key.',
  },
  {
    name: 'a bad body while XNAT is busy',
    request: 'PUT /users',
    body: { email: 'x@x.example' },
    given: { xnat: { '*': xnatIsBusy } },
    status: 422,
    detail: [{ type: 'missing', loc: ['body', 'enabled'], msg: 'Field required' }],
    differs: 'signInFirst',
  },
]

const slashes: readonly Row[] = [
  { name: 'with the slash', request: 'GET /projects/', status: 200 },
  { name: 'without the slash', request: 'GET /projects', status: 200 },
  {
    name: 'with the slash',
    request: 'POST /projects/?project_id=S1&project_secondary_id=S1&project_name=S1',
    status: 200,
  },
  {
    name: 'without the slash',
    request: 'POST /projects?project_id=S2&project_secondary_id=S2&project_name=S2',
    status: 200,
  },
  ...['/users', '/users/'].flatMap((path): Row[] => {
    const name = path.endsWith('/') ? 'with the slash' : 'without the slash'
    const username = path.endsWith('/') ? 'slash' : 'noslash'
    const user = {
      username,
      password: 'Fake-password-1!',
      email: `${username}@x.example`,
      firstName: 'S',
      lastName: 'S',
    }
    return [
      { name, request: `GET ${path}`, status: 200 },
      { name, request: `POST ${path}`, body: user, status: 200 },
      { name, request: `PUT ${path}`, body: { email: 'admin@example.org', enabled: true }, status: 200 },
    ]
  }),
  {
    name: "with a slash too many, as FLIP's framework sends on",
    request: 'GET /imaging/query_by_accession_number/?accession_number=ACC1',
    status: 307,
    with: { location: '/imaging/query_by_accession_number?accession_number=ACC1' },
  },
  {
    name: "with a slash too many, as FLIP's framework sends on",
    request: 'DELETE /projects/F/',
    status: 307,
    with: { location: '/projects/F' },
  },
]

const unknownRoutes: readonly Row[] = [
  { name: 'no route', request: 'GET /nothing', status: 404, detail: 'Not Found' },
  {
    name: 'what an earlier trust-api sent (FLIP#963)',
    request: 'DELETE /projects/?project_id=F',
    status: 405,
    detail: 'Method Not Allowed',
    with: { allow: 'GET, POST' },
  },
]

/** One request to each function that asks XNAT. */
const signedIn = [
  ['GET /projects/'],
  ['GET /imaging/ping_pacs'],
  ['GET /users'],
  ['PUT /data/projects/R'],
  ['POST /retrieval/imports/R', { accession_numbers: ['R0'] }],
] as const

const xnatInTrouble = asksXnat.map((route) => ({
  ...route,
  name: 'while XNAT is busy',
  given: { before: signedIn, xnat: { '*': xnatIsBusy } },
  ...busy,
}))

export const front: readonly Row[] = [
  ...serviceKey,
  ...health,
  ...order,
  ...slashes,
  ...unknownRoutes,
  ...xnatInTrouble,
]
