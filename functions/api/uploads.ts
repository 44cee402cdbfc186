import * as z from 'zod'
import { Accepted, apiHandler, route, type Tools } from '../../lib/handler.ts'
import { UploadId } from '../../lib/images/upload.ts'
import { readUpload, requestUpload, type UploadStatus } from '../../lib/services/request-upload.ts'
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
import { PathSegment, xnatErrors } from './schemas.ts'

const uploadId = '0123456789abcdef0123456789abcdef'

const UploadAnswer = Standing.extend({
  uploadId: UploadId,
  urls: z.array(z.string()).meta({ description: 'Addresses of the files in XNAT, when it is done.' }),
}).meta({
  id: 'Upload',
  description: 'How an upload stands.',
  example: { uploadId, ...standingExample, urls: [] },
})

const answerOf = ({ job, urls, uploadId }: UploadStatus): z.infer<typeof UploadAnswer> => ({
  uploadId,
  ...standingOf(job),
  urls,
})

const UploadBody = z
  .object({
    encrypted_central_hub_project_id: SealedProjectId,
    accession_id: PathSegment,
    scan_id: PathSegment.refine((id) => id !== 'ALL', 'must name one scan'),
    resource_id: PathSegment,
    files: z.array(z.string()).min(1, 'must not be empty').meta({
      description: "Paths below the net's `upload` folder, or absolute paths of such files as clients see them.",
    }),
    exist_ok: z.boolean().default(false).meta({ description: 'Replaces files of the same names in XNAT.' }),
  })
  .meta({
    id: 'UploadImages',
    example: {
      encrypted_central_hub_project_id: sealedExample,
      accession_id: 'ACC0001',
      scan_id: '3',
      resource_id: 'SEG',
      files: ['run-1/mask.nii.gz'],
      exist_ok: false,
    },
  })

const depsOf = async ({ config, deliveries, secrets, ...tools }: Tools) => ({
  ...tools,
  deliveries: deliveries.queue,
  envelopeKeys: (await secrets.envelopeKeys.get()).keys,
  xnatBaseUrl: config.xnat.url,
  settings: config.images,
})

const putUpload = route({
  method: 'PUT',
  path: '/upload/images/{net_id}',
  operationId: 'uploadImages',
  summary: "Puts files of a net's upload folder into a scan of a study in XNAT, and proves that they arrived.",
  request: z.object({ path: z.object({ net_id: NetId }), headers: Preference, body: UploadBody }),
  answer: z.array(z.string()).meta({
    description: 'Addresses of the files in XNAT.',
    example: ['http://xnat/data/projects/P1/subjects/S1/experiments/ACC0001/scans/3/resources/SEG/files/mask.nii.gz'],
  }),
  accepted: UploadAnswer,
  errors: {
    ...xnatErrors,
    400: 'The project id was not sealed for this, or a path leads out of its folder.',
    404: 'There is no such project or study in XNAT.',
    409: 'A file is in XNAT already, two files would get the same name there, or one changed meanwhile.',
    500: 'A file is not there, or the upload failed.',
  },
  async run({ path, headers, body }, tools) {
    const status = await requestUpload(await depsOf(tools), {
      net: path.net_id,
      sealedHubProjectId: body.encrypted_central_hub_project_id,
      accession: body.accession_id,
      scanId: body.scan_id,
      resourceLabel: body.resource_id,
      files: body.files,
      existOk: body.exist_ok,
      waitMs: patienceMs(headers, tools.config.images.answerWithinMs),
    })
    if (status.job.state === 'done') return status.urls
    return new Accepted(`/uploads/${status.uploadId}`, answerOf(status))
  },
})

const getUpload = route({
  method: 'GET',
  path: '/uploads/{upload_id}',
  operationId: 'getUpload',
  summary: 'Tells how an upload stands.',
  request: z.object({ path: z.object({ upload_id: UploadId.meta({ example: uploadId }) }) }),
  answer: UploadAnswer,
  errors: { 404: 'There is no upload of this id.', 503: 'Storage is busy.' },
  run: async ({ path }, tools) => answerOf(await readUpload(await depsOf(tools), path.upload_id)),
})

export const routes = [putUpload, getUpload]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
