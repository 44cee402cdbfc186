// Whether it makes sense to ask for studies now. When not, the cohort waits, which costs no attempt.
import { XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import { findDefaultPacs, pingPacs } from '../xnat/dqr.ts'
import { type Availability, getAvailability, weekdays } from '../xnat/dqr-availability.ts'
import type { ReasonCode } from './study-state.ts'

export type Readiness = { kind: 'ready'; pacsId: number } | { kind: 'waits'; code: ReasonCode }

interface ReadinessDeps {
  xnat: XnatClient
  signal: AbortSignal
  /** The PACS when XNAT cannot say which it has. */
  fallbackPacsId: number | undefined
  /** IANA name of the zone that XNAT's server lives in: its availability windows are by its own clock. */
  timeZone: string
}

export async function pacsReadiness(deps: ReadinessDeps, now: Date): Promise<Readiness> {
  const { xnat, signal, fallbackPacsId, timeZone } = deps
  try {
    const pacsId = (await findDefaultPacs(xnat, { signal })) ?? fallbackPacsId
    if (pacsId === undefined) return { kind: 'waits', code: 'PACS_UNKNOWN' }
    if (!isOpen(await getAvailability(xnat, pacsId, { signal }), now, timeZone)) {
      return { kind: 'waits', code: 'PACS_CLOSED' }
    }
    if (!(await pingPacs(xnat, pacsId, { signal }))) return { kind: 'waits', code: 'PACS_UNREACHABLE' }
    return { kind: 'ready', pacsId }
  } catch (error) {
    // XNAT: also where it has no DQR plug-in.
    if (error instanceof XnatError && error.code === 'XNAT_NOT_FOUND') return { kind: 'waits', code: 'PACS_UNKNOWN' }
    throw error
  }
}

/** DQR: bounds are exclusive, and a window of no threads is none (D:services/impl/hibernate/HibernatePacsAvailabilityService.java). */
export function isOpen(availability: Availability, now: Date, timeZone: string): boolean {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'long',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(now)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? ''
  const day = weekdays.find((name) => name === part('weekday').toUpperCase())
  const time = `${part('hour')}:${part('minute')}`
  const today = day === undefined ? [] : (availability[day] ?? [])
  return today.some(({ start, end, threads }) => threads > 0 && start <= time && (end === '00:00' || time < end))
}
