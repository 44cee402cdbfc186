import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import { pingPacs, queryStudies, queueImport } from '../../lib/services/imaging.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { PathSegment, ProjectId, xnatErrors } from './schemas.ts'

export const PacsStatus = z
  .object({
    pacsId: z.int(),
    successful: z.boolean(),
    pingTime: z.int().meta({ description: 'When it was asked, in milliseconds since 1970; no duration.' }),
    created: z.int(),
    enabled: z.boolean(),
    timestamp: z.int(),
    id: z.int(),
    disabled: z.int(),
  })
  .meta({
    id: 'PacsStatus',
    example: {
      pacsId: 1,
      successful: true,
      pingTime: 1_767_225_600_000,
      created: 1_767_225_600_000,
      enabled: true,
      timestamp: 1_767_225_600_000,
      id: 12,
      disabled: 0,
    },
  })

const noSuchPacs = { 404: 'XNAT knows no such PACS.' }

const pingOnlyPacs = route({
  method: 'GET',
  path: '/imaging/ping_pacs',
  operationId: 'pingPacs',
  summary: 'Asks the PACS that XNAT queries for a sign of life, now.',
  request: z.object({}),
  answer: PacsStatus,
  errors: { ...xnatErrors, ...noSuchPacs },
  run: (_, { config, ...tools }) => pingPacs({ ...tools, imaging: config.imaging }),
})

const pingOnePacs = route({
  method: 'GET',
  path: '/imaging/ping_pacs/{pacs_id}',
  operationId: 'pingOnePacs',
  summary: 'Asks one PACS for a sign of life, now.',
  request: z.object({ path: z.object({ pacs_id: z.coerce.number().int().positive().meta({ example: 1 }) }) }),
  answer: PacsStatus,
  errors: { ...xnatErrors, ...noSuchPacs },
  run: ({ path }, { config, ...tools }) => pingPacs({ ...tools, imaging: config.imaging }, path.pacs_id),
})

const Study = z
  .object({
    studyInstanceUid: z.string(),
    studyDescription: z.string(),
    accessionNumber: z.string(),
    studyDate: z.string(),
    modalitiesInStudy: z.array(z.string()),
    referringPhysicianName: z.string(),
    patient: z.object({ id: z.string(), name: z.string(), sex: z.string() }),
  })
  .meta({
    id: 'Study',
    description: 'A study as the PACS describes it.',
    example: {
      studyInstanceUid: '1.2.3.4',
      studyDescription: 'Knee left',
      accessionNumber: 'ACC0001',
      studyDate: '20260101',
      modalitiesInStudy: ['MR'],
      referringPhysicianName: '',
      patient: { id: 'P0001', name: 'NOBODY^NN', sex: 'O' },
    },
  })

// A PACS reads `*`, `?` and `\` as wildcards and lists: with them the query would tell of strangers' studies.
const AccessionNumber = z
  .string()
  .min(1, 'must not be empty')
  .max(64)
  .regex(/^[^*?\\\p{Cc}]*$/u, 'must not contain wildcards or control characters')
  .meta({ example: 'ACC0001' })

const queryByAccession = route({
  method: 'GET',
  path: '/imaging/query_by_accession_number',
  operationId: 'queryStudies',
  summary: 'Lists the studies that the PACS has under an accession number.',
  request: z.object({ query: z.object({ accession_number: AccessionNumber }) }),
  answer: z.array(Study),
  errors: { ...xnatErrors, ...noSuchPacs },
  run: ({ query }, { config, ...tools }) => queryStudies({ ...tools, imaging: config.imaging }, query.accession_number),
})

/** DICOM PS3.5 9.1. */
const Uid = z
  .string()
  .max(64)
  .regex(/^[0-9]+(?:\.[0-9]+)*$/, 'must be a DICOM UID')

const WantedStudies = z
  .object({
    projectId: ProjectId,
    studies: z.array(z.object({ studyInstanceUid: Uid, accessionNumber: PathSegment })).min(1),
  })
  .meta({
    id: 'WantedStudies',
    example: {
      projectId: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a',
      studies: [{ studyInstanceUid: '1.2.3.4', accessionNumber: 'ACC0001' }],
    },
  })

const QueuedStudy = z
  .object({
    id: z.int(),
    pacsId: z.int(),
    status: z.string(),
    accessionNumber: z.string(),
    queuedTime: z.int(),
    created: z.int(),
    priority: z.int(),
  })
  .meta({
    id: 'QueuedStudy',
    description: "One entry of the queue of XNAT's DQR.",
    example: {
      id: 1,
      pacsId: 1,
      status: 'QUEUED',
      accessionNumber: 'ACC0001',
      queuedTime: 1_767_225_600_000,
      created: 1_767_225_600_000,
      priority: 1,
    },
  })

const queueImportRequest = route({
  method: 'POST',
  path: '/imaging/queue_image_import_request',
  operationId: 'queueImport',
  summary: 'Asks XNAT to fetch studies from the PACS into a project.',
  request: z.object({ body: WantedStudies }),
  answer: z.array(QueuedStudy),
  errors: { ...xnatErrors, 404: 'There is no such project, or no such PACS, or none of the studies is in it.' },
  run: ({ body }, { config, ...tools }) => queueImport({ ...tools, imaging: config.imaging }, body),
})

export const routes = [pingOnlyPacs, pingOnePacs, queryByAccession, queueImportRequest]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
