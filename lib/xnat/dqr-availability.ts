// When XNAT may ask a PACS for studies. Administrators only.
import * as z from 'zod'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'

export const weekdays = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const
export type Weekday = (typeof weekdays)[number]

const Interval = z
  .object({ availabilityStart: z.string(), availabilityEnd: z.string(), threads: z.int(), utilizationPercent: z.int() })
  .transform(({ availabilityStart, availabilityEnd, ...rest }) => ({
    /** `HH:mm`, by the clock of the server that XNAT runs on; an end of `00:00` is the end of the day. */
    start: availabilityStart,
    end: availabilityEnd,
    ...rest,
  }))
export type AvailabilityInterval = z.infer<typeof Interval>

export type Availability = Readonly<Partial<Record<Weekday, readonly AvailabilityInterval[]>>>

/** The hours in which XNAT retrieves from the PACS. Without any it never does, and says nothing of it. */
export async function getAvailability(
  client: XnatClient,
  pacsId: number,
  options: CallOptions = {},
): Promise<Availability> {
  const path = xnatPath`/xapi/pacs/${pacsId}/availability`
  return client.json(z.partialRecord(z.enum(weekdays), z.array(Interval)), { method: 'GET', path, ...options })
}
