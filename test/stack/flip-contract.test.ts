// FLIP's contract for health, projects, imaging and users, over HTTP against the local stack (flip-contract 1, 2, 4).
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { open } from '../../lib/envelope.ts'

let stack: Stack
let projectId: string
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
  projectId = (await ask('POST', createPath, { body: hubPayload })).body.ID
  await standIn('POST', '/__stand-in/pacs', { projects: [projectId] })
  await standIn('POST', '/__stand-in/pacs/studies', { accessionNumber: 'ACC1', studyInstanceUid: '2.25.1' })
}, 60_000)
afterAll(() => stack.stop())

const createPath = '/projects/create-project-from-central-hub-project'

/** What the hub sends, as trust-api passes it on: unchanged, unknown keys included (flip-contract 4.2, 4.4). */
const hubPayload = {
  project_id: '3F2B8C1E-7D4A-4A55-9A0E-6C1D2E3F4A5B',
  trust_id: '11111111-2222-4333-8444-555555555555',
  project_name: "Heart's study",
  query: 'SELECT accession_id FROM omop.image_occurrence',
  users: [
    { id: '21111111-2222-4333-8444-555555555555', email: 'Ann.Lee@x.example', is_disabled: false },
    { id: '31111111-2222-4333-8444-555555555555', email: 'gone@x.example', is_disabled: true },
  ],
  dicom_to_nifti: true,
  something_new: { that: 'is ignored' },
}

interface Reply {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked at as a caller would, before it is trusted
  body: any
}

async function ask(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const { api, serviceKey } = stack.description
  const response = await fetch(api + path, {
    method,
    headers: { [serviceKey.header]: serviceKey.key, 'content-type': 'application/json', ...options.headers },
    ...(options.body !== undefined && {
      body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body),
    }),
  })
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
}

async function standIn(method: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(stack.description.xnat.url + path, { method, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
}

const noKey = { headers: { 'X-Trust-Internal-Service-Key': '' } }

describe("trust-api's requests", () => {
  it('creates a project, and again, with the same ID and name', async () => {
    const [first, second] = [
      await ask('POST', createPath, { body: hubPayload }),
      await ask('POST', createPath, { body: hubPayload }),
    ]

    expect(first.status).toBe(200)
    expect(first.body).toEqual({
      ID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: "Heart's study:3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b-FL-Project",
      created_users: [{ username: 'AnnLee', encrypted_setup_path: expect.any(String), email: 'Ann.Lee@x.example' }],
      added_users: [],
      failed_users: [],
    })
    expect([second.body.ID, second.body.name]).toEqual([first.body.ID, first.body.name])
  })

  it('seals the set-up path for the hub alone', async () => {
    const { body } = await ask('POST', createPath, { body: hubPayload })
    const sealed = body.created_users[0].encrypted_setup_path

    expect(Buffer.from(sealed, 'base64').toString()).toMatch(/^\{"v": 1, "kid": "shared", "iv": /)
    expect(() => open(sealed, { keys: { shared: Buffer.alloc(32) }, context: 'xnat_setup_path' })).toThrow()
  })

  it('reads health without a key', async () => {
    for (const path of ['/health', '/health/']) {
      const { status, body } = await ask('GET', path, noKey)
      expect([status, body.status, typeof body.version, body.dead_tasks]).toEqual([200, 'ok', 'string', []])
    }
  })

  it('pings the PACS and reads `successful`', async () => {
    expect(await ask('GET', '/imaging/ping_pacs')).toMatchObject({
      status: 200,
      body: { successful: true, enabled: true },
    })
    await standIn('POST', '/__stand-in/settings', { pacsDown: true })
    expect(await ask('GET', '/imaging/ping_pacs')).toMatchObject({ status: 200, body: { successful: false } })
    await standIn('POST', '/__stand-in/settings', { pacsDown: false })
  })

  it('switches a user off and on; nothing to change is fine, nobody of that address is 404', async () => {
    const email = 'Ann.Lee@x.example'
    expect(await ask('PUT', '/users', { body: { email, enabled: false } })).toMatchObject({
      status: 200,
      body: { username: 'AnnLee', enabled: false },
    })
    expect(await ask('PUT', '/users', { body: { email, enabled: false } })).toMatchObject({
      status: 200,
      body: { enabled: false },
    })
    expect(await ask('PUT', '/users', { body: { email, enabled: true } })).toMatchObject({
      status: 200,
      body: { enabled: true },
    })
    expect(await ask('PUT', '/users', { body: { email: 'nobody@x.example', enabled: true } })).toMatchObject({
      status: 404,
      body: { detail: '404: User not found by email' },
    })
  })

  it('deletes a project once', async () => {
    const other = { ...hubPayload, project_id: '4f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b', users: [] }
    const { ID } = (await ask('POST', createPath, { body: other })).body

    expect(await ask('DELETE', `/projects/${ID}`)).toMatchObject({
      status: 200,
      body: { ID, secondary_ID: other.project_id },
    })
    expect(await ask('DELETE', `/projects/${ID}`)).toMatchObject({
      status: 404,
      body: { detail: `404: Project with ID '${ID}' not found.` },
    })
  })
})

describe('every route but health', () => {
  it.each([
    ['GET', '/projects/'],
    ['GET', '/projects'],
    ['GET', '/users'],
    ['GET', '/imaging/ping_pacs/1'],
    ['GET', '/projects/x/experiments'],
    ['POST', createPath],
  ])('%s %s wants the service key', async (method, path) => {
    const body = method === 'POST' ? { body: '{}' } : {}
    expect(await ask(method, path, { ...noKey, ...body })).toMatchObject({
      status: 401,
      body: { detail: 'Not authenticated: trust-internal service key is missing.' },
    })
    const wrong = { headers: { 'X-Trust-Internal-Service-Key': 'wrong' } }
    expect(await ask(method, path, { ...wrong, ...body })).toMatchObject({
      status: 401,
      body: { detail: 'Invalid trust-internal service key.' },
    })
  })
})

describe('the projects routes', () => {
  const project = () => ({
    ID: projectId,
    URI: `/data/projects/${projectId}`,
    secondary_ID: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
    name: "Heart's study:3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b-FL-Project",
    description: 'Project corresponding to central hub project 3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
    pi_firstname: '',
    pi_lastname: '',
  })

  it('list and read projects in the same shape', async () => {
    expect((await ask('GET', '/projects/')).body).toContainEqual(project())
    expect(await ask('GET', `/projects/${projectId}`)).toMatchObject({ status: 200, body: project() })
  })

  it('create a plain project from the query, once', async () => {
    const path = '/projects/?project_id=PLAIN&project_secondary_id=plain-1&project_name=Plain'
    expect(await ask('POST', path)).toMatchObject({
      status: 200,
      body: { ID: 'PLAIN', secondary_ID: 'plain-1', name: 'Plain' },
    })
    expect(await ask('POST', path)).toMatchObject({
      status: 400,
      body: { detail: "Project ID 'PLAIN' already exists. Can't create a new project with the same ID." },
    })
    expect(await ask('POST', '/projects/?project_id=X')).toMatchObject({
      status: 422,
      body: {
        detail: [{ type: 'missing', loc: ['query', 'project_secondary_id'] }, { loc: ['query', 'project_name'] }],
      },
    })
  })

  it.each([
    ['/projects/nowhere', "404: Project with ID 'nowhere' not found."],
    ['/projects/nowhere/subjects', "404: Project with ID 'nowhere' not found."],
    ['/projects/nowhere/experiments', "404: Project with ID 'nowhere' not found."],
    ['/projects/nowhere/experiment/E', "404: Project with ID 'nowhere' not found."],
  ])('%s is 404', async (path, detail) => {
    expect(await ask('GET', path)).toMatchObject({ status: 404, body: { detail } })
  })

  it('read subjects and experiments, and one experiment as XNAT has it', async () => {
    const { url, user, password } = stack.description.xnat
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    await fetch(`${url}/data/projects/${projectId}/subjects/S1/experiments/E1?xsiType=xnat:dxSessionData`, {
      method: 'PUT',
      headers: { authorization },
    })

    expect((await ask('GET', `/projects/${projectId}/subjects`)).body).toMatchObject([
      { label: 'S1', project: projectId, insert_user: 'admin', URI: expect.stringMatching(/^\/data\/subjects\//) },
    ])
    expect((await ask('GET', `/projects/${projectId}/experiments`)).body).toMatchObject([
      { label: 'E1', xsiType: 'xnat:dxSessionData' },
    ])
    expect((await ask('GET', `/projects/${projectId}/experiment/E1`)).body).toMatchObject({
      items: [{ data_fields: { label: 'E1' } }],
    })
    expect(await ask('GET', `/projects/${projectId}/experiment/E9`)).toMatchObject({
      status: 404,
      body: { detail: `404: Experiment with ID or label 'E9' not found in project '${projectId}'.` },
    })
  })
})

describe('the users routes', () => {
  const user = {
    username: 'bob',
    password: 'Fake-password-1!',
    email: 'bob@x.example',
    firstName: 'Bob',
    lastName: 'B',
  }

  it('list users and create one, with 200', async () => {
    expect(await ask('POST', '/users', { body: user })).toMatchObject({
      status: 200,
      body: { username: 'bob', enabled: true, verified: true, secured: true },
    })
    expect((await ask('GET', '/users')).body.map(({ username }: { username: string }) => username)).toContain('bob')
    expect(await ask('POST', '/users', { body: user })).toMatchObject({
      status: 409,
      body: { detail: "Error: User 'bob' already exists" },
    })
    expect((await ask('POST', '/users', { body: { username: 'x' } })).status).toBe(422)
  })

  it('add a user to a project', async () => {
    await ask('POST', '/users', { body: { ...user, username: 'eve', email: 'eve@x.example' } })
    expect(await ask('PUT', `/users/add-to-project/eve/${projectId}`)).toMatchObject({
      status: 200,
      body: { username: 'eve' },
    })
    expect((await ask('PUT', `/users/add-to-project/nobody/${projectId}`)).status).toBe(404)
    expect((await ask('PUT', '/users/add-to-project/eve/nowhere')).status).toBe(404)
  })
})

describe('the imaging routes', () => {
  it('ping a PACS by its number', async () => {
    const { pacsId } = (await ask('GET', '/imaging/ping_pacs')).body
    expect(await ask('GET', `/imaging/ping_pacs/${pacsId}`)).toMatchObject({
      status: 200,
      body: { pacsId, successful: true },
    })
    expect(await ask('GET', '/imaging/ping_pacs/4711')).toMatchObject({
      status: 404,
      body: { detail: "404: PACS with ID '4711' not found." },
    })
    expect((await ask('GET', '/imaging/ping_pacs/first')).status).toBe(422)
  })

  it('find studies by accession number, or none', async () => {
    expect((await ask('GET', '/imaging/query_by_accession_number?accession_number=ACC1')).body).toMatchObject([
      {
        studyInstanceUid: '2.25.1',
        accessionNumber: 'ACC1',
        patient: { id: expect.any(String) },
        modalitiesInStudy: expect.any(Array),
      },
    ])
    expect(await ask('GET', '/imaging/query_by_accession_number?accession_number=ACC9')).toMatchObject({
      status: 200,
      body: [],
    })
    expect((await ask('GET', '/imaging/query_by_accession_number')).status).toBe(422)
    expect((await ask('GET', '/imaging/query_by_accession_number?accession_number=*')).status).toBe(422)
  })

  it('queue an import, and say what is not there', async () => {
    const queue = (body: unknown) => ask('POST', '/imaging/queue_image_import_request', { body })
    const studies = [{ studyInstanceUid: '2.25.1', accessionNumber: 'ACC1' }]

    expect(await queue({ projectId, studies })).toMatchObject({
      status: 200,
      body: [{ status: 'QUEUED', accessionNumber: 'ACC1' }],
    })
    expect(await queue({ projectId: 'nowhere', studies })).toMatchObject({
      status: 404,
      body: { detail: "404: Project with ID 'nowhere' not found." },
    })
    expect(
      await queue({ projectId, studies: [{ studyInstanceUid: '2.25.9', accessionNumber: 'ACC9' }] }),
    ).toMatchObject({
      status: 404,
      body: { detail: '404: No studies found on PACS with the study instance UID(s) provided' },
    })
    expect(
      await queue({ projectId, studies: [...studies, { studyInstanceUid: '2.25.9', accessionNumber: 'ACC9' }] }),
    ).toMatchObject({
      status: 500,
      body: { detail: 'Some studies not found on PACS: 2.25.9' },
    })
    expect((await queue({ projectId, studies: [] })).status).toBe(422)
    expect(
      (await queue({ projectId, studies: [{ studyInstanceUid: '2.25.1', accessionNumber: '../x' }] })).status,
    ).toBe(422)
  })
})
