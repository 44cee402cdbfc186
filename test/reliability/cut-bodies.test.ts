import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { md5, scanPrefix } from '../support/delivery-rig.ts'
import type { Mishap, PassingRequest } from '../support/fault-proxy.ts'
import { deliveryTries, type FaultyRig, startFaultyRig } from '../support/faulty-rig.ts'

let rig: FaultyRig
beforeEach(async () => {
  rig = await startFaultyRig()
})
afterEach(() => rig.stop())

const size = 300_000

/** One file goes by itself, several go in an archive: both ways are tried. */
const shapes = [
  ['a file by itself', 1],
  ['files in an archive', 3],
] as const

async function orderOf(count: number) {
  const contents = Array.from({ length: count }, () => randomBytes(size))
  const objects = await Promise.all(contents.map((content, index) => rig.put(`${scanPrefix}${index}.dcm`, content)))
  const digests = new Map(contents.map((content, index) => [`${index}.dcm`, md5(content)]))
  return { order: rig.orderFor(objects), digests }
}

const failed = (count: number) => Array(count).fill({ outcome: 'failed' })

/** Hits the first request that fits, or the first so many. */
const first = (mishap: Mishap, fits: (request: PassingRequest) => boolean, times = 1) => {
  let left = times
  return (request: PassingRequest) => {
    if (left === 0 || !fits(request)) return undefined
    left -= 1
    return mishap
  }
}
const isObjectRead = ({ method, path }: PassingRequest) => method === 'GET' && path.startsWith('/incoming/')
const isUpload = ({ method, path }: PassingRequest) => method === 'PUT' && path.includes('/files/')

describe.each(shapes)('%s', (_, count) => {
  it.each([0, 1, size / 2, size - 1])('is delivered whole after S3 broke off at byte %i', async (afterBytes) => {
    const { order, digests } = await orderOf(count)
    rig.s3Proxy.judge = first({ kind: 'cut-reply', afterBytes }, isObjectRead)

    expect(await rig.settle(order)).toEqual({ ending: { kind: 'delivered' }, codes: ['STORAGE_BUSY'] })
    expect(await rig.digests(rig.scanRef)).toEqual(digests)
  })

  it('is given up as STORAGE_BUSY when S3 breaks off at every try, and nothing short is reported delivered', async () => {
    const { order } = await orderOf(count)
    rig.s3Proxy.judge = first({ kind: 'cut-reply', afterBytes: size - 1 }, isObjectRead, 1_000)

    const { ending, codes } = await rig.settle(order)

    expect(ending).toEqual({ kind: 'dead-lettered', code: 'STORAGE_BUSY' })
    expect(codes).toEqual(Array(deliveryTries - 1).fill('STORAGE_BUSY'))
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'STORAGE_BUSY', files: failed(count) })
  })

  it.each([0, 1, size / 2, size - 1])('is delivered whole after XNAT was cut off at byte %i', async (afterBytes) => {
    const { order, digests } = await orderOf(count)
    rig.xnatProxy.judge = first({ kind: 'cut-request', afterBytes }, isUpload)

    expect((await rig.settle(order)).ending).toEqual({ kind: 'delivered' })
    expect(await rig.digests(rig.scanRef)).toEqual(digests)
  })

  it.each([
    ['before its answer', { kind: 'cut-answer' }],
    ['in its answer', { kind: 'cut-reply', afterBytes: 0 }],
  ] satisfies [string, Mishap][])(
    "is delivered whole when each of XNAT's replies is cut once %s",
    async (__, mishap) => {
      const { order, digests } = await orderOf(count)
      const hit = new Set<string>()
      rig.xnatProxy.judge = ({ method, path }) => {
        const request = `${method} ${path}`
        if (hit.has(request)) return undefined
        hit.add(request)
        return mishap
      }

      expect((await rig.settle(order)).ending).toEqual({ kind: 'delivered' })
      expect(await rig.digests(rig.scanRef)).toEqual(digests)
    },
  )

  it('is left to the newer event when its object is replaced before it is read, without a trace of the older', async () => {
    const { order, digests } = await orderOf(count)
    const newer = await rig.put(`${scanPrefix}0.dcm`, 'newer')

    expect((await rig.settle(order)).ending).toEqual({ kind: 'delivered' })
    expect((await rig.receipt(order))?.files.map(({ outcome }) => outcome)).toEqual([
      'superseded',
      ...Array.from({ length: count - 1 }, () => 'stored'),
    ])
    await rig.settle(rig.orderFor([newer]))
    expect(await rig.digests(rig.scanRef)).toEqual(digests.set('0.dcm', md5('newer')))
  })

  it('ends as the newer version when its object is replaced while it is read', async () => {
    const { order, digests } = await orderOf(count)
    const broken = first({ kind: 'cut-reply', afterBytes: size / 2 }, isObjectRead)
    let newer = Promise.resolve({ key: '', sizeBytes: 0, etag: '' })
    rig.s3Proxy.judge = (request) => {
      const mishap = broken(request)
      if (mishap !== undefined) newer = rig.put(`${scanPrefix}0.dcm`, 'newer')
      return mishap
    }

    expect((await rig.settle(order)).ending).toEqual({ kind: 'delivered' })
    await rig.settle(rig.orderFor([await newer]))
    expect(await rig.digests(rig.scanRef)).toEqual(digests.set('0.dcm', md5('newer')))
  })
})

describe('an upload that XNAT shortens', () => {
  it.each([
    ['by one byte', 'ab'],
    ['by half', 'x'.repeat(size)],
  ])('%s is never reported delivered, and is delivered once XNAT is cured', async (_, content) => {
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, content)])
    rig.standIn.faults.next({ when: { method: 'PUT', path: /\/files\// }, kind: 'truncate-store', times: 1_000 })

    const { ending, codes } = await rig.settle(order)

    expect(ending).toEqual({ kind: 'dead-lettered', code: 'NOT_VERIFIED' })
    expect(codes).toEqual(Array(deliveryTries - 1).fill('NOT_VERIFIED'))
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'NOT_VERIFIED', files: failed(1) })
    rig.standIn.faults.clear()
    expect((await rig.settle(order)).ending).toEqual({ kind: 'delivered' })
    expect(await rig.digests(rig.scanRef)).toEqual(new Map([['1.dcm', md5(content)]]))
  })

  it('says "duplicates" for, keeping an older file of the same size, is not reported delivered where the site keeps no checksums', async () => {
    rig.standIn.state.configure({ checksums: false })
    await rig.settle(rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'older')]))
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'newer')])
    rig.xnatProxy.judge = (request) =>
      isUpload(request) ? { kind: 'answer', status: 200, body: '{"duplicates":["1.dcm"]}' } : undefined

    expect(await rig.invoke(order)).toEqual({ kind: 'handed-back' })
    expect(await rig.receipt(order)).toBeUndefined()
  })
})

describe('an upload that XNAT takes and does not store, for want of the right to edit', () => {
  it('is a dead letter with that code', async () => {
    await rig.settle(rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'there')]))
    const order = rig.orderFor([await rig.put(`${scanPrefix}2.dcm`, 'new')])
    rig.xnatProxy.judge = (request) => {
      if (isUpload(request)) return { kind: 'answer', status: 200 }
      return request.method === 'PUT' ? { kind: 'answer', status: 403 } : undefined
    }

    expect(await rig.invoke(order)).toEqual({ kind: 'dead-lettered', code: 'NO_EDIT_RIGHT' })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'NO_EDIT_RIGHT' })
  })
})

describe('an overwrite that broke off', () => {
  it("is mended when the object then goes back to what XNAT's catalog still lists", async () => {
    const original = randomBytes(size)
    const listed = await rig.put(`${scanPrefix}1.dcm`, original)
    await rig.settle(rig.orderFor([listed]))
    const other = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, randomBytes(size))])
    rig.xnatProxy.judge = (request) => (isUpload(request) ? { kind: 'cut-request', afterBytes: 1_000 } : undefined)
    expect(await rig.invoke(other)).toEqual({ kind: 'handed-back' })
    rig.xnatProxy.judge = () => undefined
    const back = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, original)])

    await rig.settle(back)

    expect((await rig.contents(rig.scanRef)).get('1.dcm')?.equals(original)).toBe(true)
  })
})
