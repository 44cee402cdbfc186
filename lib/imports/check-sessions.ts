// Counts the files of those sessions of the cohort that have not been counted yet.
import pLimit from 'p-limit'
import type { XnatClient } from '../xnat/client.ts'
import { type AssessInput, assessCohort } from './assess.ts'
import { checkSession, type SessionCheck } from './session-check.ts'

interface CheckDeps {
  xnat: XnatClient
  signal: AbortSignal
}

export interface CheckBounds {
  /** The most sessions to look at; the others are looked at next time. */
  most?: number
  /** Begin no further one after so many milliseconds. */
  withinMs?: number
}

const atATime = 8
const defaultWithinMs = 120_000

/** What was found, by experiment ID. Sessions that were not reached are missing. */
export async function checkUnchecked(
  { xnat, signal }: CheckDeps,
  input: Omit<AssessInput, 'checks'>,
  { most = Number.POSITIVE_INFINITY, withinMs = defaultWithinMs }: CheckBounds = {},
): Promise<Map<string, SessionCheck>> {
  const unchecked = assessCohort({ ...input, checks: new Map() })
    .flatMap(({ findings }) => findings)
    .flatMap(({ experimentId, isUnchecked }) => (isUnchecked && experimentId !== undefined ? [experimentId] : []))
  const until = performance.now() + withinMs
  const limit = pLimit(atATime)
  const checks = new Map<string, SessionCheck>()
  const check = async (experimentId: string) => {
    if (performance.now() > until) return
    const found = await checkSession({ xnat, signal }, experimentId)
    if (found !== undefined) checks.set(experimentId, found)
  }
  await Promise.all(unchecked.slice(0, most).map((experimentId) => limit(() => check(experimentId))))
  return checks
}
