// One run of each worker and of the sweep on messages that are full of markers, and on what they do not understand.
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Context, SQSEvent } from 'aws-lambda'
import { createHandler as createSweep } from '../../functions/schedules/sweep-imports.ts'
import { createHandler as createDelivery } from '../../functions/workers/deliver-files.ts'
import { createHandler as createExport } from '../../functions/workers/export-images.ts'
import { createHandler as createPlanner } from '../../functions/workers/import-cohort.ts'
import { createHandler as createAsker } from '../../functions/workers/import-studies.ts'
import { createHandler as createRouting } from '../../functions/workers/route-objects.ts'
import { StudiesOrder } from '../../lib/imports/messages.ts'
import type { Wire } from '../../lib/wire.ts'
import { ask } from './api-requests.ts'
import { hubProjectId, type Labels } from './canary-labels.ts'
import { deliveryTries } from './canary-rig.ts'
import type { Scenario, Site } from './canary-scenarios.ts'
import { instance, tarred } from './dicom-studies.ts'
import { createdRecord, eventOf, lambdaContext, sqsEvent } from './events.ts'
import { sealed } from './images-rig.ts'

type CreateHandler = (wire: Wire) => (event: SQSEvent, context: Context) => Promise<unknown>

export const workers: Readonly<Record<string, CreateHandler>> = {
  routeObjects: createRouting,
  deliverFiles: createDelivery,
  exportImages: createExport,
  importCohort: createPlanner,
  importStudies: createAsker,
}

export function workerScenarios({ rig, labels, projectId }: Site): Scenario[] {
  const { wired, queues } = rig
  const { folder, file, resource, session, subject, net } = labels
  const experiment = `projects/${projectId}/subjects/${subject}/experiments/${session}`
  let order: StudiesOrder | undefined
  const lastOf = (queue: keyof typeof queues) => queues[queue].queue.sent.at(-1)?.body ?? ''
  const put = async (Bucket: string, Key: string, Body: Buffer | string) => {
    const Metadata = { 'xsi-type': 'xnat:mrSessionData' }
    const { ETag = '' } = await rig.aws.s3.send(new PutObjectCommand({ Bucket, Key, Body, Metadata }))
    return { key: Key, size: Buffer.byteLength(Body), eTag: ETag.replaceAll('"', '') }
  }
  const notified = async (key: string, body: Buffer | string) =>
    JSON.stringify({ Records: [createdRecord(await put('incoming', key, body))] })
  const ordered = async (key: string, body: Buffer | string) => {
    await createRouting(() => wired)(sqsEvent([await notified(key, body)]), lambdaContext())
    return lastOf('deliveries')
  }
  const askClient = (method: string, path: string, more: { query?: Record<string, string>; body: object }) =>
    ask(wired, {
      method,
      path: `${path}/value`,
      pathParameters: { net_id: net },
      headers: { ...rig.keyHeaders, prefer: 'respond-async' },
      ...(more.query && { query: more.query }),
      body: JSON.stringify({
        encrypted_central_hub_project_id: sealed(hubProjectId),
        accession_id: session,
        ...more.body,
      }),
    })

  /** Works on one message at the last of its tries, so that any failure gives it up. */
  const work = (name: string, createHandler: CreateHandler, messageFor: (run: number) => Promise<string>): Scenario => {
    let message = ''
    return {
      name,
      async arrange(run) {
        message = await messageFor(run)
      },
      async act(parts) {
        const event = sqsEvent([message], { group: 'group', receiveCount: deliveryTries })
        await createHandler(() => parts)(event, lambdaContext())
        return undefined
      },
    }
  }
  const sweep = (name: string, event: () => object): Scenario => ({
    name,
    async act(parts) {
      await createSweep(() => parts)(event(), lambdaContext())
      return undefined
    },
  })

  return [
    work('routeObjects', createRouting, (run) =>
      notified(`${experiment}/resources/${resource}/files/${run}`, 'content'),
    ),
    work('deliverFiles', createDelivery, (run) =>
      ordered(`${experiment}/scans/${labels.scan}/resources/${resource}/files/${folder}/${run}-${file}`, 'content'),
    ),
    work('deliverFiles, a session', createDelivery, async (run) => {
      const { patientName: PatientName, patientId: PatientID, accession: AccessionNumber } = labels
      const image = instance(file, { PatientName, PatientID, AccessionNumber, StudyInstanceUID: `2.25.${run}` })
      return ordered(`${experiment}x${run}/dicom/${folder}/${file}.tar`, await tarred([image]))
    }),
    work('deliverFiles, an upload', createDelivery, async (run) => {
      await put('images', `${net}/upload/${folder}/${run}-${file}`, 'content')
      const files = [`${folder}/${run}-${file}`]
      await askClient('PUT', '/upload/images', { body: { scan_id: '3', resource_id: `${resource}${run}`, files } })
      return lastOf('deliveries')
    }),
    work('exportImages', createExport, async () => {
      await askClient('POST', '/download/images', { query: { force_refresh: 'true' }, body: {} })
      return lastOf('exports')
    }),
    work('importCohort', createPlanner, async () =>
      JSON.stringify({ kind: 'look', projectId, cause: 'asked', query: labels.query }),
    ),
    work('importStudies', createAsker, async (run) => {
      if (order === undefined) {
        const named = eventOf([{ kind: 'name', projectId, accessionNumbers: [labels.accession] }])
        await createPlanner(() => wired)(named, lambdaContext())
        order = StudiesOrder.parse(JSON.parse(lastOf('studies')))
      }
      return JSON.stringify({ ...order, requestId: `${order.requestId}-${run}` })
    }),
    sweep('sweepImports', () => ({ time: new Date().toISOString() })),
    sweep('sweepImports on nonsense', () => ({ time: labels.patientName, [labels.patientName]: labels.accession })),
    ...Object.entries(workers).map(
      ([name, createHandler]): Scenario => ({
        name: `${name} on nonsense`,
        async act(parts) {
          for (const body of nonsense(labels, experiment)) {
            await createHandler(() => parts)(sqsEvent([body], { group: 'group' }), lambdaContext())
          }
          return undefined
        },
      }),
    ),
  ]
}

/** Messages that nobody sends who means well. */
function nonsense({ patientName, accession, file, folder }: Labels, experiment: string): string[] {
  const record = createdRecord({ key: 'key' })
  const records = (...some: object[]) => ({ Records: some })
  return [
    `{"PatientName": "${patientName}`,
    `${patientName}\n    at ${patientName} (a.ts:1:1)`,
    ...[
      { [patientName]: accession, projectId: { [accession]: 1 } },
      { downloadId: accession, uploadId: accession, jobId: accession },
      { kind: patientName, deliveryId: patientName, projectId: 'P1' },
      records({ eventName: patientName, s3: { object: { key: file } } }),
      records({ ...record, eventName: `ObjectRemoved:${patientName}` }),
      records({ ...record, s3: { object: { key: `%zz${file}` } } }),
      records({ ...record, s3: { object: { key: { [file]: file } } } }),
      records(createdRecord({ key: `${patientName}/${file}` })),
      records(createdRecord({ key: `${experiment}/dicom/${folder}/${file}` })),
    ].map((body) => JSON.stringify(body)),
  ]
}
