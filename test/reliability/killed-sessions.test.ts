import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliveryId, type SessionOrder } from '../../lib/delivery/order.ts'
import { findReceipt } from '../../lib/delivery/receipt.ts'
import { findExperiment } from '../../lib/xnat/archive.ts'
import { listPrearchive } from '../../lib/xnat/prearchive.ts'
import { listScanFiles } from '../../lib/xnat/session-files.ts'
import { type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.ts'
import { type Death, invokeWithDeath, moments } from '../support/dying-function.ts'
import { sqsEvent } from '../support/events.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { bundleWorkers, type KillableFunction, startFunction } from '../support/killable-function.ts'
import { testEnvironment } from '../support/wired.ts'
import { study, tarred } from '../xnat-server/studies.ts'

let rig: DeliveryRig
let folder: string
let proxies: { s3: FaultProxy; xnat: FaultProxy }
let survivor: KillableFunction
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killed-sessions-'))
  await bundleWorkers(folder, ['deliver-files'])
  rig = await startDeliveryRig()
  const [s3, xnat] = await Promise.all([startFaultProxy(rig.aws.s3Server.url), startFaultProxy(rig.standIn.url)])
  proxies = { s3, xnat }
  survivor = await startWorker()
}, 30_000)
afterAll(async () => {
  await survivor.stop()
  await Promise.all([proxies.s3.stop(), proxies.xnat.stop()])
  await rig.stop()
  await rm(folder, { recursive: true, force: true })
})

async function startWorker(): Promise<KillableFunction> {
  const { user, password } = rig.standIn
  const { accessKeyId, secretAccessKey } = await rig.aws.s3.config.credentials()
  return startFunction(
    { folder, name: 'deliver-files' },
    {
      ...testEnvironment,
      XNAT_URL: proxies.xnat.url,
      XNAT_SERVICE_USER: user,
      XNAT_SERVICE_PASSWORD: password,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_S3: proxies.s3.url,
      SOURCE_AFTER_DELIVERY: 'delete',
    },
  )
}

/** Delivers a session of this name by a process that dies at one of its requests, and then by one that does not. */
async function deliver(name: string, death?: Death) {
  const files = study()
  const prefix = `projects/P1/subjects/S1/experiments/${name}/dicom/`
  const { sizeBytes, etag } = await rig.put(`${prefix}study.tar`, await tarred(files))
  const order: SessionOrder = {
    kind: 'session',
    deliveryId: deliveryId(new Date(), name),
    target: { projectId: 'P1', subject: 'S1', experiment: name },
    keyPrefix: prefix,
    source: { path: 'study.tar', sizeBytes, etag },
  }
  const event = sqsEvent([JSON.stringify(order)], { group: 'g' })
  const { all: requests } = await invokeWithDeath(event, {
    death,
    start: startWorker,
    survivor: () => Promise.resolve(survivor),
    proxies: Object.values(proxies),
    standIn: rig.standIn,
  })

  const { experimentId } = (await findExperiment(rig.xnat, { projectId: 'P1', experiment: name }))!
  const stored = await listScanFiles(rig.xnat, { experimentId })
  return {
    requests,
    state: {
      scans: stored.scans.map(({ scanId }) => scanId),
      files: stored.files.map((file) => [file.resourceLabel, file.sizeBytes]).toSorted(),
      waiting: await listPrearchive(rig.xnat, { projectId: 'P1' }),
      left: (await rig.incoming.list(prefix)).objects,
      receipt: (await findReceipt(rig.state, order.deliveryId))?.session,
    },
  }
}

describe('a session whose delivery is killed at any of its requests and begun again', () => {
  it('is in XNAT as after a run without a death, once, with nothing left in prearchive or bucket', async () => {
    const clean = await deliver('clean')
    expect(clean.state).toMatchObject({ waiting: [], left: [], receipt: { instances: study().length } })
    expect(clean.state.files).toHaveLength(study().length)

    for (let at = 1; at <= clean.requests; at += 1) {
      for (const moment of moments) {
        const name = `${moment}-${at}`
        const killed = await deliver(name, { at, moment })
        expect(killed.state, name).toEqual(clean.state)
        expect(killed.requests, name).toBeLessThanOrEqual(2 * clean.requests)
      }
    }
  }, 120_000)
})
