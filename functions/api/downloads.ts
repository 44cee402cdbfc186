import * as z from 'zod'
import { Accepted, apiHandler, route, type Tools } from '../../lib/handler.ts'
import type { ExportStatus } from '../../lib/images/begin-download.ts'
import { ExportId } from '../../lib/images/export.ts'
import { JobState } from '../../lib/images/job.ts'
import { StudyPart, studyPart } from '../../lib/images/tree.ts'
import { requestDownload } from '../../lib/services/request-download.ts'
import { getExport, listExportedFiles, requestExport } from '../../lib/services/request-export.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import {
  NetId,
  Preference,
  patienceMs,
  SealedProjectId,
  Standing,
  sealedExample,
  standingExample,
  standingOf,
} from './image-schemas.ts'
import { PathSegment } from './schemas.ts'

const exportId = '0123456789abcdef0123456789abcdef'
const folder = '/app/data/images/default/3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b/ACC0001'

const AssessorType = z
  .string()
  .default('scan')
  .meta({ description: '`scan` or `assessor`, in any letter case.', example: 'scan' })
const ResourceType = StudyPart.shape.resourceType.default('NIFTI').meta({ example: 'NIFTI' })

const ExportAnswer = z
  .object({
    exportId: ExportId,
    state: JobState.meta({ description: '`failed` when all studies have ended, and not all of them well.' }),
    studies: z.array(
      Standing.partial({ updatedAt: true }).extend({
        accession_id: z.string(),
        path: z.string().optional().meta({ description: 'Its folder, as clients see it, when it is done.' }),
      }),
    ),
  })
  .meta({
    id: 'Export',
    description: 'How the download of one study or of many stands.',
    example: { exportId, state: 'running', studies: [{ accession_id: 'ACC0001', ...standingExample }] },
  })

const nothingYet = { state: 'queued', files: 0, filesDone: 0, bytes: 0, bytesDone: 0 } as const

const answerOf = ({ exportId, state, studies }: ExportStatus): z.infer<typeof ExportAnswer> => ({
  exportId,
  state,
  studies: studies.map(({ accession, job, path }) => ({
    accession_id: accession,
    ...(job === undefined ? nothingYet : standingOf(job)),
    path,
  })),
})

const depsOf = async ({ config, exports, secrets, ...tools }: Tools) => ({
  ...tools,
  exports: exports.queue,
  envelopeKeys: (await secrets.envelopeKeys.get()).keys,
  settings: config.images,
})

const errors = {
  400: 'The project id was not sealed for this, or a path leads out of its folder.',
  503: 'Storage is busy.',
}

const postDownload = route({
  method: 'POST',
  path: '/download/images/{net_id}',
  operationId: 'downloadImages',
  summary: 'Puts the files of a study into the image tree, proved, and tells in which folder they are.',
  request: z.object({
    path: z.object({ net_id: NetId }),
    query: z.object({
      assessor_type: AssessorType,
      resource_type: ResourceType,
      force_refresh: z
        .stringbool()
        .default(false)
        .meta({ description: 'Downloads anew what is there.', example: 'false' }),
    }),
    headers: Preference,
    body: z.object({ encrypted_central_hub_project_id: SealedProjectId, accession_id: PathSegment }).meta({
      id: 'DownloadImages',
      example: { encrypted_central_hub_project_id: sealedExample, accession_id: 'ACC0001' },
    }),
  }),
  answer: z.object({ path: z.string() }).meta({ id: 'StudyFolder', example: { path: folder } }),
  accepted: ExportAnswer,
  errors: {
    ...errors,
    404: 'There is no such project or study in XNAT, or it has no such files.',
    500: 'The type is none, or the download failed.',
  },
  async run({ path, query, headers, body }, tools) {
    const outcome = await requestDownload(await depsOf(tools), {
      net: path.net_id,
      sealedHubProjectId: body.encrypted_central_hub_project_id,
      accession: body.accession_id,
      part: studyPart(query.assessor_type, query.resource_type),
      isForced: query.force_refresh,
      waitMs: patienceMs(headers, tools.config.images.answerWithinMs),
    })
    if (outcome.kind === 'done') return { path: outcome.path }
    return new Accepted(`/exports/${outcome.status.exportId}`, answerOf(outcome.status))
  },
})

const postExport = route({
  method: 'POST',
  path: '/exports',
  operationId: 'createExport',
  summary: 'Has many studies put into the image tree, and does not wait for them.',
  request: z.object({
    body: z
      .object({
        encrypted_central_hub_project_id: SealedProjectId,
        net_id: NetId,
        accession_ids: z.array(PathSegment).min(1).max(1000),
        assessor_type: AssessorType,
        resource_type: ResourceType,
        force_refresh: z.boolean().default(false),
      })
      .meta({
        id: 'ExportRequest',
        example: {
          encrypted_central_hub_project_id: sealedExample,
          net_id: 'default',
          accession_ids: ['ACC0001', 'ACC0002'],
          assessor_type: 'scan',
          resource_type: 'NIFTI',
          force_refresh: false,
        },
      }),
  }),
  answer: ExportAnswer,
  accepted: ExportAnswer,
  errors: { ...errors, 500: 'The type is none.' },
  async run({ body }, tools) {
    const status = await requestExport(await depsOf(tools), {
      net: body.net_id,
      sealedHubProjectId: body.encrypted_central_hub_project_id,
      accessions: body.accession_ids,
      part: studyPart(body.assessor_type, body.resource_type),
      isForced: body.force_refresh,
    })
    return new Accepted(`/exports/${status.exportId}`, answerOf(status))
  },
})

const path = z.object({ export_id: ExportId.meta({ example: exportId }) })
const noSuchExport = { 404: 'There is no export of this id.', 503: 'Storage is busy.' }

const readExport = route({
  method: 'GET',
  path: '/exports/{export_id}',
  operationId: 'getExport',
  summary: 'Tells how the download of each study of an export stands.',
  request: z.object({ path }),
  answer: ExportAnswer,
  errors: noSuchExport,
  run: async (request, tools) => answerOf(await getExport(await depsOf(tools), request.path.export_id)),
})

const filePath = 'scans/3-T1/resources/NIFTI/files/image.nii.gz'

const readFiles = route({
  method: 'GET',
  path: '/exports/{export_id}/files',
  operationId: 'listExportedFiles',
  summary: 'Lists the files of a downloaded study, with addresses to read them by without a mount.',
  request: z.object({
    path,
    query: z.object({
      accession_id: PathSegment.meta({ example: 'ACC0001' }),
      cursor: z.string().min(1).max(1024).optional().meta({ description: 'Of the page before.', example: filePath }),
      limit: z.coerce.number().int().min(1).max(1000).default(1000).meta({ example: 1000 }),
    }),
  }),
  answer: z
    .object({
      files: z.array(
        z.object({
          path: z.string().meta({ description: "Below the study's folder." }),
          sizeBytes: z.int().nonnegative(),
          url: z.string().meta({ description: 'Valid for an hour at most, without a key.' }),
        }),
      ),
      cursor: z.string().optional().meta({ description: 'Where the next page starts; absent when this is the last.' }),
    })
    .meta({
      id: 'ExportedFiles',
      example: {
        files: [{ path: filePath, sizeBytes: 3, url: 'https://bucket.s3.amazonaws.com/key?X-Amz-Signature=0' }],
      },
    }),
  errors: { ...noSuchExport, 409: 'The study is not downloaded, or no longer.' },
  run: async ({ path: { export_id }, query: { accession_id: accession, cursor, limit } }, tools) =>
    listExportedFiles(await depsOf(tools), export_id, { accession, cursor, limit }),
})

export const routes = [postDownload, postExport, readExport, readFiles]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
