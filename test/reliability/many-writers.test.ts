import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { deliverFiles } from '../../lib/services/deliver-files.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { md5, type PutObject, scanPrefix } from '../support/delivery-rig.ts'
import { type FaultyRig, startFaultyRig } from '../support/faulty-rig.ts'

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
  const objects: PutObject[] = []
  for (const [path, content] of contents) objects.push(await rig.put(scanPrefix + path, content))
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
      deliverAll(objects.slice(index * filesEach, (index + 1) * filesEach)),
    ),
  )

  expect(told.flat().toSorted()).toEqual([...contents.keys()].toSorted())
  const digests = new Map([...contents].map(([path, content]) => [path, md5(content)]))
  expect(await rig.digests(rig.scanRef)).toEqual(digests)
}, 60_000)

/** One deliverer with its share, tried again until it is told that all is delivered. Gives what the receipt names. */
async function deliverAll(objects: readonly PutObject[]): Promise<string[]> {
  const { user, password } = rig.standIn
  const credentials = { kind: 'password', user, password } as const
  const xnat = new XnatClient({ url: rig.xnatProxy.url, credentials, retry: { baseMs: 50, capMs: 1_000 } })
  const order = rig.orderFor(objects)
  const { incoming, state } = rig
  for (let [delivered, attempt] = [false, 1]; !delivered; attempt += 1) {
    delivered = await deliverFiles({ xnat, incoming, state, signal: AbortSignal.timeout(50_000) }, order).then(
      () => true,
      (error: { retry?: string }) => {
        if (error.retry !== 'later') throw error
        return false
      },
    )
    if (delivered) await expectListed(order.objects)
    else await new Promise((resolve) => setTimeout(resolve, Math.random() * 500 * attempt))
  }
  await xnat.close()
  return (await rig.receipt(order))?.files.map(({ path }) => path) ?? []
}

/** No false success: what is reported done is in the catalog at that moment. */
async function expectListed(objects: readonly { path: string; etag: string }[]): Promise<void> {
  const listed = await rig.digests(rig.scanRef)
  expect(objects.filter(({ path, etag }) => listed.get(path) !== etag)).toEqual([])
}
