import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { sampleStudies } from '../../infra/local/sample-studies.ts'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { askXnat } from '../support/stack-xnat.ts'

let stack: Stack
let s3: S3Client
beforeAll(async () => {
  stack = await startStack({ service: inject('service') })
  const { endpoint, region, ...credentials } = stack.description.s3
  s3 = new S3Client({ endpoint, region, credentials })
  await xnat('PUT', '/data/projects/P1?xnat:projectData/secondary_ID=hub-1')
}, 60_000)
afterAll(async () => {
  s3.destroy()
  await stack.stop()
})

const xnat = (method: string, path: string) => askXnat(stack.description.xnat, method, path)

async function api(method: string, path: string, body?: unknown) {
  const { api: url, serviceKey } = stack.description
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', [serviceKey.header]: serviceKey.key },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return JSON.parse(await response.text())
}

async function put(key: string, body: Buffer | string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: stack.description.s3.buckets['incoming'], Key: key, Body: body }))
}

/** The command line in a process of its own, as a shell starts it. */
function conduit(...args: string[]): Promise<{ exitCode: unknown; stdout: string; stderr: string }> {
  const { api: url, serviceKey } = stack.description
  const main = join(import.meta.dirname, '../../functions/cli/conduit.ts')
  const env = { CONDUIT_URL: url, CONDUIT_SERVICE_KEY: serviceKey.key, CONDUIT_SERVICE_KEY_HEADER: serviceKey.header }
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

const listed = async (query: string) => (await api('GET', `/deliveries?${query}`)).deliveries
const soon = { timeout: 30_000, interval: 250 }

async function studyAsTar(): Promise<{ archive: Buffer; instances: number }> {
  const tar = pack()
  const [first] = sampleStudies()
  const patient = first?.relativePath.split('/')[0] ?? ''
  const files = [...sampleStudies()].filter(({ relativePath }) => relativePath.startsWith(`${patient}/`))
  for (const { relativePath, bytes } of files) tar.entry({ name: relativePath }, bytes)
  tar.finalize()
  return { archive: await buffer(tar), instances: files.length }
}

describe('an operator', () => {
  it('sees a DICOM session delivered that was put under the id of a hub project', async () => {
    const { archive, instances } = await studyAsTar()

    await put('projects/hub:hub-1/subjects/S1/experiments/MR1/dicom/study.tar', archive)

    await expect.poll(() => listed('project_id=P1&outcome=verified'), soon).toHaveLength(1)
    const [{ deliveryId, experimentId }] = await listed('project_id=P1')
    expect(await api('GET', `/deliveries/${deliveryId}`)).toMatchObject({
      outcome: 'verified',
      target: { projectId: 'P1', subject: 'S1', experiment: 'MR1' },
      session: { sentInstances: instances, instances },
    })
    expect(await xnat('GET', `/data/experiments/${experimentId}?format=json`)).toContain('"label":"MR1"')
  })

  it('finds a failure among the dead letters, cures its cause, and redrives it', async () => {
    const key = 'projects/P1/subjects/S7/experiments/CT7/scans/1/resources/DICOM/files/1.dcm'
    await put(key, 'content')
    const waiting = async () => {
      const { queues } = await api('GET', '/dead-letters')
      return queues.find(({ queue }: { queue: string }) => queue === 'deliveries').codes
    }
    await expect.poll(waiting, soon).toMatchObject([{ code: 'EXPERIMENT_NOT_FOUND', messages: 1 }])
    expect(await listed('outcome=failed&code=EXPERIMENT_NOT_FOUND')).toHaveLength(1)

    await xnat('PUT', '/data/projects/P1/subjects/S7/experiments/CT7?xsiType=xnat:ctSessionData')
    const request = { queue: 'deliveries', codes: ['EXPERIMENT_NOT_FOUND'] }
    expect(await api('POST', '/dead-letters/redrive', request)).toMatchObject({ dryRun: true, messages: 1 })
    expect(await api('POST', '/dead-letters/redrive', { ...request, dryRun: false })).toMatchObject({ messages: 1 })

    await expect.poll(() => listed('outcome=failed'), soon).toEqual([])
    expect(await xnat('GET', '/data/projects/P1/subjects/S7/experiments/CT7/scans/1/files?format=json')).toContain(
      '"Name":"1.dcm"',
    )
    expect(await waiting()).toEqual([])
  })

  it('has objects delivered again by a backfill', async () => {
    await put('projects/P1/resources/NOTES/files/a.txt', 'text')
    const files = () => xnat('GET', '/data/projects/P1/resources/NOTES/files?format=json')
    await expect.poll(files, soon).toContain('a.txt')
    await xnat('DELETE', '/data/projects/P1/resources/NOTES')
    expect(await files()).not.toContain('a.txt')

    expect(await api('POST', '/deliveries/backfill', { prefix: 'projects/P1/resources/' })).toEqual({ objects: 1 })

    await expect.poll(files, soon).toContain('a.txt')
  })

  it('does the same from the command line', async () => {
    await put('projects/P1/subjects/S8/experiments/CT8/resources/DICOM/files/1.dcm', 'content')
    const waiting = async () => JSON.parse((await conduit('dead-letters', '-o', 'json')).stdout).queues[1].messages
    await expect.poll(waiting, soon).toBe(1)
    await xnat('PUT', '/data/projects/P1/subjects/S8/experiments/CT8?xsiType=xnat:ctSessionData')

    const redrive = ['dead-letters', 'redrive', 'deliveries', '--code', 'EXPERIMENT_NOT_FOUND']
    expect(await conduit(...redrive, '--dry-run')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('1 would'),
    })
    expect(await conduit(...redrive, '--yes')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('1 handed'),
    })

    const files = () => xnat('GET', '/data/projects/P1/subjects/S8/experiments/CT8/resources/DICOM/files?format=json')
    await expect.poll(files, soon).toContain('"Name":"1.dcm"')
    expect(await conduit('backfill', 'projects/P1/subjects/S8/', '-o', 'json')).toEqual({
      exitCode: 0,
      stdout: '{"objects":1}\n',
      stderr: '',
    })
  })
})
