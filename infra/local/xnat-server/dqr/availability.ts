// When a PACS may be asked (D:domain/entities/PacsAvailability.java, D:services/impl/hibernate/
// HibernatePacsAvailabilityService.java). The server's local time is UTC.
import type { Xnat } from '../exchange.ts'
import { newEntity } from './entity.ts'
import { type PacsAvailability, weekdays } from './records.ts'

/** The interval that covers this moment; its bounds are outside of it. */
export function availableNow({ state, now }: Xnat, pacsId: number): PacsAvailability | undefined {
  const at = now()
  const day = weekdays[(at.getUTCDay() + 6) % 7]
  const minutes =
    at.getUTCHours() * 60 + at.getUTCMinutes() + (at.getUTCSeconds() + at.getUTCMilliseconds() / 1000) / 60
  return state.dqr.availability.find((interval) => {
    const { start, end } = bounds(interval)
    const isWithin = start < end ? minutes > start && minutes < end : minutes > end && minutes < start
    return interval.pacsId === pacsId && interval.dayOfWeek === day && isWithin
  })
}

/** A time of day as it is stored; undefined for what is none. `24:00` becomes `00:00`, `9:30` becomes `09:30`. */
export function storedTime(text: string): string | undefined {
  if (text === '24:00') return '00:00'
  const time = text.padStart(5, '0')
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(time) && /^\d{1,2}:/.test(text) ? time : undefined
}

export type Interval = Omit<PacsAvailability, 'id' | 'createdMs' | 'changedMs'>

export function addInterval(xnat: Xnat, interval: Interval): PacsAvailability {
  return xnat.state.dqr.availability.put({
    ...withoutHalves(interval),
    ...newEntity(xnat, xnat.state.next('pacsAvailability')),
  })
}

/** DQR: no threads or no utilisation means neither (D:rest/DqrPacsApi.java). */
export function withoutHalves<T extends Pick<Interval, 'threads' | 'utilizationPercent'>>(interval: T): T {
  const isIdle = interval.threads === 0 || interval.utilizationPercent === 0
  return isIdle ? { ...interval, threads: 0, utilizationPercent: 0 } : interval
}

/** Other intervals of that PACS and day that share time with this one. */
export function overlapping({ state }: Xnat, interval: Interval, exceptId?: number): PacsAvailability[] {
  const { start, end } = bounds(interval)
  return state.dqr.availability.all().filter((other) => {
    const isSameDay = other.pacsId === interval.pacsId && other.dayOfWeek === interval.dayOfWeek
    const others = bounds(other)
    return isSameDay && other.id !== exceptId && others.start < end && start < others.end
  })
}

/** Cuts away from the others what this interval takes; those it covers whole are deleted. */
export function makeRoomFor(xnat: Xnat, interval: Interval, exceptId: number): void {
  const { start, end } = bounds(interval)
  const { availability } = xnat.state.dqr
  for (const other of overlapping(xnat, interval, exceptId)) {
    const others = bounds(other)
    const before = others.start < start
    const after = others.end > end
    if (before)
      availability.put({ ...other, availabilityEnd: interval.availabilityStart, changedMs: xnat.now().getTime() })
    else if (after) availability.put({ ...other, availabilityStart: interval.availabilityEnd })
    else availability.delete(String(other.id))
    if (before && after) addInterval(xnat, { ...other, availabilityStart: interval.availabilityEnd })
  }
}

function bounds({ availabilityStart, availabilityEnd }: Pick<Interval, 'availabilityStart' | 'availabilityEnd'>) {
  return { start: minutesOf(availabilityStart), end: minutesOf(availabilityEnd) || 24 * 60 }
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}
