// The main jobs, done once from outside: a project, files into S3 and the proof in XNAT, a cohort out of the PACS. Uses
// only what a user has.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Upload } from '@aws-sdk/lib-storage'
import * as z from 'zod'
import { awaitCohort } from './await-cohort.ts'
import { type FolderPlan, type PlannedObject, planFolder } from './data-folder.ts'
import type { StackDescription } from './stack.ts'

export interface TourResult {
  projectId: string
  projectName: string
  experiments: number
  files: number
  bytes: number
  /** From the first upload to the last proof. */
  ms: number
  equalDigests: number
  deliveryIds: string[]
  /** The project's cohort, which the PACS behind XNAT has; none behind a real XNAT. */
  cohort: { studies: number; verified: number }
  /** One sentence for each thing that is not as it should be. */
  faults: string[]
}

export interface TourProgress {
  step: 'provision' | 'upload' | 'deliver' | 'compare' | 'import'
  done: number
  total: number
}

// The hub's id of the tour's project: always the same, so that a repeated tour meets the project it made.
const hubProjectId = '00000000-0000-4000-8000-00000000c0de'

const uploadsAtOnce = 8
const pollMs = 250
/** How long nothing may move before the tour gives up. */
const patienceMs = 120_000

/** Runs the tour over the files of `dataDir` against a running stack. Never throws for what went wrong in the product. */
export async function runTour(
  stack: StackDescription,
  dataDir: string,
  onProgress: (progress: TourProgress) => void,
): Promise<TourResult> {
  onProgress({ step: 'provision', done: 0, total: 1 })
  const project = await provision(stack)
  const plan = await planFolder(dataDir, { projectId: project.ID })
  const clients = openClients(stack)
  const startedAt = performance.now()
  try {
    const earlier = new Set(
      (await newReceipts(clients.s3, bucketFor(stack, 'state'), new Set())).map(({ deliveryId }) => deliveryId),
    )
    const md5s = await uploadAll(clients.s3, stack, plan, onProgress)
    const { receipts, faults } = await awaitReceipts(clients, stack, plan, earlier, onProgress)
    const ms = performance.now() - startedAt
    const compared = await compareWithXnat(stack, plan, md5s, onProgress)
    const cohort = await awaitCohort(stack, project.ID, {
      pollMs,
      patienceMs,
      onProgress: (done, total) => onProgress({ step: 'import', done, total }),
    })
    return {
      projectId: project.ID,
      projectName: project.name,
      experiments: plan.experiments.length,
      files: plan.objects.length,
      bytes: plan.objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      ms,
      equalDigests: compared.equal,
      deliveryIds: receipts,
      cohort: { studies: cohort.studies, verified: cohort.verified },
      faults: [...faults, ...compared.faults, ...cohort.faults],
    }
  } finally {
    clients.s3.destroy()
    clients.sqs.destroy()
  }
}

function openClients({ s3, sqs }: StackDescription) {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3
  const credentials = { accessKeyId, secretAccessKey }
  return {
    s3: new S3Client({ endpoint, region, credentials }),
    sqs: new SQSClient({ endpoint: sqs.endpoint, region, credentials }),
  }
}
type Clients = ReturnType<typeof openClients>

const CreatedProject = z.object({ ID: z.string(), name: z.string() })

async function provision({ api, serviceKey }: StackDescription): Promise<z.infer<typeof CreatedProject>> {
  const response = await fetch(`${api}/projects/create-project-from-central-hub-project`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [serviceKey.header]: serviceKey.key },
    body: JSON.stringify({
      project_id: hubProjectId,
      trust_id: hubProjectId,
      project_name: 'Sample study',
      query: 'SELECT accession_id FROM sample',
    }),
  })
  if (!response.ok) throw new Error(`The project was not created: ${response.status} ${await response.text()}`)
  return CreatedProject.parse(await response.json())
}

async function uploadAll(
  s3: S3Client,
  stack: StackDescription,
  plan: FolderPlan,
  onProgress: (progress: TourProgress) => void,
): Promise<Map<string, string>> {
  const md5s = new Map<string, string>()
  const waiting = [...plan.objects]
  const bucket = bucketFor(stack, 'incoming')
  const worker = async () => {
    for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
      md5s.set(object.key, await upload(s3, bucket, object))
      onProgress({ step: 'upload', done: md5s.size, total: plan.objects.length })
    }
  }
  await Promise.all(Array.from({ length: uploadsAtOnce }, worker))
  return md5s
}

async function upload(s3: S3Client, bucket: string, object: PlannedObject): Promise<string> {
  const md5 = createHash('md5')
  const body = createReadStream(object.sourcePath)
  body.on('data', (chunk) => md5.update(chunk))
  const params = { Bucket: bucket, Key: object.key, Body: body, Metadata: object.metadata }
  await new Upload({ client: s3, params }).done()
  return md5.digest('hex')
}

function bucketFor({ s3 }: StackDescription, role: string): string {
  const name = s3.buckets[role]
  if (name === undefined) throw new Error(`serverless.yml has no ${role} bucket`)
  return name
}

const Receipt = z.object({
  deliveryId: z.string(),
  outcome: z.enum(['verified', 'failed']),
  code: z.string().optional(),
  finishedAt: z.string(),
  target: z.object({
    projectId: z.string(),
    subject: z.string().optional(),
    experiment: z.string().optional(),
    scanId: z.string().optional(),
    resourceLabel: z.string(),
  }),
  files: z.array(z.object({ path: z.string(), outcome: z.string() })),
})
type Receipt = z.infer<typeof Receipt>

/** Waits until receipts account for every planned object, or something went wrong for good. */
async function awaitReceipts(
  { s3, sqs }: Clients,
  stack: StackDescription,
  plan: FolderPlan,
  earlier: ReadonlySet<string>,
  onProgress: (progress: TourProgress) => void,
): Promise<{ receipts: string[]; faults: string[] }> {
  const open = new Set(plan.objects.map(({ key }) => key))
  const seen = new Map<string, Receipt>()
  const deadBefore = await deadLetters(sqs, stack)
  let movedAt = Date.now()
  while (open.size > 0) {
    const known = seen.size
    for (const receipt of await newReceipts(s3, bucketFor(stack, 'state'), new Set([...earlier, ...seen.keys()]))) {
      seen.set(receipt.deliveryId, receipt)
      for (const { path } of receipt.files) open.delete(keyOf(receipt, path))
    }
    if (seen.size > known) movedAt = Date.now()
    onProgress({ step: 'deliver', done: plan.objects.length - open.size, total: plan.objects.length })
    const failures = [...seen.values()].filter(({ outcome }) => outcome === 'failed')
    const faults = failures.map(({ deliveryId, code }) => `Delivery ${deliveryId} failed: ${code}`)
    const dead = (await deadLetters(sqs, stack)) - deadBefore
    if (dead > 0) faults.push(`${dead} messages in the dead-letter queues`)
    if (Date.now() - movedAt > patienceMs)
      faults.push(`${open.size} files not delivered, and nothing has moved for ${patienceMs / 1000} s`)
    if (faults.length > 0) return { receipts: [...seen.keys()], faults }
    if (open.size > 0) await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return { receipts: [...seen.keys()], faults: [] }
}

function keyOf({ target }: Receipt, path: string): string {
  const { projectId, subject, experiment, scanId, resourceLabel } = target
  const levels = [
    `projects/${projectId}`,
    subject && `subjects/${subject}`,
    experiment && `experiments/${experiment}`,
    scanId && `scans/${scanId}`,
    `resources/${resourceLabel}/files/${path}`,
  ]
  return levels.filter((level) => level !== undefined).join('/')
}

async function newReceipts(s3: S3Client, bucket: string, seen: ReadonlySet<string>): Promise<Receipt[]> {
  const found: Receipt[] = []
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: 'receipts/', ...(token && { ContinuationToken: token }) }),
    )
    token = page.NextContinuationToken
    for (const { Key } of page.Contents ?? []) {
      if (Key === undefined || seen.has(Key.slice('receipts/'.length, -'.json'.length))) continue
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))
      found.push(Receipt.parse(JSON.parse((await Body?.transformToString()) ?? '')))
    }
  }
  return found
}

async function deadLetters(sqs: SQSClient, stack: StackDescription): Promise<number> {
  const urls = Object.entries(stack.sqs.queues).flatMap(([role, url]) => (role.endsWith('DeadLetters') ? [url] : []))
  const counts = await Promise.all(
    urls.map(async (QueueUrl) => {
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] })
      return Number((await sqs.send(command)).Attributes?.['ApproximateNumberOfMessages'] ?? 0)
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

const FileListing = z.object({
  ResultSet: z.object({ Result: z.array(z.object({ URI: z.string(), Size: z.string(), digest: z.string() })) }),
})

/** Asks XNAT itself, not the receipts, what it holds under each planned path. */
async function compareWithXnat(
  stack: StackDescription,
  plan: FolderPlan,
  md5s: ReadonlyMap<string, string>,
  onProgress: (progress: TourProgress) => void,
): Promise<{ equal: number; faults: string[] }> {
  const byResource = Map.groupBy(plan.objects, ({ key }) => key.slice(0, key.indexOf('/files/') + '/files/'.length))
  const faults: string[] = []
  let equal = 0
  for (const [resource, objects] of byResource) {
    const digests = await listDigests(stack, resource)
    for (const { key } of objects) {
      if (digests.get(key.slice(resource.length)) === md5s.get(key)) equal += 1
      else faults.push(`XNAT does not hold ${key} as it was sent`)
    }
    onProgress({ step: 'compare', done: equal + faults.length, total: plan.objects.length })
  }
  return { equal, faults }
}

async function listDigests({ xnat }: StackDescription, resource: string): Promise<Map<string, string>> {
  const authorization = `Basic ${Buffer.from(`${xnat.user}:${xnat.password}`).toString('base64')}`
  const response = await fetch(`${xnat.url}/data/${resource}?format=json`, { headers: { authorization } })
  if (!response.ok) return new Map()
  const { Result } = FileListing.parse(await response.json()).ResultSet
  return new Map(Result.map(({ URI, digest }) => [URI.slice(URI.indexOf('/files/') + '/files/'.length), digest]))
}
