// Describes the whole API, and answers what no route of it takes ($default).
import * as z from 'zod'
import { apiHandler, type Route, route } from '../../lib/handler.ts'
import { type ApiArea, openApiDocument } from '../../lib/openapi.ts'
import { version } from '../../lib/version.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import * as operatorsConsole from './console.ts'
import * as deadLetters from './dead-letters.ts'
import * as deliveries from './deliveries.ts'
import * as downloads from './downloads.ts'
import * as health from './health.ts'
import * as imaging from './imaging.ts'
import { pageRoutes } from './page-routes.ts'
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

// `infra/build.ts` lays the folder of the same name beside the bundle, as it lies beside this source.
const page = pageRoutes({
  path: '/docs',
  partsPath: '/docs',
  parts: ['page.js', 'page.css'],
  folder: new URL('./documentation/', import.meta.url),
})

export const routes: readonly Route[] = [getOpenApi, ...page]

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
  {
    name: 'service',
    description: 'The API itself.',
    routes: [...health.routes, ...operatorsConsole.routes, ...routes],
  },
]

export const apiDocument = (keyHeader: string) => openApiDocument(areas, { version, keyHeader })

const known = areas.flatMap((area) => area.routes)

export const createHandler = (wire: Wire) => apiHandler(routes, wire, known)

export const handler = createHandler(wireOnce)
