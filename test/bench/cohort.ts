// A cohort of 1,910 accession numbers on the whole local stack: how fast the hub is answered, and how well the questions
// that the PACS may be asked at a time are used, when it takes 50 ms for each.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { readService } from '../../infra/local/run-functions/service-model.ts'
import { type Stack, type StackDescription, startStack } from '../../infra/local/stack.ts'

const accessionNumbers = Array.from({ length: 1_910 }, (_, index) => `ACC${String(index).padStart(6, '0')}`)
const query = 'SELECT accession_id FROM bench'
const pacsAnswersAfterMs = 50
const concurrency = 4

const hubProject = {
  project_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
  trust_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
  project_name: 'Bench',
  query,
}

export async function run(): Promise<void> {
  const service = await readService(join(import.meta.dirname, '../..'))
  const stack = await startStack({
    service,
    apiPort: 0,
    environment: {
      PACS_FIND_CONCURRENCY: String(concurrency),
      // The rate is not what is measured.
      PACS_FINDS_PER_SECOND: '1000',
      DQR_MAX_OUTSTANDING: '2000',
    },
  })
  try {
    const runs = service.functions.find(({ name }) => name === 'importStudies')?.events[0]
    const most = concurrency * (runs?.kind === 'sqs' ? (runs.maximumConcurrency ?? 1) : 1)
    await arrange(stack.description)
    // A function's first answer is that of a process that has just started.
    for (const path of ['/projects', '/retrieval/import_status/none']) await send(stack, 'GET', path)
    const created = await ask(stack, 'POST', '/projects/create-project-from-central-hub-project', hubProject)
    console.log(`${accessionNumbers.length} accession numbers, the PACS answers after ${pacsAnswersAfterMs} ms`)
    console.log(`  project created, its import begun: answered after ${created.ms.toFixed(0)} ms`)
    const { finds, posts } = await untilImported(stack)
    report(finds, posts, most)
    const { ID: projectId } = z.object({ ID: z.string() }).parse(created.body)
    const encoded = Buffer.from(query).toString('base64url')
    const path = `/retrieval/reimport_imaging_project_studies/${projectId}?encoded_query=${encoded}`
    const again = await ask(stack, 'PUT', path)
    console.log(`  import asked for again: answered after ${again.ms.toFixed(0)} ms`)
  } finally {
    await stack.stop()
  }
}

const standIn = async ({ xnat }: StackDescription, path: string, body?: object): Promise<unknown> => {
  const init = body && { method: 'POST', body: JSON.stringify(body) }
  const reply = await fetch(`${xnat.url}/__stand-in/${path}`, init)
  if (!reply.ok) throw new Error(`the stand-in did not take ${path}: ${reply.status}`)
  return reply.json()
}

async function arrange(description: StackDescription): Promise<void> {
  await standIn(description, 'pacs', {})
  await standIn(
    description,
    'pacs/studies',
    accessionNumbers.map((accessionNumber) => ({ accessionNumber, series: [{ instances: 1 }] })),
  )
  await standIn(description, 'settings', { pacsAnswersAfterMs })
  const reply = await fetch(`${description.dataAccess.url}/__stand-in/cohorts`, {
    method: 'POST',
    body: JSON.stringify({ query, accessionIds: accessionNumbers }),
  })
  if (!reply.ok) throw new Error(`the cohort was not taken: ${reply.status}`)
}

function send({ description }: Stack, method: string, path: string, body?: object): Promise<Response> {
  const { header, key } = description.serviceKey
  return fetch(description.api + path, {
    method,
    headers: { [header]: key, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
}

async function ask(stack: Stack, method: string, path: string, body?: object) {
  const startedAt = performance.now()
  const reply = await send(stack, method, path, body)
  const answer: unknown = await reply.json()
  const ms = performance.now() - startedAt
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(answer)}`)
  return { ms, body: answer }
}

const Requests = z.array(
  z.object({ method: z.string(), path: z.string(), at: z.coerce.date(), durationMs: z.number().optional() }),
)
type Requests = z.infer<typeof Requests>

async function untilImported({ description }: Stack): Promise<{ finds: Requests; posts: Requests }> {
  const orders = Math.ceil(accessionNumbers.length / 100)
  for (let tries = 0; tries < 600; tries += 1) {
    await sleep(1_000)
    const requests = Requests.parse(await standIn(description, 'requests'))
    const posts = requests.filter(({ method, path }) => method === 'POST' && path === '/xapi/dqr/import')
    const isOver = posts.length >= orders && posts.every(({ durationMs }) => durationMs !== undefined)
    if (isOver) return { posts, finds: requests.filter(({ path }) => path === '/xapi/dqr/query/studies') }
  }
  throw new Error('the import did not end in ten minutes')
}

function report(finds: Requests, posts: Requests, most: number): void {
  const all = [...finds, ...posts]
  const startMs = Math.min(...all.map(({ at }) => at.getTime()))
  const endMs = Math.max(...all.map(({ at, durationMs = 0 }) => at.getTime() + durationMs))
  const busyMs = all.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0)
  const share = (busyMs / (most * (endMs - startMs))) * 100
  console.log(`  ${finds.length} C-FINDs for their accession numbers, ${posts.length} import requests`)
  console.log(
    `  ${((endMs - startMs) / 1000).toFixed(1)} s from the first question to the last, ${share.toFixed(0)} % of the ${most} at a time that are allowed`,
  )
}
