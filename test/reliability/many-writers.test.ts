import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHandler } from '../../functions/workers/deliver-files.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { StorageError } from '../../lib/errors.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { md5, type PutObject, scanPrefix } from '../support/delivery-rig.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { type FaultyRig, startFaultyRig } from '../support/faulty-rig.ts'
import { memoryQueue } from '../support/memory-queue.ts'
import { testWired } from '../support/wired.ts'

let rig: FaultyRig
beforeEach(async () => {
  rig = await startFaultyRig()
})
afterEach(() => rig.stop())

const deliverers = 16
const filesEach = 125

it('16 deliverers at once on one resource, which their queue would never allow: all of 2,000 files are catalogued as they are, and none is reported done that is not', async () => {
  const contents = new Map(
    Array.from({ length: deliverers * filesEach }, (_, index) => [`${index}.dcm`, randomBytes(300 + index)] as const),
  )
  const objects = [...contents].map(([path, content]) => ({
    key: scanPrefix + path,
    sizeBytes: content.length,
    etag: md5(content),
  }))
  const incoming = inMemory(new Map([...contents].map(([path, content]) => [scanPrefix + path, content])))
  // Not their first file either: the queue's groups see to it that one deliverer makes the resource.
  await rig.deliver(rig.orderFor([await rig.put(`${scanPrefix}there.dcm`, 'there')]))
  let uploads = 0
  rig.xnatProxy.judge = ({ method, path }) => {
    if (method !== 'PUT' || !path.includes('/files/')) return undefined
    uploads += 1
    if (uploads % 10 === 0) {
      rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: '500-after-write' })
    }
    // XNAT: the catalog is read when the request begins and compared when it ends: this is the window between.
    return { kind: 'late-end', ms: 5 + Math.random() * 45 }
  }

  const told = await Promise.all(
    Array.from({ length: deliverers }, (_, index) =>
      deliverAll(incoming, objects.slice(index * filesEach, (index + 1) * filesEach)),
    ),
  )

  expect(told.flat().toSorted()).toEqual([...contents.keys()].toSorted())
  const digests = new Map<string, string>([...contents].map(([path, content]) => [path, md5(content)]))
  expect(await rig.digests(rig.scanRef)).toEqual(digests.set('there.dcm', md5('there')))
}, 60_000)

/** One deliverer with its share, tried again until it is told that all is delivered. Gives what the receipt names. */
async function deliverAll(incoming: ObjectStore, objects: readonly PutObject[]): Promise<string[]> {
  const { user, password } = rig.standIn
  const credentials = { kind: 'password', user, password } as const
  const xnat = new XnatClient({ url: rig.xnatProxy.url, credentials, retry: { baseMs: 20, capMs: 500 } })
  const deliveries = { queue: memoryQueue(), deadLetters: memoryQueue() }
  const handler = createHandler(() => testWired({ xnat, incoming, state: rig.state, deliveries }))
  const order = rig.orderFor(objects)
  for (let attempt = 1; ; attempt += 1) {
    const { batchItemFailures } = await handler(
      sqsEvent([JSON.stringify(order)], { group: 'g' }),
      lambdaContext(60_000),
    )
    expect(deliveries.deadLetters.sent).toEqual([])
    if (batchItemFailures.length === 0) break
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200 * attempt))
  }
  await expectListed(order.objects)
  await xnat.close()
  return (await rig.receipt(order))?.files.map(({ path }) => path) ?? []
}

/** S3's part in this is played from memory: sixteen readers of the embedded one would wait for each other, not for XNAT. */
function inMemory(contents: ReadonlyMap<string, Buffer>): ObjectStore {
  const find: ObjectStore['find'] = async (key) => {
    const content = contents.get(key)
    return content && { sizeBytes: content.length, etag: `"${md5(content)}"`, metadata: {} }
  }
  const open: ObjectStore['open'] = async (key) => {
    const info = await find(key)
    if (info === undefined) throw new StorageError('GetObject failed', { code: 'OBJECT_MISSING' })
    return { ...info, body: Readable.from([contents.get(key)]) }
  }
  const list: ObjectStore['list'] = async (prefix, { startAfter = '' } = {}) => {
    const keys = [...contents.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).toSorted()
    const objects = keys.map((key) => {
      const content = contents.get(key) ?? Buffer.alloc(0)
      return { key, sizeBytes: content.length, etag: md5(content), modifiedAt: new Date() }
    })
    return { objects, isComplete: true }
  }
  return { ...rig.incoming, find, open, list }
}

/** No false success: what is reported done is in the catalog at that moment. */
async function expectListed(objects: readonly { path: string; etag: string }[]): Promise<void> {
  const listed = await rig.digests(rig.scanRef)
  expect(objects.filter(({ path, etag }) => listed.get(path) !== etag)).toEqual([])
}
