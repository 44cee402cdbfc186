// Describes the whole API, and answers what no route of it takes ($default).
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { apiHandler, type Route, route, textRoute } from '../../lib/handler.ts'
import { type ApiArea, openApiDocument } from '../../lib/openapi.ts'
import { version } from '../../lib/version.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import * as deadLetters from './dead-letters.ts'
import * as deliveries from './deliveries.ts'
import * as downloads from './downloads.ts'
import * as health from './health.ts'
import * as imaging from './imaging.ts'
import * as projects from './projects.ts'
import * as retrieval from './retrieval.ts'
import * as uploads from './uploads.ts'
import * as users from './users.ts'

const getOpenApi = route({
  method: 'GET',
  path: '/openapi.json',
  operationId: 'getOpenApi',
  summary: 'Describes the API as an OpenAPI document.',
  request: z.object({}),
  answer: z.record(z.string(), z.unknown()).meta({ example: { openapi: '3.1.1' } }),
  run: async (_, { config }) => ({ ...apiDocument(config.serviceKey.header) }),
})

const page = readPart('page.html')
const script = readPart('page.js')
const style = readPart('page.css')

// `infra/build.ts` lays the folder of the same name beside the bundle, as it lies beside this source.
function readPart(name: string): string {
  return readFileSync(new URL(`./documentation/${name}`, import.meta.url), 'utf8')
}

const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const pageRoutes = [
  textRoute({
    path: '/docs',
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': pagePolicy },
    // The settings allow only letters, digits and hyphens in the header's name.
    text: ({ config }) => page.replace('{{key-header}}', config.serviceKey.header),
  }),
  textRoute({
    path: '/docs/page.js',
    headers: { 'content-type': 'text/javascript; charset=utf-8' },
    text: () => script,
  }),
  textRoute({ path: '/docs/page.css', headers: { 'content-type': 'text/css; charset=utf-8' }, text: () => style }),
]

export const routes: readonly Route[] = [getOpenApi, ...pageRoutes]

export const areas: readonly ApiArea[] = [
  { name: 'projects', description: 'Projects in XNAT, and what is in them.', routes: projects.routes },
  { name: 'users', description: 'Accounts in XNAT, and whom they may join.', routes: users.routes },
  { name: 'imaging', description: 'The PACS behind XNAT.', routes: imaging.routes },
  { name: 'retrieval', description: 'Cohorts on their way from the PACS into XNAT.', routes: retrieval.routes },
  { name: 'deliveries', description: 'Files that went from S3 into XNAT.', routes: deliveries.routes },
  {
    name: 'downloads',
    description: 'Studies that go from XNAT into the image tree of training clients.',
    routes: downloads.routes,
  },
  { name: 'uploads', description: 'Files of training clients that go into XNAT.', routes: uploads.routes },
  {
    name: 'deadLetters',
    description: 'What could not be done, until somebody hands it in again.',
    routes: deadLetters.routes,
  },
  { name: 'service', description: 'The API itself.', routes: [...health.routes, ...routes] },
]

export const apiDocument = (keyHeader: string) => openApiDocument(areas, { version, keyHeader })

const known = areas.flatMap((area) => area.routes)

export const createHandler = (wire: Wire) => apiHandler(routes, wire, known)

export const handler = createHandler(wireOnce)
