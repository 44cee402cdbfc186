// As canaries.test.ts, over HTTP, S3 and SQS: each function in a process of its own, with all that it and the runner write.
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import * as z from 'zod'
import { seal } from '../../lib/envelope.ts'
import type { RouteDescription } from '../../lib/handler.ts'
import { documented, fieldsOf, Parts, type RequestParts, replaced } from '../support/api-requests.ts'
import { dataAccessFaults, echoOf, xnatFaults } from '../support/canary-faults.ts'
import { hubProjectId, type Labels, partsWith, plantLabels } from '../support/canary-labels.ts'
import { type CanaryStack, startCanaryStack } from '../support/canary-stack.ts'
import { createWatch, type Watch } from '../support/canary-watch.ts'
import { conduit } from '../support/command-line.ts'
import { instance, tarred } from '../support/dicom-studies.ts'
import { createMarkers, type Markers } from '../support/markers.ts'
import { keepPrinted } from '../support/printed.ts'

let markers: Markers
let labels: Labels
let running: CanaryStack
let watch: Watch
/** What this process prints, the runner and the stand-ins in it. */
let printed: string[]
beforeAll(async () => {
  printed = keepPrinted()
  markers = createMarkers()
  labels = plantLabels(markers)
  watch = createWatch(markers)
  running = await startCanaryStack(markers, { service: inject('service'), cohort: [labels.accession] })
}, 60_000)
afterAll(async () => {
  await running.stop()
  vi.restoreAllMocks()
})

const soon = { timeout: 30_000, interval: 200 }

interface Sent {
  method: string
  path: string
  headers?: Record<string, string>
  body?: string
}

/** Asks over HTTP, with the key unless told otherwise, and looks at the answer. */
async function send({ method, path, headers = {}, body }: Sent) {
  const { header, key } = running.serviceKey
  const response = await fetch(running.stack.description.api + path, {
    method,
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      [header]: key,
      authorization: `Bearer ${labels.bearerToken}`,
      cookie: `JSESSIONID=${labels.cookie}`,
      ...headers,
    },
    ...(body !== undefined && { body }),
  })
  const { status } = response
  const text = await response.text()
  const { location, ...others } = Object.fromEntries(response.headers)
  // A redirect can only lead to where the caller wanted to go.
  const shown = status === 307 ? others : { ...others, ...(location !== undefined && { location }) }
  watch.lookAtReply(`${method} ${path}`, { status, headers: shown, text })
  return { status, headers: response.headers, text }
}

const json = ({ text }: { text: string }) => z.record(z.string(), z.any()).parse(JSON.parse(text))

/** A route's request as it goes over the wire. */
function wired({ method, path }: RouteDescription, parts: RequestParts): Sent {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(parts.path[name] ?? ''))
  const query = new URLSearchParams(parts.query).toString()
  return {
    method,
    path: query === '' ? filled : `${filled}?${query}`,
    ...(parts.body !== undefined && { body: JSON.stringify(parts.body) }),
  }
}

function sealedProject(): string {
  const keys = { shared: Buffer.from(running.envelopeKey, 'base64') }
  const envelope = seal(hubProjectId, { keys, kid: 'shared', context: 'project_id' })
  markers.watch('sealed id', envelope)
  return envelope
}

const put = (role: string, Key: string, Body: Buffer | string) => {
  const Bucket = running.stack.description.s3.buckets[role]
  const Metadata = { 'xsi-type': 'xnat:mrSessionData' }
  return running.s3.send(new PutObjectCommand({ Bucket, Key, Body, Metadata }))
}

let projectId: string
const experiment = () => `projects/${projectId}/subjects/${labels.subject}/experiments/${labels.session}`
const study = () => ({ encrypted_central_hub_project_id: sealedProject(), accession_id: labels.session })
const routeOf = (operationId: string) => documented.find((route) => route.operationId === operationId)!

describe('what stands for patient data and secrets', () => {
  it('goes through every function', async () => {
    const project = partsWith(routeOf('provisionProject'), labels, { projectId: '', run: 1 })
    const body = JSON.stringify({ ...z.looseObject({}).parse(project.body), project_id: hubProjectId })
    const { patientName, patientId, studyDescription, physician, accession, file, folder, net } = labels
    const said = { patientName, patientId, studyDescription, referringPhysicianName: physician }
    running.standIn.pacs.add({ accessionNumber: accession, ...said, series: [{ instances: 1 }] })
    const made = await send({ method: 'POST', path: routeOf('provisionProject').path, body })
    expect(made.status).toBe(200)
    projectId = json(made)['ID']

    await put('incoming', `${experiment()}/scans/3/resources/NIFTI/files/${folder}/${file}`, 'content')
    const image = instance(file, { PatientName: patientName, PatientID: patientId, AccessionNumber: accession })
    await put('incoming', `${experiment()}x/dicom/${folder}/${file}.tar`, await tarred([image]))
    await put('images', `${net}/upload/${folder}/${file}`, 'content')
    const receipts = async () => json(await send({ method: 'GET', path: '/deliveries?outcome=verified' }))['deliveries']
    await expect.poll(receipts, soon).toHaveLength(2)

    const files = [`${folder}/${file}`]
    const upload = { ...study(), scan_id: '3', resource_id: labels.resource, files }
    expect((await send({ method: 'PUT', path: `/upload/images/${net}`, body: JSON.stringify(upload) })).status).toBe(
      200,
    )
    const download = { method: 'POST', path: `/download/images/${net}`, body: JSON.stringify(study()) }
    expect((await send(download)).status).toBe(200)
    const { accession_id, ...rest } = study()
    const exported = await send({
      method: 'POST',
      path: '/exports',
      body: JSON.stringify({ ...rest, net_id: net, accession_ids: [accession_id] }),
    })
    const { exportId } = json(exported)
    const listed = await send({ method: 'GET', path: `/exports/${exportId}/files?accession_id=${accession_id}` })
    const [, signature] = /X-Amz-Signature=([0-9a-f]{64})/.exec(listed.text) ?? []
    markers.watch("signed address's signature", signature ?? '')

    await running.stack.functions.invokeNow('sweepImports')
    const states = async () =>
      json(await send({ method: 'GET', path: `/retrieval/import_status/${projectId}` }))['states']
    await expect.poll(states, soon).toEqual({ verified: 1 })
    for (const path of ['/', '/console/page.js', '/docs', '/docs/page.js', '/openapi.json', '/health']) {
      expect((await send({ method: 'GET', path })).status).toBe(200)
    }
    for (const route of documented.filter(({ method }) => method !== 'DELETE')) {
      await send(wired(route, partsWith(route, labels, { projectId, run: 2 })))
    }
  }, 120_000)

  it('goes through every function that fails', async () => {
    for (const { id } of running.standIn.state.sessions.list()) markers.watch('XNAT session', id)
    const { stray, net } = labels
    for (const route of documented) {
      const parts = partsWith(route, labels, { projectId, run: 3 })
      const right = wired(route, parts)
      const wrong = fieldsOf(parts).reduce<unknown>((all, place) => replaced(all, place, `${stray}<&/%00`), parts)
      const answers = [
        await send({ ...right, headers: { [running.serviceKey.header]: stray } }),
        await send(wired(route, Parts.parse(wrong))),
        ...(right.body === undefined ? [] : [await send({ ...right, body: `{"${stray}": ${stray}` })]),
      ]
      if (route.isOpen !== true) expect(answers[0]?.status, route.operationId).toBe(401)
    }
    const redirect = await send({ method: 'GET', path: `/projects/${projectId}/experiment/${stray}/?label=${stray}` })
    expect([redirect.status, redirect.headers.get('location')]).toEqual([307, expect.stringContaining(stray)])
    expect((await send({ method: 'GET', path: `/${stray}?${stray}` })).status).toBe(404)
    expect((await send({ method: 'PATCH', path: `/projects/${projectId}/experiment/${stray}` })).status).toBe(405)

    const { queues } = running.stack.description.sqs
    const roles = Object.keys(queues).filter((role) => !role.endsWith('DeadLetters'))
    for (const role of roles) {
      const fifo = queues[role]?.endsWith('.fifo') === true && { MessageGroupId: 'g', MessageDeduplicationId: role }
      const MessageBody = `{"PatientName": "${labels.patientName}`
      await running.sqs.send(new SendMessageCommand({ QueueUrl: queues[role], MessageBody, ...fifo }))
    }
    await put('incoming', `${labels.patientName}/${labels.file}`, 'content')
    const nowhere = `${experiment()}/assessors/${stray}/out/resources/${labels.resource}/files/${labels.file}`
    await put('incoming', nowhere, 'content')
    await expect(
      running.stack.functions.invoke('sweepImports', { time: labels.patientName, [stray]: stray }),
    ).rejects.toThrow()

    const met: string[] = []
    const project = { method: 'GET', path: `/projects/${projectId}` }
    for (const [kind, fault] of Object.entries(xnatFaults)) {
      running.xnatProxy.judge = ({ path }) => {
        // A sign-in that was refused would rest for a minute.
        if (path.startsWith('/data/JSESSION')) return undefined
        met.push(kind)
        return fault(echoOf(markers))
      }
      expect((await send(project)).status, kind).toBeGreaterThanOrEqual(400)
    }
    running.xnatProxy.judge = () => undefined
    expect(new Set(met)).toEqual(new Set(Object.keys(xnatFaults)))
    const query = `?encoded_query=${labels.encodedQuery}`
    for (const [kind, fault] of Object.entries(dataAccessFaults)) {
      running.cohortProxy.judge = () => fault(echoOf(markers))
      const { status } = await send({ method: 'GET', path: `/retrieval/import_status/${projectId}${query}` })
      expect(status, kind).toBeGreaterThanOrEqual(400)
    }
    running.cohortProxy.judge = () => undefined
    const missing = { ...study(), accession_id: stray }
    const download = {
      method: 'POST',
      path: `/download/images/${net}?force_refresh=true`,
      body: JSON.stringify(missing),
    }
    expect((await send(download)).status).toBe(404)
  }, 120_000)

  it('is in no dead letter that an operator sees', async () => {
    const { api, sqs } = running.stack.description
    const codes = async () => {
      const listed = await send({ method: 'GET', path: '/dead-letters' })
      watch.look('dead letters', 'GET /dead-letters', listed.text)
      return json(listed)['queues'].map(({ codes: some }: { codes: { code: string }[] }) => some.length > 0)
    }
    await expect.poll(codes, soon).toEqual([true, true, true, true, true])
    const env = {
      CONDUIT_URL: api,
      CONDUIT_SERVICE_KEY: running.serviceKey.key,
      CONDUIT_SERVICE_KEY_HEADER: running.serviceKey.header,
    }
    // Each queue by itself: two who look at one at a time see a part each.
    const look = async (queue: string) => {
      const body = JSON.stringify({ queue, dryRun: true })
      const dryRun = await send({ method: 'POST', path: '/dead-letters/redrive', body })
      expect(json(dryRun)['messages']).toBeGreaterThan(0)
      watch.look('dead letters', `redrive of ${queue}`, dryRun.text)
      const said = await conduit(['dead-letters', 'redrive', queue, '--dry-run'], { env })
      watch.look('dead letters', `conduit dead-letters redrive ${queue}`, JSON.stringify(said))
    }
    await Promise.all(['uploads', 'deliveries', 'imports', 'studies', 'exports'].map(look))
    const said = await conduit(['dead-letters', '-o', 'json'], { env })
    expect(said.stdout).toContain('MESSAGE_NOT_UNDERSTOOD')
    watch.look('dead letters', 'conduit dead-letters', JSON.stringify(said))
    for (const [role, QueueUrl] of Object.entries(sqs.queues).filter(([name]) => name.endsWith('DeadLetters'))) {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      })
      const { Messages = [] } = await running.sqs.send(command)
      expect(Messages.length, role).toBeGreaterThan(0)
      for (const { Body: _, ...visible } of Messages) watch.look('queues', role, JSON.stringify(visible))
    }
  }, 60_000)

  it('comes out nowhere', () => {
    for (const { functionName, line } of running.written) watch.look('written', functionName, line)
    for (const text of printed) watch.look('printed', 'by the runner and the stand-ins', text)
    const names = inject('service').functions.map(({ name }) => name)
    const has = (words: RegExp) => (name: string) =>
      running.written.some(({ functionName, line }) => functionName === name && words.test(line))
    const failures = /"message":"(?:request refused|request failed|message failed|invocation failed)"/
    const successes =
      /"message":"(?:request answered|objects routed|files delivered|import planned|studies requested|projects swept)"|"outcome":"done"/

    expect(names.filter((name) => !has(successes)(name))).toEqual([])
    expect(names.filter((name) => !has(failures)(name))).toEqual(['health', 'console'])
    expect(names.filter(has(/"_aws":/)).length).toBeGreaterThan(5)
    expect(watch.leaks()).toEqual([])
  })
})
