import { type Clock, systemClock } from '../../../lib/retry.ts'
import { isUnavailable } from '../conduit-api.ts'
import type { PlannedFile } from './plan.ts'
import type { ReceiptBook } from './receipt-book.ts'
import { type Standing, standingOf, type Version } from './standing.ts'

export interface Followed {
  file: PlannedFile
  versions: { file: Version; ofMarker?: Version | undefined }
}

interface FollowOptions {
  /** How long nothing may move before it is given up. */
  patienceMs: number
  onStanding: (file: PlannedFile, standing: Standing) => void
  /** The API does not answer; it is asked again. */
  onSilence: (error: Error) => void
  signal: AbortSignal
  clock?: Clock
}

/** How long to wait between two looks; longer when nothing moved. */
const pauseMs = { first: 500, growth: 1.2, longest: 10_000 }

/**
 * Reads receipts until each of these files has ended, well or not, or until patience is over.
 *
 * @throws {ApiFailure} when the API had not answered for all that time, or refuses.
 */
export async function followDeliveries(
  book: ReceiptBook,
  files: readonly Followed[],
  { patienceMs, onStanding, onSilence, signal, clock = systemClock }: FollowOptions,
): Promise<void> {
  let waiting = files
  let movedAt = clock.now()
  let pause = pauseMs.first
  while (waiting.length > 0) {
    const silence = await read(book, waiting)
    const still = waiting.filter(({ file, versions }) => {
      const standing = standingOf(book, file, versions)
      if (standing !== undefined) onStanding(file, standing)
      return standing === undefined
    })
    const hasMoved = still.length < waiting.length
    waiting = still
    if (hasMoved) movedAt = clock.now()
    if (silence !== undefined) onSilence(silence)
    if (waiting.length === 0) return
    if (clock.now() - movedAt >= patienceMs) {
      if (silence !== undefined) throw silence
      return
    }
    pause = hasMoved ? pauseMs.first : Math.min(pause * pauseMs.growth, pauseMs.longest)
    await clock.sleep(pause, signal)
  }
}

/** Clocks of S3 and the API may differ by less than this. */
const slackMs = 2_000

/** What a long look at the API meets now and then must not end it. */
async function read(book: ReceiptBook, waiting: readonly Followed[]): Promise<Error | undefined> {
  const times = waiting.flatMap(({ versions: { file, ofMarker = file } }) => [file.putAt, ofMarker.putAt])
  try {
    await book.read({ since: new Date(Math.min(...times.map((time) => time.getTime())) - slackMs) })
    return undefined
  } catch (error) {
    if (isUnavailable(error)) return error
    throw error
  }
}
