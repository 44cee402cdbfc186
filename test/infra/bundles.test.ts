// What is deployed, and not what it was made of: how large it is, and that it works.
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest'
import { startStack } from '../../infra/local/stack.ts'
import { bundledFunctions, type PackagedService, packagedService } from '../support/packaged-service.ts'

let service: PackagedService
beforeAll(async () => {
  service = await packagedService()
}, 60_000)
afterAll(() => service.remove())

const mostBytes = 1_000_000

it('no function is larger than 1 MB when zipped: a cold start loads it', async () => {
  const functions = await bundledFunctions(service)
  expect(functions.length).toBe(inject('service').functions.length)
  const large = functions.filter(({ zippedBytes }) => zippedBytes > mostBytes)
  expect(large.map(({ name, zippedBytes }) => `${name}: ${zippedBytes}`)).toEqual([])
}, 120_000)

it('the bundles provision a project, deliver a file into it and answer its receipt', async () => {
  const stack = await startStack({ service: inject('service'), bundles: true, bundlesDir: service.dir })
  onTestFinished(() => stack.stop())
  const { api, serviceKey, s3: place } = stack.description
  const { endpoint, region, buckets, ...credentials } = place
  const s3 = new S3Client({ endpoint, region, credentials })
  onTestFinished(() => s3.destroy())
  const ask = async (method: string, path: string, body?: unknown) => {
    const headers = { [serviceKey.header]: serviceKey.key, 'content-type': 'application/json' }
    const reply = await fetch(api + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return JSON.parse(await reply.text())
  }

  const hubId = '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b'
  const { ID } = await ask('POST', '/projects/create-project-from-central-hub-project', {
    project_id: hubId,
    trust_id: hubId,
    project_name: 'Bundled',
    query: 'SELECT accession_id FROM omop.image_occurrence',
  })
  const Key = `projects/${ID}/resources/NOTES/files/a.txt`
  await s3.send(new PutObjectCommand({ Bucket: buckets['incoming'], Key, Body: 'text' }))

  const outcomes = async () =>
    (await ask('GET', `/deliveries?project_id=${ID}`)).deliveries?.map(({ outcome }: { outcome: string }) => outcome)
  await expect.poll(outcomes, { timeout: 60_000, interval: 500 }).toEqual(['verified'])
  expect((await fetch(`${api}/docs`)).headers.get('content-type')).toMatch(/^text\/html/)
}, 120_000)
