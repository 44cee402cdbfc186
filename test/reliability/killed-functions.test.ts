import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { SQSEvent } from 'aws-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DeliveryOrder, DeliveryOrder as Order } from '../../lib/delivery/order.ts'
import { ensureExperiment } from '../../lib/xnat/archive.ts'
import { listFiles } from '../../lib/xnat/resources.ts'
import { type DeliveryRig, md5, startDeliveryRig } from '../support/delivery-rig.ts'
import { type Death, invokeWithDeath, moments } from '../support/dying-function.ts'
import { createdRecord, sqsEvent } from '../support/events.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { bundleWorkers, type KillableFunction, startFunction } from '../support/killable-function.ts'
import { testEnvironment } from '../support/wired.ts'

let rig: DeliveryRig
let bundles: string
let proxies: { s3: FaultProxy; sqs: FaultProxy; xnat: FaultProxy }
beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), 'killed-functions-'))
  await bundleWorkers(bundles, ['route-objects', 'deliver-files'])
  rig = await startDeliveryRig()
  const [s3, sqs, xnat] = await Promise.all([
    startFaultProxy(rig.aws.s3Server.url),
    startFaultProxy(rig.aws.sqsServer.url),
    startFaultProxy(rig.standIn.url),
  ])
  proxies = { s3, sqs, xnat }
})
afterAll(async () => {
  await Promise.all([...warmOnes.values()].map((each) => each.stop()))
  await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()))
  await rig.stop()
  await rm(bundles, { recursive: true, force: true })
})

const contents = new Map([
  ['0.dcm', Buffer.from('overwritten')],
  ['sub/1 ü.dcm', randomBytes(100_000)],
  ['empty', Buffer.alloc(0)],
])

describe('deliver-files, killed at any of its requests and invoked again', () => {
  it('leaves XNAT as a run without a death does, byte for byte and with nothing beside it, for at most twice the requests', async () => {
    const clean = await deliver('clean')
    expect(clean.files).toEqual(listingOf(contents))
    const deaths = Array.from({ length: clean.requests }, (_, index) =>
      moments.map((moment) => ({ at: index + 1, moment })),
    ).flat()

    for (const death of deaths) {
      const name = `${death.moment}-${death.at}`
      const killed = await deliver(name, death)
      expect(killed.files, name).toEqual(clean.files)
      expect(killed.bytes, name).toEqual(clean.bytes)
      expect(killed.orphans, name).toEqual([])
      expect(killed.receipts, name).toBe('verified')
      expect(killed.requests, name).toBeLessThanOrEqual(2 * clean.requests)
    }
  }, 120_000)
})

describe('route-objects, killed at any of its requests and invoked again', () => {
  it('sends every order, and none that the queue would not take for the same', async () => {
    const { url } = await rig.aws.queue('deliveries.fifo', fifo)
    const eventOf = (name: string) =>
      sqsEvent([
        JSON.stringify({
          Records: Array.from({ length: 25 }, (_, index) =>
            createdRecord({ key: `projects/P1/experiments/${name}/scans/${index}/resources/DICOM/files/1.dcm` }),
          ),
        }),
      ])
    const requests = await countRequests(undefined, 'route-objects', url, eventOf('clean'))
    expect([requests, (await ordersIn(url)).length]).toEqual([3, 25])

    for (let at = 1; at <= requests; at += 1) {
      for (const moment of moments) {
        const made = await countRequests({ at, moment }, 'route-objects', url, eventOf(`${moment}-${at}`))
        expect(made).toBeLessThanOrEqual(2 * requests)
        const orders = await ordersIn(url)
        expect(orders.map(({ target }) => Number(target.scanId)).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 25 }, (_, index) => index),
        )
      }
    }
  }, 60_000)
})

const fifo = { FifoQueue: 'true' }

/** Delivers the contents into a session of this name, over one older file, dying once if told to. */
async function deliver(name: string, death?: Death) {
  const wanted = { projectId: 'P1', subjectLabel: 'S1', label: name, xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(rig.xnat, wanted)
  const prefix = `projects/P1/subjects/S1/experiments/${name}/scans/1/resources/DICOM/files/`
  const old = rig.orderFor([await rig.put(`${prefix}0.dcm`, 'older')])
  await rig.deliver(old)
  const objects = []
  for (const [path, content] of contents) objects.push(await rig.put(prefix + path, content))
  const order: DeliveryOrder = rig.orderFor(objects)

  const event = sqsEvent([JSON.stringify(order)], { group: 'g' })
  const requests = await countRequests(death, 'deliver-files', testEnvironment.DELIVERIES_QUEUE_URL, event)

  const ref = {
    parent: { level: 'scan', experimentId, scanId: '1' },
    resourceLabel: 'DICOM',
  } as const
  const listed = await listFiles(rig.xnat, ref)
  const folder = join(rig.archiveFolder, 'P1', 'arc001', name)
  return {
    requests,
    files: listed.map(({ path, sizeBytes, md5, format, content, tags }) => ({
      path,
      sizeBytes,
      md5,
      format,
      content,
      tags,
    })),
    ...(await diskState(folder, new Set(listed.map(({ path }) => path)))),
    receipts: (await rig.receipt(order))?.outcome,
  }
}

const listingOf = (files: ReadonlyMap<string, Buffer>) =>
  expect.arrayContaining(
    [...files].map(([path, content]) =>
      expect.objectContaining({ path, sizeBytes: content.length, md5: md5(content) }),
    ),
  )

/** What lies in a session's folder: digests of the files that are listed, and the names of what is not. */
async function diskState(session: string, listed: ReadonlySet<string>) {
  const folder = join(session, 'SCANS/1/DICOM')
  const found = await readdir(session, { recursive: true, withFileTypes: true })
  const bytes = new Map<string, string>()
  const orphans: string[] = []
  for (const file of found.filter((each) => each.isFile())) {
    const path = join(file.parentPath, file.name)
    const name = path.slice(folder.length + 1)
    if (listed.has(name)) bytes.set(name, md5(await readFile(path)))
    else if (name !== 'DICOM_catalog.xml') orphans.push(path)
  }
  return { bytes: [...bytes].toSorted(), orphans }
}

async function countRequests(
  death: Death | undefined,
  name: FunctionName,
  deliveriesUrl: string,
  event: SQSEvent,
): Promise<number> {
  const { all } = await invokeWithDeath(event, {
    death,
    start: () => startFunction({ folder: bundles, name }, environment(deliveriesUrl)),
    survivor: () => warm(name, deliveriesUrl),
    proxies: Object.values(proxies),
    standIn: rig.standIn,
  })
  return all
}

type FunctionName = 'deliver-files' | 'route-objects'
const warmOnes = new Map<string, KillableFunction>()

async function warm(name: FunctionName, deliveriesUrl: string): Promise<KillableFunction> {
  const key = `${name} ${deliveriesUrl}`
  const kept = warmOnes.get(key) ?? (await startFunction({ folder: bundles, name }, environment(deliveriesUrl)))
  warmOnes.set(key, kept)
  return kept
}

function environment(deliveriesUrl: string): Record<string, string> {
  const { user, password } = rig.standIn
  return {
    ...testEnvironment,
    XNAT_URL: proxies.xnat.url,
    XNAT_SERVICE_USER: user,
    XNAT_SERVICE_PASSWORD: password,
    // The SDK takes the queue's host from its URL.
    DELIVERIES_QUEUE_URL: proxies.sqs.url + new URL(deliveriesUrl).pathname,
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: proxies.s3.url,
    AWS_ENDPOINT_URL_SQS: proxies.sqs.url,
    AWS_ACCESS_KEY_ID: 'TESTKEY',
    AWS_SECRET_ACCESS_KEY: 'test-secret-key',
  }
}

async function ordersIn(url: string) {
  const orders: DeliveryOrder[] = []
  for (;;) {
    const reply = await rig.aws.sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }))
    const messages = reply.Messages ?? []
    if (messages.length === 0) return orders
    orders.push(...messages.map(({ Body = '' }) => Order.parse(JSON.parse(Body))))
  }
}
