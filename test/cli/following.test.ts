import { describe, expect, it } from 'vitest'
import { ApiFailure } from '../../functions/cli/conduit-api.ts'
import { type Followed, followDeliveries } from '../../functions/cli/deliver/follow.ts'
import type { PlannedFile } from '../../functions/cli/deliver/plan.ts'
import { readableBytes } from '../../functions/cli/deliver/progress.ts'
import type { Mention, ReceiptBook } from '../../functions/cli/deliver/receipt-book.ts'
import { exitCodeOf, reportOf, reportText } from '../../functions/cli/deliver/report.ts'
import { type Standing, standingOf } from '../../functions/cli/deliver/standing.ts'
import { exitCodes } from '../../functions/cli/failure.ts'
import type { Clock } from '../../lib/retry.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute))
const resource: PlannedFile = {
  name: 'a.dcm',
  location: '/files/a.dcm',
  sizeBytes: 3,
  key: 'projects/P1/resources/R/files/a.dcm',
  target: { projectId: 'P1', resourceLabel: 'R' },
  path: 'a.dcm',
}
const target = { projectId: 'P1', subject: 'S', experiment: 'E' }
const marker = { key: 'projects/P1/subjects/S/experiments/E/dicom/_SUCCESS', target, path: '_SUCCESS' }
const loose: PlannedFile = { ...resource, target, marker }
const content = { sizeBytes: 3, md5: 'd1', etag: 'e1' }
const version = { content, putAt: at(10) }
const ofMarker = { content: { sizeBytes: 9, md5: 'm1', etag: 'm1' }, putAt: at(11) }

/** The first is the newest. */
function bookOf(mentions: Readonly<Record<string, Partial<Mention>[]>>): ReceiptBook {
  const whole = (path: string) =>
    (mentions[path] ?? []).map(
      (mention, index): Mention => ({
        deliveryId: `delivery-${index}`,
        orderedAt: at(20 - index),
        code: undefined,
        sizeBytes: 3,
        outcome: 'stored',
        ...mention,
      }),
    )
  return { read: async () => undefined, mentions: (_, path) => whole(path) }
}

const ours = { md5: 'd1', verifiedBy: 'md5' } as const
const theirs = { md5: 'd2', verifiedBy: 'md5' } as const
const failed = { outcome: 'failed', code: 'NO_EDIT_RIGHT', etag: 'e1' } as const

describe('where a file of a resource stands', () => {
  it.each<[string, Partial<Mention>[], Standing['kind'] | undefined]>([
    ['no receipt names it', [], undefined],
    ['it was stored as it is', [ours], 'verified'],
    ['it was there as it is', [{ ...ours, outcome: 'unchanged' }], 'verified'],
    ['it was stored, and not proved', [{ md5: 'd1' }], 'unproved'],
    ['something else was stored', [theirs], undefined],
    ['something else was stored since', [theirs, ours], undefined],
    ['it was stored again after something else', [ours, theirs], 'verified'],
    ['its size is another', [{ ...ours, sizeBytes: 4 }], undefined],
    ['a newer order took its place and is not there yet', [{ outcome: 'superseded' }], undefined],
    ['an order that was late was left to the one before', [{ outcome: 'superseded' }, ours], 'verified'],
    ['it failed', [failed], 'failed'],
    ['it failed before it was put anew', [{ ...failed, orderedAt: at(9) }], undefined],
    ['another version of it failed', [{ ...failed, etag: 'e2' }], undefined],
    ['it failed after it was stored', [failed, ours], 'failed'],
    ['it was stored after it failed', [ours, failed], 'verified'],
  ])('when %s', (_, mentions, kind) => {
    expect(standingOf(bookOf({ 'a.dcm': mentions }), resource, { file: version })?.kind).toBe(kind)
  })

  it('is told with the code of its failure and the delivery', () => {
    const standing = standingOf(bookOf({ 'a.dcm': [failed] }), resource, { file: version })

    expect(standing).toEqual({ kind: 'failed', code: 'NO_EDIT_RIGHT', deliveryId: 'delivery-0' })
  })
})

describe('where a file of a session stands', () => {
  const byCount = { etag: 'e1', verifiedBy: 'count' } as const
  const failedMarker = { outcome: 'failed', code: 'SESSION_EXISTS', etag: 'm1', sizeBytes: 9 } as const

  it.each<[string, Record<string, Partial<Mention>[]>, Standing['kind'] | undefined]>([
    ['it was imported', { 'a.dcm': [byCount] }, 'verified'],
    ['it was imported, and another of its name since', { 'a.dcm': [theirs, byCount] }, 'verified'],
    ['its marker failed', { _SUCCESS: [failedMarker] }, 'failed'],
    ['its marker failed and it was imported before', { _SUCCESS: [failedMarker], 'a.dcm': [byCount] }, 'verified'],
    ['an earlier marker failed', { _SUCCESS: [{ ...failedMarker, orderedAt: at(10) }] }, undefined],
    ['the marker of other files failed', { _SUCCESS: [{ ...failedMarker, etag: 'm2' }] }, undefined],
  ])('when %s', (_, mentions, kind) => {
    expect(standingOf(bookOf(mentions), loose, { file: version, ofMarker })?.kind).toBe(kind)
  })

  it.each<[string, Partial<Mention>[], Standing['kind'] | undefined]>([
    ['it was imported', [byCount], 'verified'],
    ['it failed', [failed], 'failed'],
    ['another archive of its name was imported', [{ ...byCount, etag: 'e2' }], undefined],
  ])('is its own to tell of an archive, when %s', (_, mentions, kind) => {
    const archive: PlannedFile = { ...resource, target }

    expect(standingOf(bookOf({ 'a.dcm': mentions }), archive, { file: version })?.kind).toBe(kind)
  })
})

/** Time that passes only while somebody waits. */
function standingClock(): Clock {
  let ms = 0
  return {
    now: () => ms,
    sleep: async (waitMs) => {
      ms += waitMs
    },
    random: () => 0,
  }
}

describe('following', () => {
  const { signal } = new AbortController()
  const two: Followed[] = ['a.dcm', 'b.dcm'].map((path) => ({
    file: { ...resource, name: path, path },
    versions: { file: version },
  }))

  async function follow(book: ReceiptBook, patienceMs = 60_000) {
    const told: string[] = []
    const silences: string[] = []
    const clock = standingClock()
    const onStanding = ({ name }: PlannedFile, { kind }: Standing) => told.push(`${name} ${kind}`)
    const onSilence = ({ message }: Error) => silences.push(message)
    const options = { patienceMs, signal, clock, onStanding, onSilence }
    const error = await followDeliveries(book, two, options).catch((thrown: unknown) => thrown)
    return { told, silences, error, waitedMs: clock.now() }
  }

  it('asks for what was ordered since the oldest version was put, until all have ended', async () => {
    const asked: unknown[] = []
    const growing: Record<string, Partial<Mention>[]> = {}
    const book = {
      ...bookOf(growing),
      async read(options: unknown) {
        asked.push(options)
        if (asked.length === 2) growing['b.dcm'] = [ours]
        if (asked.length === 4) growing['a.dcm'] = [failed]
      },
    }

    expect((await follow(book)).told).toEqual(['b.dcm verified', 'a.dcm failed'])
    expect(asked).toEqual(Array(4).fill({ since: new Date(at(10).getTime() - 2_000) }))
  })

  it('ends when nothing has moved for as long as patience lasts', async () => {
    const { told, error, waitedMs } = await follow(bookOf({ 'a.dcm': [ours] }))

    expect([told, error]).toEqual([['a.dcm verified'], undefined])
    expect(waitedMs).toBeGreaterThanOrEqual(60_000)
    expect(waitedMs).toBeLessThan(75_000)
  })

  it('outlasts an API that does not answer, and ends with that when it never does', async () => {
    const silence = new ApiFailure('no answer', exitCodes.unavailable)
    let reads = 0
    const late = {
      ...bookOf({ 'a.dcm': [ours], 'b.dcm': [ours] }),
      mentions: (...[, path]: Parameters<ReceiptBook['mentions']>) =>
        reads < 3 ? [] : bookOf({ [path]: [ours] }).mentions({ projectId: 'P1' }, path),
      async read() {
        reads += 1
        if (reads < 3) throw silence
      },
    }
    expect(await follow(late)).toMatchObject({
      told: ['a.dcm verified', 'b.dcm verified'],
      silences: ['no answer', 'no answer'],
    })

    const never = { ...bookOf({}), read: () => Promise.reject(silence) }
    expect(await follow(never)).toMatchObject({ told: [], error: silence })
  })

  it('ends at once when the API refuses', async () => {
    const refusal = new ApiFailure('401', exitCodes.keyRefused)

    expect(await follow({ ...bookOf({}), read: () => Promise.reject(refusal) })).toMatchObject({
      error: refusal,
      waitedMs: 0,
    })
  })
})

describe('what a delivery came to', () => {
  const files = ['a', 'b', 'c', 'd'].map((name) => ({ ...resource, name }))
  const [a, b, c, d] = files as [PlannedFile, PlannedFile, PlannedFile, PlannedFile]
  const verified: Standing = { kind: 'verified', deliveryId: 'v' }
  const unproved: Standing = { kind: 'unproved', deliveryId: 'u' }
  const failure: Standing = { kind: 'failed', code: 'NO_EDIT_RIGHT', deliveryId: 'f' }
  const report = (...standings: [PlannedFile, Standing][]) =>
    reportOf({ files, sent: new Set([a]), standings: new Map(standings) })

  it.each<[string, [PlannedFile, Standing][], number]>([
    ['all are verified', files.map((file) => [file, verified]), 0],
    ['one is not proved', [[a, unproved], ...[b, c, d].map((file): [PlannedFile, Standing] => [file, verified])], 3],
    ['some have not ended', [[a, verified]], 3],
    ['one failed, and some have not ended', [[b, failure]], 1],
  ])('is told by the exit code when %s', (_, standings, exitCode) => {
    expect(exitCodeOf(report(...standings))).toBe(exitCode)
  })

  it('is told file by file', () => {
    const told = report([a, verified], [b, unproved], [c, failure])

    expect(told).toEqual({
      files: 4,
      bytes: 12,
      sent: 1,
      sentBytes: 3,
      verified: 1,
      unproved: 1,
      failed: [{ name: 'c', code: 'NO_EDIT_RIGHT', deliveryId: 'f' }],
      pending: ['d'],
    })
    expect(reportText(told)).toMatch(
      /^4 files \(12 B\), 1 of them sent now \(3 B\): 1 verified in XNAT\.\n1 are in XNAT as far/,
    )
    expect(reportText(told)).toMatch(/nothing is known of them yet:\n {2}d\n.*1 failed with NO_EDIT_RIGHT:\n {2}c\n/s)
  })
})

describe('a number of bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [89_546, '89.5 kB'],
    [123_456_789, '123 MB'],
    [2.5e12, '2.5 TB'],
    [7e15, '7000 TB'],
  ])('is read at a glance: %i', (bytes, text) => {
    expect(readableBytes(bytes)).toBe(text)
  })
})
