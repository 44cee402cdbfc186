// What FLIP's training clients do (flip-contract 4.3), over HTTP against the local stack: the images bucket is their mount.
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { seal } from '../../lib/envelope.ts'
import { basic } from '../support/plain-http.ts'

const hubProjectId = '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b'
const net = 'net-1'

let stack: Stack
let s3: S3Client
let projectId: string
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
  const { endpoint, region, ...credentials } = stack.description.s3
  s3 = new S3Client({ endpoint, region, credentials })
  const project = await ask('POST', '/projects/create-project-from-central-hub-project', {
    project_id: hubProjectId,
    trust_id: '11111111-2222-4333-8444-555555555555',
    project_name: 'Training',
    query: 'SELECT accession_id FROM omop.image_occurrence',
  })
  projectId = project.body.ID
  const { url, user, password } = stack.description.xnat
  await fetch(`${url}/data/projects/${projectId}/subjects/S1/experiments/ACC1?xsiType=xnat:ctSessionData`, {
    method: 'PUT',
    headers: basic(user, password),
  })
}, 60_000)
afterAll(async () => {
  s3.destroy()
  await stack.stop()
})

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const { api, serviceKey } = stack.description
  const response = await fetch(api + path, {
    method,
    headers: { [serviceKey.header]: serviceKey.key, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
}

/** The mount: files below a path, as a client would open them. */
async function mounted(path: string): Promise<Map<string, string>> {
  const Bucket = stack.description.s3.buckets['images']
  const Prefix = `${path.replace('/app/data/images/', '')}/`
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))
  const files = Contents.map(async ({ Key = '' }) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    return [Key.slice(Prefix.length), (await Body?.transformToString()) ?? ''] as const
  })
  return new Map(await Promise.all(files))
}

async function write(path: string, Body: string): Promise<void> {
  const Bucket = stack.description.s3.buckets['images']
  await s3.send(new PutObjectCommand({ Bucket, Key: `${net}/upload/${path}`, Body }))
}

const sealedId = () => {
  const keys = { shared: Buffer.from(stack.description.envelopeKey, 'base64') }
  return seal(hubProjectId, { keys, kid: 'shared', context: 'project_id' })
}

const addResource = (resource_id: string, files: string[], headers = {}) =>
  ask(
    'PUT',
    `/upload/images/${net}`,
    { encrypted_central_hub_project_id: sealedId(), accession_id: 'ACC1', scan_id: '3', resource_id, files },
    headers,
  )
const getByAccessionNumber = (resourceType: string, headers = {}) =>
  ask(
    'POST',
    `/download/images/${net}?assessor_type=scan&resource_type=${resourceType}`,
    { encrypted_central_hub_project_id: sealedId(), accession_id: 'ACC1' },
    headers,
  )

describe("FLIP's training client", () => {
  it('finds under the answered path what it added, one request for each type, and what is added later', async () => {
    await write('run 1/image.nii', 'an image')
    await write('mask.nii', 'a mask')

    expect((await addResource('NIFTI', ['run 1/image.nii'])).status).toBe(200)
    expect((await addResource('SEG', ['mask.nii'])).status).toBe(200)
    const [nifti, seg] = [await getByAccessionNumber('NIFTI'), await getByAccessionNumber('SEG')]

    expect([nifti, seg]).toMatchObject(
      Array(2).fill({ status: 200, body: { path: `/app/data/images/${net}/${hubProjectId}/ACC1` } }),
    )
    const tree = await mounted(seg.body.path)
    expect(tree.get('scans/3/resources/NIFTI/files/run 1/image.nii')).toBe('an image')
    expect(tree.get('scans/3/resources/SEG/files/mask.nii')).toBe('a mask')

    await write('second.nii', 'another')
    expect((await addResource('SEG', ['second.nii'])).status).toBe(200)
    const again = await getByAccessionNumber('SEG')
    expect((await mounted(again.body.path)).get('scans/3/resources/SEG/files/second.nii')).toBe('another')
  }, 60_000)

  it('is told of a conflict, and of what is not there', async () => {
    await write('same.nii', 'one')
    expect((await addResource('SAME', ['same.nii'])).status).toBe(200)
    expect(await addResource('SAME', ['same.nii'])).toMatchObject({
      status: 409,
      body: { detail: 'Failed to upload files: File already exists on XNAT' },
    })
    expect(await getByAccessionNumber('DICOM')).toMatchObject({
      status: 404,
      body: { detail: 'Resource not found: 404: No DICOM data in XNAT' },
    })
  }, 60_000)

  it('need not wait: it is told where to ask', async () => {
    const later = { prefer: 'respond-async' }
    await write('later.nii', 'later')
    const upload = await addResource('LATER', ['later.nii'], later)
    expect(upload.status).toBe(202)
    const uploaded = async () => (await ask('GET', upload.headers.get('location') ?? '')).body
    await expect.poll(uploaded, { timeout: 20_000 }).toMatchObject({ state: 'done', urls: [expect.any(String)] })

    const download = await getByAccessionNumber('ALL', later)
    expect(download.status).toBe(202)
    const downloaded = async () => (await ask('GET', download.headers.get('location') ?? '')).body
    await expect
      .poll(downloaded, { timeout: 20_000 })
      .toMatchObject({ state: 'done', studies: [{ accession_id: 'ACC1' }] })
    expect((await getByAccessionNumber('ALL', later)).status).toBe(200)
  }, 60_000)
})
