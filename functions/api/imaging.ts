import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import { pingPacs, queryStudies, queueImport } from '../../lib/services/imaging.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { PathSegment, ProjectId } from './schemas.ts'

const PacsStatus = z.object({
  pacsId: z.int(),
  successful: z.boolean(),
  pingTime: z.int(),
  created: z.int(),
  enabled: z.boolean(),
  timestamp: z.int(),
  id: z.int(),
  disabled: z.int(),
})

const pingOnlyPacs = route({
  method: 'GET',
  path: '/imaging/ping_pacs',
  request: z.object({}),
  answer: PacsStatus,
  run: (_, { config, ...tools }) => pingPacs({ ...tools, imaging: config.imaging }),
})

const pingOnePacs = route({
  method: 'GET',
  path: '/imaging/ping_pacs/{pacs_id}',
  request: z.object({ path: z.object({ pacs_id: z.coerce.number().int().positive() }) }),
  answer: PacsStatus,
  run: ({ path }, { config, ...tools }) => pingPacs({ ...tools, imaging: config.imaging }, path.pacs_id),
})

const Study = z.object({
  studyInstanceUid: z.string(),
  studyDescription: z.string(),
  accessionNumber: z.string(),
  studyDate: z.string(),
  modalitiesInStudy: z.array(z.string()),
  referringPhysicianName: z.string(),
  patient: z.object({ id: z.string(), name: z.string(), sex: z.string() }),
})

// A PACS reads `*`, `?` and `\` as wildcards and lists: with them the query would tell of strangers' studies.
const AccessionNumber = z
  .string()
  .min(1, 'must not be empty')
  .max(64)
  .regex(/^[^*?\\\p{Cc}]*$/u, 'must not contain wildcards or control characters')

const queryByAccession = route({
  method: 'GET',
  path: '/imaging/query_by_accession_number',
  request: z.object({ query: z.object({ accession_number: AccessionNumber }) }),
  answer: z.array(Study),
  run: ({ query }, { config, ...tools }) => queryStudies({ ...tools, imaging: config.imaging }, query.accession_number),
})

/** DICOM PS3.5 9.1. */
const Uid = z
  .string()
  .max(64)
  .regex(/^[0-9]+(?:\.[0-9]+)*$/, 'must be a DICOM UID')

const queueImportRequest = route({
  method: 'POST',
  path: '/imaging/queue_image_import_request',
  request: z.object({
    body: z.object({
      projectId: ProjectId,
      studies: z.array(z.object({ studyInstanceUid: Uid, accessionNumber: PathSegment })).min(1),
    }),
  }),
  answer: z.array(
    z.object({
      id: z.int(),
      pacsId: z.int(),
      status: z.string(),
      accessionNumber: z.string(),
      queuedTime: z.int(),
      created: z.int(),
      priority: z.int(),
    }),
  ),
  run: ({ body }, { config, ...tools }) => queueImport({ ...tools, imaging: config.imaging }, body),
})

export const routes = [pingOnlyPacs, pingOnePacs, queryByAccession, queueImportRequest]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
