import { createHash } from 'node:crypto'
import * as z from 'zod'
import { apiHandler, route, type Tools } from '../../lib/handler.ts'
import { type SharedAnswers, sharedAnswers } from '../../lib/imports/shared-answers.ts'
import { studyStates } from '../../lib/imports/study-state.ts'
import { askForImport, askForReimport } from '../../lib/services/ask-for-import.ts'
import { type ImportStatus, readImportStatus } from '../../lib/services/import-status.ts'
import { cohortSourceFrom } from '../../lib/services/query-cohort.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { noSuchProject, ProjectId, xnatErrors } from './schemas.ts'

const path = z.object({ project_id: ProjectId })

// FLIP: a query holds at most 10,240 characters (flip-contract 5); in UTF-8 and base64 that may be four times as long.
const exampleQuery = 'U0VMRUNUIGFjY2Vzc2lvbl9pZCBGUk9NIG9tb3AuaW1hZ2Vfb2NjdXJyZW5jZQ'
const EncodedQuery = z.string().max(65_536).meta({
  description: 'The cohort query, as URL-safe base64 of its text; padding may be left out.',
  example: exampleQuery,
})

const cohortErrors = {
  ...xnatErrors,
  400: 'The query cannot be decoded, or is refused.',
  403: "The cohort is below the trust's minimum size.",
}

/** What the routes of one function share: what was answered a moment ago. */
interface Shared {
  answers: SharedAnswers<ImportStatus> | undefined
}

function statusOf(
  { config, dataAccess, ...tools }: Tools,
  shared: Shared,
  asked: { projectId: string; encodedQuery: string | undefined },
): Promise<ImportStatus> {
  const question = createHash('sha256').update(JSON.stringify(asked)).digest('base64')
  const deps = { ...tools, importing: config.importing, cohortSource: cohortSourceFrom(dataAccess) }
  shared.answers ??= sharedAnswers(config.statusCacheMs)
  return shared.answers.get(question, () => readImportStatus(deps, asked))
}

const count = z.int().nonnegative()

const FlipStatus = z
  .object({
    project_creation_completed: z.boolean(),
    import_status: z.object({
      successful_count: count,
      failed_count: count,
      processing_count: count,
      queued_count: count,
      queue_failed_count: count,
    }),
  })
  .meta({
    id: 'ImportStatusCount',
    description: 'The counts add up to the cohort.',
    example: {
      project_creation_completed: true,
      import_status: {
        successful_count: 40,
        failed_count: 1,
        processing_count: 2,
        queued_count: 6,
        queue_failed_count: 1,
      },
    },
  })

const readStatusCount = (shared: Shared) =>
  route({
    method: 'GET',
    path: '/retrieval/import_status_count/{project_id}',
    operationId: 'countImportStatus',
    summary: 'Counts where the studies of a cohort stand, in the five classes that FLIP knows.',
    request: z.object({ path, query: z.object({ encoded_query: EncodedQuery }) }),
    answer: FlipStatus,
    errors: { ...cohortErrors, ...noSuchProject },
    run: async (request, tools) => {
      const asked = { projectId: request.path.project_id, encodedQuery: request.query.encoded_query }
      const { classes } = await statusOf(tools, shared, asked)
      return {
        project_creation_completed: true,
        import_status: {
          successful_count: classes.successful,
          failed_count: classes.failed,
          processing_count: classes.processing,
          queued_count: classes.queued,
          queue_failed_count: classes.queue_failed,
        },
      }
    },
  })

const Time = z.iso.datetime().nullable()

const StudyStatus = z.object({
  accession_number: z.string(),
  state: z.enum(studyStates),
  reason: z.string().nullable().meta({ description: 'A stable code; null where the state says all.' }),
  attempts: count,
  last_attempt: Time,
  next_attempt: Time.meta({
    description: 'When it is asked for again at the earliest; null when it need not or must not be.',
  }),
})

export const StatusAnswer = z
  .object({
    project_id: z.string(),
    studies_count: count.meta({ description: 'The size of the cohort.' }),
    states: z.partialRecord(z.enum(studyStates), count),
    classes: z.object({ successful: count, failed: count, processing: count, queued: count, queue_failed: count }),
    waiting: z
      .object({ code: z.string(), since: z.iso.datetime() })
      .nullable()
      .meta({ description: 'Why nothing more is asked for at present.' }),
    looked_at: Time.meta({ description: 'When the planner last looked at the project.' }),
    matching_count: count.meta({ description: 'How many fit the filter.' }),
    studies: z.array(StudyStatus),
  })
  .meta({
    id: 'ImportStatus',
    example: {
      project_id: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a',
      studies_count: 2,
      states: { verified: 1, 'not-found': 1 },
      classes: { successful: 1, failed: 0, processing: 0, queued: 0, queue_failed: 1 },
      waiting: null,
      looked_at: '2026-01-01T00:05:00.000Z',
      matching_count: 1,
      studies: [
        {
          accession_number: 'ACC0002',
          state: 'not-found',
          reason: 'NOT_ON_PACS',
          attempts: 1,
          last_attempt: '2026-01-01T00:00:00.000Z',
          next_attempt: '2026-01-01T00:05:00.000Z',
        },
      ],
    },
  })

const StatusQuery = z.strictObject({
  encoded_query: EncodedQuery.optional().meta({
    description: 'Without it, the cohort as it was heard last.',
    example: exampleQuery,
  }),
  state: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(studyStates)))
    .optional()
    .meta({ description: 'Only studies in one of these states, separated by commas.', example: 'failed,stalled' }),
  reason: z.string().max(64).optional().meta({ description: 'Only studies with this reason.', example: 'NOT_ON_PACS' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(1_000)
    .meta({ description: 'At most so many studies.', example: 1_000 }),
  offset: z.coerce.number().int().min(0).default(0).meta({ description: 'Leaves out so many first.', example: 0 }),
})

const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())

const readStatus = (shared: Shared) =>
  route({
    method: 'GET',
    path: '/retrieval/import_status/{project_id}',
    operationId: 'readImportStatus',
    summary: 'Tells where each study of a cohort stands, why, and when it is tried again.',
    request: z.object({ path, query: StatusQuery }),
    answer: StatusAnswer,
    errors: { ...cohortErrors, ...noSuchProject },
    run: async ({ path: { project_id }, query }, tools) => {
      const asked = { projectId: project_id, encodedQuery: query.encoded_query }
      const { standings, states, classes, waiting, lookedAtMs } = await statusOf(tools, shared, asked)
      const { state: wanted, reason, limit, offset } = query
      const matching = standings.filter(
        (each) =>
          (wanted === undefined || wanted.includes(each.state)) && (reason === undefined || each.reason === reason),
      )
      return {
        project_id,
        studies_count: standings.length,
        states: { ...states },
        classes,
        waiting: waiting === undefined ? null : { code: waiting.code, since: new Date(waiting.sinceMs).toISOString() },
        looked_at: iso(lookedAtMs),
        matching_count: matching.length,
        studies: matching.slice(offset, offset + limit).map((each) => ({
          accession_number: each.accessionNumber,
          state: each.state,
          reason: each.reason ?? null,
          attempts: each.attempts,
          last_attempt: iso(each.lastAttemptMs),
          next_attempt: iso(each.nextAttemptMs),
        })),
      }
    },
  })

const reimport = route({
  method: 'PUT',
  path: '/retrieval/reimport_imaging_project_studies/{project_id}',
  operationId: 'reimportStudies',
  summary: 'Has the studies of a cohort looked at, and those that are due asked for again.',
  request: z.object({ path, query: z.object({ encoded_query: EncodedQuery }) }),
  answer: z.object({ message: z.string(), projectId: z.string() }).meta({
    id: 'ReimportQueued',
    example: { message: 'Reimport queued', projectId: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a' },
  }),
  status: 202,
  errors: { 400: 'The query is empty or cannot be decoded.', 418: 'The feature is switched off.', 503: 'SQS is busy.' },
  run: async (request, { config, imports }) => {
    const { project_id: projectId } = request.path
    const encodedQuery = request.query.encoded_query
    await askForReimport({ imports: imports.queue, isEnabled: config.reimports }, { projectId, encodedQuery })
    return { message: 'Reimport queued', projectId }
  },
})

export const ImportAccepted = z
  .object({ projectId: z.string(), accepted: count, dropped: count })
  .meta({ id: 'ImportAccepted', example: { projectId: 'P1', accepted: 2, dropped: 0 } })

const importByNumber = route({
  method: 'POST',
  path: '/retrieval/imports/{project_id}',
  operationId: 'importByAccessionNumber',
  summary: 'Takes accession numbers into a cohort, and asks anew for those of them that are not there yet.',
  request: z.object({
    path,
    body: z
      .object({ accession_numbers: z.array(z.string().max(1_024)).min(1).max(100_000) })
      .meta({ id: 'ImportOrder', example: { accession_numbers: ['ACC0001', 'ACC0002'] } }),
  }),
  answer: ImportAccepted,
  status: 202,
  errors: { ...xnatErrors, ...noSuchProject },
  run: async ({ path: { project_id: projectId }, body }, { imports, xnat, signal }) => {
    const deps = { xnat, signal, imports: imports.queue }
    return { projectId, ...(await askForImport(deps, { projectId, accessionNumbers: body.accession_numbers })) }
  },
})

const routesWith = (shared: Shared) => [readStatusCount(shared), readStatus(shared), reimport, importByNumber]

export const routes = routesWith({ answers: undefined })

export const createHandler = (wire: Wire) => apiHandler(routesWith({ answers: undefined }), wire)

export const handler = createHandler(wireOnce)
