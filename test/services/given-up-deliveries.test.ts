import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config.ts'
import { md5, scanPrefix } from '../support/delivery-rig.ts'
import { deliveryTries, type FaultyRig, startFaultyRig } from '../support/faulty-rig.ts'
import { testEnvironment } from '../support/wired.ts'

let rig: FaultyRig
beforeEach(async () => {
  rig = await startFaultyRig()
})
afterEach(() => rig.stop())

const anOrder = async () => rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, 'content')])

describe('an order whose tries are spent', () => {
  it('is a dead letter with the code of its last error, and its receipt says so', async () => {
    const order = await anOrder()
    rig.xnatProxy.judge = () => ({ kind: 'answer', status: 503 })

    expect(await rig.invoke(order, { attempt: deliveryTries - 1 })).toEqual({ kind: 'handed-back' })
    expect(await rig.receipt(order)).toBeUndefined()

    expect(await rig.invoke(order, { attempt: deliveryTries })).toEqual({ kind: 'dead-lettered', code: 'XNAT_BUSY' })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'XNAT_BUSY' })
  })

  it('has a receipt also when the last try ran out of time', async () => {
    const order = await anOrder()
    rig.xnatProxy.judge = () => ({ kind: 'hang' })

    const ending = await rig.invoke(order, { attempt: deliveryTries, remainingMs: 2_500 })

    expect(ending).toEqual({ kind: 'dead-lettered', code: 'OUT_OF_TIME' })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'OUT_OF_TIME' })
  })

  it('is not tried again when the last try died, and its receipt says that', async () => {
    const order = await anOrder()

    const ending = await rig.invoke(order, { attempt: deliveryTries + 1 })

    expect(ending).toEqual({ kind: 'dead-lettered', code: 'TRIES_SPENT' })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'TRIES_SPENT' })
    expect(rig.xnatProxy.seen).toEqual([])
  })

  it('keeps the proof that it earned when only what came after it failed', async () => {
    const order = await anOrder()
    const sentAt = new Date(Date.now() - 1_000)
    await rig.invoke(order, { attempt: deliveryTries, sentAt })

    const ending = await rig.invoke(order, { attempt: deliveryTries + 1, sentAt })

    expect(ending).toEqual({ kind: 'dead-lettered', code: 'TRIES_SPENT' })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'verified' })
  })

  it('keeps no proof of an earlier time', async () => {
    const order = await anOrder()
    await rig.invoke(order)

    await rig.invoke(order, { attempt: deliveryTries + 1, sentAt: new Date(Date.now() + 1_000) })

    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'TRIES_SPENT' })
  })

  it.each(['receipts/', 'receipts-index/'])('is no dead letter before it has a receipt: %s', async (folder) => {
    const order = await anOrder()
    rig.s3Proxy.judge = ({ method, path }) =>
      method === 'PUT' && path.startsWith(`/state/${folder}`) ? { kind: 'answer', status: 503 } : undefined

    expect(await rig.invoke(order, { attempt: deliveryTries + 1 })).toEqual({ kind: 'handed-back' })
    expect(rig.deadLetters.sent).toEqual([])

    rig.s3Proxy.judge = () => undefined
    await rig.invoke(order, { attempt: deliveryTries + 2 })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed' })
  })
})

describe('an order that can never be delivered', () => {
  it('for its size is a dead letter before anything is sent or made', async () => {
    const { maxBytes } = loadConfig(testEnvironment).delivery
    const object = { key: `${scanPrefix}1.nii`, etag: 'e' }
    const fits = rig.orderFor([{ ...object, sizeBytes: maxBytes }])
    const order = rig.orderFor([{ ...object, sizeBytes: maxBytes + 1 }])

    expect(await rig.invoke(order)).toEqual({ kind: 'dead-lettered', code: 'OBJECT_TOO_LARGE' })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'OBJECT_TOO_LARGE' })
    expect(rig.xnatProxy.seen).toEqual([])
    // Of this one it finds that the object is not there.
    expect(await rig.invoke(fits)).toEqual({ kind: 'delivered' })
  })

  it('has a receipt with its code after one try', async () => {
    const key = 'projects/P1/subjects/S9/resources/NOTES/files/a.txt'
    const order = rig.orderFor([await rig.put(key, 'x')])

    expect(await rig.invoke(order)).toEqual({ kind: 'dead-lettered', code: 'SUBJECT_NOT_FOUND' })
    expect(await rig.receipt(order)).toMatchObject({ outcome: 'failed', code: 'SUBJECT_NOT_FOUND' })
  })

  it('has a receipt that names the files it was about, as what failed', async () => {
    const puts = ['a.txt', 'b/c.txt'].map((path) =>
      rig.put(`projects/P1/subjects/S9/resources/NOTES/files/${path}`, path),
    )
    const order = rig.orderFor(await Promise.all(puts))

    await rig.invoke(order)

    expect((await rig.receipt(order))?.files).toEqual([
      { path: 'a.txt', sizeBytes: 5, etag: md5('a.txt'), outcome: 'failed' },
      { path: 'b/c.txt', sizeBytes: 7, etag: md5('b/c.txt'), outcome: 'failed' },
    ])
  })
})
