import { randomBytes } from 'node:crypto'
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { md5 } from '../support/delivery-rig.ts'
import { basic } from '../support/plain-http.ts'

let stack: Stack
let s3: S3Client
let sqs: SQSClient
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
  const { endpoint, region, ...credentials } = stack.description.s3
  s3 = new S3Client({ endpoint, region, credentials })
  sqs = new SQSClient({ endpoint: stack.description.sqs.endpoint, region, credentials })
}, 60_000)
afterAll(async () => {
  s3.destroy()
  sqs.destroy()
  await stack.stop()
})

const hubProject = {
  project_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
  trust_id: '11111111-2222-4333-8444-555555555555',
  project_name: `Heart's "best" study`,
  query: 'SELECT accession_id FROM omop.image_occurrence',
  users: [],
  dicom_to_nifti: true,
}

async function api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const { api: url, serviceKey } = stack.description
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', [serviceKey.header]: serviceKey.key, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: JSON.parse((await response.text()) || 'null') }
}

async function xnat(path: string) {
  const { url, user, password } = stack.description.xnat
  return JSON.parse(await (await fetch(url + path, { headers: basic(user, password) })).text())
}

const provision = (body: unknown = hubProject) => api('POST', '/projects/create-project-from-central-hub-project', body)

async function put(key: string, body: Buffer, metadata: Record<string, string> = {}) {
  const command = new PutObjectCommand({
    Bucket: stack.description.s3.buckets['incoming'],
    Key: key,
    Body: body,
    Metadata: metadata,
  })
  await s3.send(command)
}

async function deadLetter(role: string) {
  const command = new ReceiveMessageCommand({
    QueueUrl: stack.description.sqs.queues[role],
    MessageAttributeNames: ['All'],
    WaitTimeSeconds: 15,
  })
  return (await sqs.send(command)).Messages?.[0]
}

describe('the main job', () => {
  it('makes one XNAT project of a hub project, however often it is asked', async () => {
    const answers = await Promise.all([provision(), provision(), provision()])

    for (const { status } of answers) expect(status).toBe(200)
    const [first] = answers
    expect(first?.body).toEqual({
      ID: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      name: `${hubProject.project_name}:${hubProject.project_id}-FL-Project`,
      created_users: [],
      added_users: [],
      failed_users: [],
    })
    expect(new Set(answers.map(({ body }) => body.ID)).size).toBe(1)
    const listing = await xnat('/data/projects?format=json')
    expect(listing.ResultSet.Result).toEqual([
      expect.objectContaining({ ID: first?.body.ID, secondary_ID: hubProject.project_id, name: first?.body.name }),
    ])
  })

  it('delivers what is put into S3, and shows it in XNAT and in a receipt', async () => {
    const { ID } = (await provision()).body
    const content = randomBytes(100_000)
    await put(`projects/${ID}/subjects/S1/experiments/MR1/scans/3/resources/DICOM/files/a/1.dcm`, content, {
      'xsi-type': 'xnat:mrSessionData',
    })

    // Those of its cohort come in time, too.
    const delivered = async () => {
      const { body } = await api('GET', `/projects/${ID}/experiments`)
      return body.find(({ label }: { label: string }) => label === 'MR1')
    }
    await expect.poll(delivered, { timeout: 20_000 }).toMatchObject({ project: ID, xsiType: 'xnat:mrSessionData' })

    const files = () =>
      xnat(`/data/projects/${ID}/subjects/S1/experiments/MR1/scans/3/resources/DICOM/files?format=json`).then(
        ({ ResultSet }) => ResultSet.Result.filter(({ URI }: { URI: string }) => URI.includes('/scans/3/')),
      )
    await expect.poll(async () => (await files()).length, { timeout: 20_000 }).toBe(1)
    expect((await files())[0]).toMatchObject({ Name: '1.dcm', Size: '100000', digest: md5(content) })
  })

  it('lays a key that it does not understand among the dead letters, with its code and nothing of the key', async () => {
    await put('patients/SMITH^JOHN/scan.dcm', Buffer.from('x'))

    const letter = await deadLetter('uploadsDeadLetters')

    expect(letter?.MessageAttributes?.['code']?.StringValue).toBe('KEY_NOT_UNDERSTOOD')
    expect(JSON.stringify(letter?.MessageAttributes)).not.toContain('SMITH')
    expect(JSON.parse(letter?.Body ?? '').Records[0].s3.object.key).toBe('patients/SMITH%5EJOHN/scan.dcm')
  })

  it('answers a receipt, and 404 for a delivery that has not ended', async () => {
    const { ID } = (await provision()).body
    await put(`projects/${ID}/resources/NOTES/files/a.txt`, Buffer.from('text'))
    const ids = async () => {
      const listing = new ListObjectsV2Command({ Bucket: stack.description.s3.buckets['state'], Prefix: 'receipts/' })
      return ((await s3.send(listing)).Contents ?? []).map(({ Key = '' }) =>
        Key.slice('receipts/'.length, -'.json'.length),
      )
    }
    const noteReceipt = async () => {
      const receipts = await Promise.all((await ids()).map((id) => api('GET', `/deliveries/${id}`)))
      return receipts.map(({ body }) => body).find(({ target }) => target.resourceLabel === 'NOTES')
    }

    await expect.poll(noteReceipt, { timeout: 20_000 }).toMatchObject({
      outcome: 'verified',
      files: [{ path: 'a.txt', sizeBytes: 4, md5: md5('text'), outcome: 'stored', verifiedBy: 'md5' }],
    })
    expect(await api('GET', '/deliveries/8204651870727-0123456789abcdef')).toMatchObject({
      status: 404,
      body: { detail: 'No delivery of this id has ended yet.' },
    })
  })
})

describe('the API', () => {
  it.each([
    [{}, 'X-Trust-Internal-Service-Key', '', 'Not authenticated: trust-internal service key is missing.'],
    [{}, 'X-Trust-Internal-Service-Key', 'wrong', 'Invalid trust-internal service key.'],
  ])('wants the service key', async (_, header, value, detail) => {
    expect(await api('GET', '/projects/p/experiments', undefined, { [header]: value })).toMatchObject({
      status: 401,
      body: { detail },
    })
  })

  it('answers health without a key', async () => {
    expect(await api('GET', '/health', undefined, { 'X-Trust-Internal-Service-Key': '' })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    })
  })

  it("says 404 in FLIP's words for a project that is not there", async () => {
    expect(await api('GET', '/projects/nowhere/experiments')).toMatchObject({
      status: 404,
      body: { detail: "404: Project with ID 'nowhere' not found." },
    })
  })

  it('refuses markup in a name and writes nothing', async () => {
    const reply = await provision({
      ...hubProject,
      project_id: '99999999-7d4a-4a55-9a0e-6c1d2e3f4a5b',
      project_name: 'a<b',
    })

    expect(reply).toMatchObject({
      status: 422,
      body: { detail: [{ type: 'value_error', loc: ['body', 'project_name'] }] },
    })
    const listing = await xnat('/data/projects?format=json&secondary_ID=99999999-7d4a-4a55-9a0e-6c1d2e3f4a5b')
    expect(listing.ResultSet.Result).toEqual([])
  })

  it('knows no other routes', async () => {
    expect(await api('GET', '/nothing-here')).toMatchObject({ status: 404, body: { detail: 'Not Found' } })
  })
})
