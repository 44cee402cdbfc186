import { describe, expect, it } from 'vitest'
import type { ReceiptSummary } from '../../functions/api/console/answers.ts'
import { failureCodes, ranges, throughputOf, totalsOf } from '../../functions/api/console/throughput.ts'

const now = new Date('2026-01-05T07:03:00.000Z')

const receipt = (finishedAt: string, parts: Partial<ReceiptSummary> = {}): ReceiptSummary => ({
  deliveryId: '8232774399999-0123456789abcdef',
  outcome: 'verified',
  projectId: 'P1',
  files: 2,
  bytes: 10,
  orderedAt: finishedAt,
  finishedAt,
  ...parts,
})

const [hour] = ranges

describe('throughput', () => {
  it('counts deliveries into spans by when they ended, the last of which holds now', () => {
    const { starts, bytes, files, failures } = throughputOf(
      [
        receipt('2026-01-05T07:03:30.000Z'),
        receipt('2026-01-05T07:02:59.999Z', { bytes: 5 }),
        receipt('2026-01-05T07:02:00.000Z', { bytes: 7 }),
        receipt('2026-01-05T07:02:30.000Z', { outcome: 'failed', code: 'SESSION_EMPTY', bytes: 99 }),
      ],
      hour,
      now,
    )
    expect(starts.length).toBe(60)
    expect(starts.at(-1)).toBe(now.getTime())
    expect(bytes.slice(-3)).toEqual([0, 12, 10])
    expect(files.slice(-3)).toEqual([0, 4, 2])
    expect(failures.slice(-3)).toEqual([0, 1, 0])
  })

  it('leaves out what ended before, and takes what a clock ahead says into the last span', () => {
    const { bytes } = throughputOf(
      [receipt('2026-01-05T06:00:00.000Z'), receipt('2026-01-05T07:09:00.000Z')],
      hour,
      now,
    )
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBe(10)
    expect(bytes.at(-1)).toBe(10)
  })

  it('is summed over what was proved, and failures by code, the most frequent first', () => {
    const failed = (code: string) => receipt('2026-01-05T07:00:00.000Z', { outcome: 'failed', code })
    const receipts = [receipt('2026-01-05T07:00:00.000Z'), failed('B'), failed('A'), failed('B')]
    expect(totalsOf(receipts)).toEqual({ verified: 1, failed: 3, files: 2, bytes: 10 })
    expect(failureCodes(receipts)).toEqual([
      { code: 'B', deliveries: 2 },
      { code: 'A', deliveries: 1 },
    ])
  })
})
