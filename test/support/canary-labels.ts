// What people typed or patients have, each with a marker in it, and the site in which it stands.
import { randomUUID } from 'node:crypto'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import * as z from 'zod'
import type { RouteDescription } from '../../lib/handler.ts'
import { ensureExperiment } from '../../lib/xnat/archive.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createUser } from '../../lib/xnat/users.ts'
import { ask, documented, exampleParts, Parts, requestOf } from './api-requests.ts'
import type { CanaryRig } from './canary-rig.ts'
import { sealed } from './images-rig.ts'
import type { Markers } from './markers.ts'

export type Labels = ReturnType<typeof plantLabels>

export function plantLabels(markers: Markers) {
  const query = `SELECT accession_id FROM ${markers.plant('cohort query')}`
  return {
    query,
    encodedQuery: Buffer.from(query).toString('base64url'),
    projectName: markers.plant('project name'),
    description: markers.plant('project description'),
    subject: markers.plant('subject label'),
    session: markers.plant('session label'),
    scan: markers.plant('scan id'),
    resource: markers.plant('resource label'),
    folder: markers.plant('folder name'),
    file: `${markers.plant('file name')}.dcm`,
    accession: markers.plant('accession number'),
    patientName: `${markers.plant('patient name')}^Jane`,
    patientId: markers.plant('patient id'),
    studyDescription: markers.plant('study description'),
    physician: markers.plant('referring physician'),
    email: `${markers.plant('e-mail')}@example.org`,
    username: markers.plant('username'),
    password: `${markers.plant("user's password")}!1`,
    firstName: markers.plant('first name'),
    lastName: markers.plant('last name'),
    bearerToken: markers.plant('bearer token'),
    cookie: markers.plant('cookie'),
    /** Put into any field. */
    stray: markers.plant('stray value'),
    studyInstanceUid: '2.25.4711',
    net: 'net-1',
  }
}

export const hubProjectId = '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b'
/** The examples' id of it in XNAT. */
const exampleProjectId = '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a'

const places: Readonly<Record<string, (labels: Labels, run: number) => string>> = {
  'study-1': ({ projectName }, run) => `${projectName}-${run}`,
  'First study': ({ projectName }, run) => `${projectName} ${run}`,
  'Second study': ({ projectName }, run) => `${projectName} ${run}`,
  'Knees, left and right': ({ description }) => description,
  'SELECT accession_id FROM omop.image_occurrence': ({ query }) => query,
  U0VMRUNUIGFjY2Vzc2lvbl9pZCBGUk9NIG9tb3AuaW1hZ2Vfb2NjdXJyZW5jZQ: ({ encodedQuery }) => encodedQuery,
  'sam.doe@example.org': ({ email }) => email,
  'jo.bloggs@example.org': ({ email }) => email,
  samdoe: ({ username }) => username,
  jbloggs: ({ username }) => username,
  'example-password-1': ({ password }) => password,
  Jo: ({ firstName }) => firstName,
  Bloggs: ({ lastName }) => lastName,
  ACC0001: ({ session }) => session,
  ACC0002: ({ accession }) => accession,
  S1: ({ subject }) => subject,
  MR1: ({ session }) => session,
  P1: (_, run) => `P${run}`,
  default: ({ net }) => net,
  SEG: ({ resource }, run) => `${resource}${run}`,
  'run-1/mask.nii.gz': ({ folder, file }) => `${folder}/${file}`,
  '1.2.3.4': ({ studyInstanceUid }) => studyInstanceUid,
}

/** Who is made must be new, or is there already. */
const isNewUser = ({ operationId }: RouteDescription) => ['createUser', 'provisionProject'].includes(operationId)

/** The example of a route with the labels in its fields; `run` tells apart what is made. */
export function partsWith(
  route: RouteDescription,
  labels: Labels,
  { projectId, run }: { projectId: string; run: number },
) {
  const text = JSON.stringify(exampleParts(route), (name, value) => {
    if (name === 'project_id' && value === hubProjectId) return randomUUID()
    if (name === 'encrypted_central_hub_project_id') return sealed(hubProjectId)
    if (name === 'email' && isNewUser(route)) return `${run}.${labels.email}`
    if (name === 'username' && isNewUser(route)) return `${labels.username}${run}`
    if (value === exampleProjectId) return projectId
    return typeof value === 'string' && Object.hasOwn(places, value) ? places[value]?.(labels, run) : value
  })
  return Parts.parse(JSON.parse(text))
}

/** A provisioned project with a session of one scan, a study in the PACS, an account, and a file to be uploaded. */
export async function furnish(rig: CanaryRig, labels: Labels): Promise<{ projectId: string }> {
  const projectId = await provision(rig, labels)
  rig.standIn.pacs.add({
    accessionNumber: labels.accession,
    studyInstanceUid: labels.studyInstanceUid,
    patientName: labels.patientName,
    patientId: labels.patientId,
    studyDescription: labels.studyDescription,
    referringPhysicianName: labels.physician,
    series: [{ instances: 1 }],
  })
  const xnat = rig.newXnatClient()
  const { subject: subjectLabel, session: label, file, folder, username, email, password, firstName, lastName } = labels
  const session = { projectId, subjectLabel, label, xsiType: 'xnat:mrSessionData' }
  const scan = xnatPath`/data/experiments/${(await ensureExperiment(xnat, session)).experimentId}/scans/3`
  await xnat.put(scan, { query: { xsiType: 'xnat:mrScanData' } })
  await xnat.put(xnatPath`${scan}/resources/NIFTI`)
  const body = { text: 'content', contentType: 'application/octet-stream' }
  await xnat.put(xnatPath`${scan}/resources/NIFTI/files/${file}`, { query: { inbody: true }, body })
  await createUser(xnat, { username, email, password, firstName, lastName, enabled: true })
  await xnat.close()
  const Key = `${labels.net}/upload/${folder}/${file}`
  await rig.aws.s3.send(new PutObjectCommand({ Bucket: 'images', Key, Body: 'content' }))
  return { projectId }
}

async function provision(rig: CanaryRig, labels: Labels): Promise<string> {
  const route = documented.find(({ operationId }) => operationId === 'provisionProject')
  if (route === undefined) throw new Error('projects cannot be provisioned')
  const parts = partsWith(route, labels, { projectId: '', run: 0 })
  const body = { ...z.looseObject({}).parse(parts.body), project_id: hubProjectId, users: [] }
  const reply = await ask(rig.wired, { ...requestOf(route, { ...parts, body }), headers: rig.keyHeaders })
  return z.object({ ID: z.string() }).parse(reply.body).ID
}
