import { describe, expect, it } from 'vitest'
import { DeliveryOrder, SessionOrder } from '../../lib/delivery/order.ts'
import { createLogger } from '../../lib/log.ts'
import { routeObjects, S3Notification } from '../../lib/services/route-objects.ts'
import { createdRecord } from '../support/events.ts'
import { memoryQueue } from '../support/memory-queue.ts'

const scan = (id: number | string, path: string) =>
  `projects/P/subjects/S/experiments/E/scans/${id}/resources/DICOM/files/${path}`

async function route(...records: object[][]) {
  const deliveries = memoryQueue()
  const lines: string[] = []
  const log = createLogger({ level: 'info', write: (line) => lines.push(line) })
  const notifications = records.map((Records) => S3Notification.parse({ Records }))
  const outcome = await routeObjects({ deliveries, log, maxOrderBytes: 8 * 1024 ** 3 }, notifications)
  return {
    outcome,
    lines,
    messages: deliveries.sent,
    get orders() {
      return deliveries.sent.map(({ body }) => DeliveryOrder.parse(JSON.parse(body)))
    },
  }
}

describe('routing of S3 events', () => {
  it('makes one order per XNAT resource, with keys decoded', async () => {
    const { orders, outcome } = await route(
      [createdRecord({ key: scan(1, 'a b+c/ü.dcm') })],
      [createdRecord({ key: scan(2, 'x.dcm') }), createdRecord({ key: scan(1, 'b.dcm'), size: 9 })],
    )

    expect(outcome).toMatchObject({ orders: 2, objects: 3, refused: [] })
    expect(
      orders.map(({ target, objects }) => [target.scanId, objects.map(({ path, sizeBytes }) => [path, sizeBytes])]),
    ).toEqual([
      [
        '1',
        [
          ['a b+c/ü.dcm', 3],
          ['b.dcm', 9],
        ],
      ],
      ['2', [['x.dcm', 3]]],
    ])
  })

  it('keeps one writer per resource: orders of one resource share a group, also when a key leaves the subject out', async () => {
    const { messages } = await route([
      createdRecord({ key: scan(1, 'a') }),
      createdRecord({ key: scan(1, 'b').replace('subjects/S/', '') }),
      createdRecord({ key: scan(2, 'a') }),
      createdRecord({ key: 'projects/P/subjects/S/resources/DICOM/files/a' }),
      createdRecord({ key: 'projects/P/resources/DICOM/files/a' }),
      createdRecord({ key: 'projects/P/experiments/E/assessors/A/in/resources/DICOM/files/a' }),
      createdRecord({ key: 'projects/P/experiments/E/assessors/A/out/resources/DICOM/files/a' }),
    ])

    const groups = messages.map(({ group }) => group)
    expect(groups[0]).toBe(groups[1])
    expect(new Set(groups).size).toBe(6)
    expect(groups.join()).not.toMatch(/P|S|E/)
  })

  it('takes the newest event of an object, whatever the order they come in', async () => {
    const newer = createdRecord({ key: scan(1, 'a'), eTag: 'new', sequencer: '0055AED6DCD90281E6' })
    const older = createdRecord({ key: scan(1, 'a'), eTag: 'old', sequencer: '0055AED6DCD90281E5' })

    for (const records of [
      [newer, older],
      [older, newer],
    ]) {
      expect((await route(records)).orders[0]?.objects).toEqual([{ path: 'a', sizeBytes: 3, etag: 'new' }])
    }
  })

  it('compares sequencers of different length as S3 says: the shorter padded on the right with zeros', async () => {
    const shorter = createdRecord({ key: scan(1, 'a'), eTag: 'new', sequencer: '0056' })
    const longer = createdRecord({ key: scan(1, 'a'), eTag: 'old', sequencer: '0055FF' })

    expect((await route([longer, shorter])).orders[0]?.objects[0]?.etag).toBe('new')
  })

  it('gives the same orders the same ids when the events come again', async () => {
    const records = [createdRecord({ key: scan(1, 'a') }), createdRecord({ key: scan(1, 'b') })]
    const [first, second] = [await route(records), await route(records.toReversed())]

    expect(second.messages).toEqual(first.messages)
    expect(first.messages[0]?.deduplicationId).toBe(first.orders[0]?.deliveryId)
  })

  it('gives newer orders ids that sort first', async () => {
    const older = await route([createdRecord({ key: scan(1, 'a'), at: '2026-01-01T00:00:00.000Z' })])
    const newer = await route([createdRecord({ key: scan(1, 'a'), at: '2026-01-01T00:00:00.001Z' })])

    expect(newer.orders[0]!.deliveryId < older.orders[0]!.deliveryId).toBe(true)
  })

  it('makes one order of each archive and each marker of a session, and holds loose files until then', async () => {
    const dicom = 'projects/P/subjects/S/experiments/E/dicom/'
    const { outcome, messages, lines } = await route([
      createdRecord({ key: `${dicom}a.zip`, size: 9 }),
      createdRecord({ key: `${dicom}series/1.dcm` }),
      createdRecord({ key: `${dicom}series/_SUCCESS`, size: 0 }),
    ])

    const orders = messages.map(({ body }) => SessionOrder.parse(JSON.parse(body)))
    expect(orders.map(({ keyPrefix, target, source }) => [keyPrefix, target, source.path, source.sizeBytes])).toEqual([
      [dicom, { projectId: 'P', subject: 'S', experiment: 'E' }, 'a.zip', 9],
      [dicom, { projectId: 'P', subject: 'S', experiment: 'E' }, 'series/_SUCCESS', 0],
    ])
    expect(new Set(messages.map(({ group }) => group)).size).toBe(1)
    expect(outcome).toMatchObject({ orders: 2, objects: 3, refused: [] })
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'loose DICOM held for its marker', files: 1 },
    ])
  })

  it('sets a bad key apart, by itself, and orders its neighbours', async () => {
    const bad = createdRecord({ key: 'not-a-path.dcm' })
    const { outcome, orders } = await route(
      [createdRecord({ key: scan(1, 'a') })],
      [bad, createdRecord({ key: scan(1, 'b') })],
    )

    expect(orders[0]?.objects.map(({ path }) => path)).toEqual(['a', 'b'])
    expect(outcome.refused).toMatchObject([
      { index: 1, notification: { Records: [bad] }, error: { code: 'KEY_NOT_UNDERSTOOD' } },
    ])
  })

  it.each([
    [
      'percent-encoding that is none',
      { ...createdRecord({ key: 'x' }), s3: { object: { key: '%E0%A4%A', size: 1, eTag: 'e' } } },
      'KEY_NOT_UNDERSTOOD',
    ],
    ['no size', { ...createdRecord({ key: 'x' }), s3: { object: { key: 'x', eTag: 'e' } } }, 'EVENT_NOT_UNDERSTOOD'],
    ['no object', { ...createdRecord({ key: 'x' }), s3: {} }, 'EVENT_NOT_UNDERSTOOD'],
  ])('refuses a record with %s', async (_, record, code) => {
    expect((await route([record])).outcome.refused).toMatchObject([{ error: { code, retry: 'never' } }])
  })

  it('ignores removals, folders and S3 test events, the first two with or without a word', async () => {
    expect(S3Notification.parse({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'incoming' })).toEqual({
      Records: [],
    })
    const { outcome, lines, messages } = await route([
      createdRecord({ key: scan(1, 'a'), eventName: 'ObjectRemoved:Delete' }),
      createdRecord({ key: scan(1, 'folder/'), size: 0 }),
    ])

    expect([outcome.orders, outcome.refused, messages]).toEqual([0, [], []])
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'event ignored', eventName: 'ObjectRemoved' },
    ])
  })

  it('splits what is too much for one message or one run, and loses nothing', async () => {
    const many = Array.from({ length: 6_000 }, (_, index) =>
      createdRecord({ key: scan(1, `${'long-name-'.repeat(8)}${index}`) }),
    )
    const large = Array.from({ length: 5 }, (_, index) =>
      createdRecord({ key: scan(2, `${index}`), size: 3 * 1024 ** 3 }),
    )
    const tooLarge = createdRecord({ key: scan(3, 'b'), size: 9 * 1024 ** 3 })
    const beside = ['a', 'c'].map((name) => createdRecord({ key: scan(3, name) }))
    const { messages, orders } = await route(many, large, [tooLarge, ...beside])

    for (const { body } of messages) expect(Buffer.byteLength(body)).toBeLessThan(256 * 1024)
    const [first, second] = [
      orders.filter(({ target }) => target.scanId === '1'),
      orders.filter(({ target }) => target.scanId === '2'),
    ]
    expect(new Set(first.flatMap(({ objects }) => objects.map(({ path }) => path))).size).toBe(6_000)
    expect(second.map(({ objects }) => objects.length)).toEqual([2, 2, 1])
    const third = orders.filter(({ target }) => target.scanId === '3')
    expect(third.map(({ objects }) => objects.map(({ path }) => path))).toEqual([['a'], ['b'], ['c']])
    expect(new Set(orders.map(({ deliveryId }) => deliveryId)).size).toBe(orders.length)
  })
})
