// What FLIP's trust-api asks, in the order of a project's life (flip-contract 4.2, 4.4; londonaicentre/FLIP
// trust/trust-api/trust_api/services/task_handlers.py and health_collector.py, flip-api/src/flip_api/domain/interfaces/
// trust.py and domain/schemas/users.py for what the hub sends). A further call is a row more.
import { expect } from 'vitest'
import type { HttpxCall } from '../../support/httpx.ts'

export interface CallerCall extends HttpxCall {
  name: string
  /** Task handlers make a client for each call, with 30 s and redirects; the health collector has one, with 5 s. */
  by: 'task-handler' | 'health-collector'
  status: number
  answer?: object
}

export interface Hub {
  hubProjectId: string
  /** The ID that the hub was answered when it first asked for the project. */
  imagingProjectId: string
  email: string
  key: Record<string, string>
}

const sql = 'SELECT accession_id FROM omop.image_occurrence'
/** As the hub encodes a query: for URLs, without padding. */
const encoded_query = Buffer.from(sql).toString('base64url')

const counts = Object.fromEntries(
  ['successful', 'failed', 'processing', 'queued', 'queue_failed'].map((name) => [`${name}_count`, expect.any(Number)]),
)

/** A project's name as people write it: neither ASCII alone nor without quotes. */
export const projectName = `Étude "cœur" n° 7`

export const createPayload = ({ hubProjectId, email }: Pick<Hub, 'hubProjectId' | 'email'>) => ({
  project_id: hubProjectId,
  trust_id: '11111111-2222-4333-8444-555555555555',
  project_name: projectName,
  query: sql,
  users: [
    {
      id: '21111111-2222-4333-8444-555555555555',
      email,
      name: 'Zoë Nobody',
      organisation: 'Sample Trust',
      is_disabled: false,
    },
    {
      id: '31111111-2222-4333-8444-555555555555',
      email: 'gone@x.example',
      name: '',
      organisation: '',
      is_disabled: true,
    },
  ],
  dicom_to_nifti: true,
})

export function trustApiCalls(hub: Hub): CallerCall[] {
  const { hubProjectId, imagingProjectId, email, key: headers } = hub
  const create = { method: 'POST', path: '/projects/create-project-from-central-hub-project', headers } as const
  const missing = { detail: `404: Project with ID '${imagingProjectId}' not found.` }
  const fromTasks: Omit<CallerCall, 'by'>[] = [
    {
      name: 'create_imaging, once more after the hub has queued it again',
      ...create,
      json: createPayload(hub),
      status: 200,
      answer: {
        ID: imagingProjectId,
        name: `${projectName}:${hubProjectId}-FL-Project`,
        created_users: [{ email, username: expect.any(String), encrypted_setup_path: expect.any(String) }],
        added_users: [],
      },
    },
    {
      name: 'create_imaging of a project without a query',
      ...create,
      json: { ...createPayload(hub), query: null },
      status: 422,
      answer: { detail: [{ loc: ['body', 'query'] }] },
    },
    {
      name: 'get_imaging_status',
      method: 'GET',
      path: `/retrieval/import_status_count/${imagingProjectId}`,
      params: { encoded_query },
      headers,
      status: 200,
      answer: { project_creation_completed: true, import_status: counts },
    },
    {
      name: 'reimport_studies',
      method: 'PUT',
      path: `/retrieval/reimport_imaging_project_studies/${imagingProjectId}`,
      params: { encoded_query },
      headers,
      status: 202,
      answer: { message: 'Reimport queued', projectId: imagingProjectId },
    },
    ...[false, true].map((enabled) => ({
      name: `update_user_profile, ${enabled ? 'on' : 'off'}`,
      method: 'PUT' as const,
      path: '/users',
      headers,
      json: { email, enabled },
      status: 200,
      answer: { email, enabled },
    })),
    {
      name: 'update_user_profile of a user whom this trust does not have',
      method: 'PUT',
      path: '/users',
      headers,
      json: { email: 'nobody@x.example', enabled: false },
      status: 404,
      answer: { detail: '404: User not found by email' },
    },
    {
      name: 'delete_imaging as an earlier trust-api sent it (FLIP#963)',
      method: 'DELETE',
      path: '/projects/',
      params: { project_id: imagingProjectId },
      headers,
      status: 405,
    },
    {
      name: 'delete_imaging',
      method: 'DELETE',
      path: `/projects/${imagingProjectId}`,
      headers,
      status: 200,
      answer: { ID: imagingProjectId, secondary_ID: hubProjectId },
    },
    {
      name: 'delete_imaging, once more',
      method: 'DELETE',
      path: `/projects/${imagingProjectId}`,
      headers,
      status: 404,
      answer: missing,
    },
  ]
  return [
    {
      name: 'the health of the service, without a key',
      by: 'health-collector',
      method: 'GET',
      path: '/health',
      status: 200,
      answer: { version: expect.stringMatching(/^.{1,64}$/) },
    },
    {
      name: 'the health of the PACS',
      by: 'health-collector',
      method: 'GET',
      path: '/imaging/ping_pacs',
      headers,
      status: 200,
      answer: { successful: true },
    },
    ...fromTasks.map((call): CallerCall => ({ ...call, by: 'task-handler' })),
  ]
}
