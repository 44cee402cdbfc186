// When a PACS may be asked (D:rest/DqrPacsApi.java).
import * as z from 'zod'
import { addInterval, type Interval, makeRoomFor, overlapping, storedTime, withoutHalves } from '../dqr/availability.ts'
import { entityJson } from '../dqr/entity.ts'
import { type PacsAvailability, weekdays } from '../dqr/records.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import {
  bareReply,
  pathNumber,
  readJson,
  requestFailure,
  requireAdmin,
  xapiFailure,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

export const pacsAvailabilityXapiRoutes = [
  xapiRoute('/pacs/{ID}/availability', { GET: listIntervals, POST: createInterval }),
  xapiRoute('/pacs/{ID}/availability/validate', { POST: validateInterval }),
  xapiRoute('/pacs/{ID}/availability/{INTERVAL}', {
    GET: showInterval,
    PUT: changeInterval,
    DELETE: deleteInterval,
  }),
]

const Settings = z.object({
  pacsId: z.number().default(0),
  dayOfWeek: z.enum(weekdays).optional(),
  availabilityStart: z.string().default(''),
  availabilityEnd: z.string().default(''),
  threads: z.number().default(0),
  utilizationPercent: z.number().default(0),
})
type Settings = z.infer<typeof Settings>

function listIntervals(exchange: Exchange): Reply {
  requireAdmin(exchange)
  const pacsId = pathNumber(exchange, 'ID')
  const all = exchange.xnat.state.dqr.availability.all().filter((interval) => interval.pacsId === pacsId)
  return xapiJson(
    Object.fromEntries(
      weekdays.map((day) => [day, all.filter(({ dayOfWeek }) => dayOfWeek === day).map(intervalJson)]),
    ),
  )
}

async function createInterval(exchange: Exchange): Promise<Reply> {
  const { username } = requireAdmin(exchange)
  const interval = requireInterval(exchange, await readJson(exchange, Settings), username)
  if (overlapping(exchange.xnat, interval).length > 0) {
    throw xapiFailure(
      400,
      `User ${username} tried to create an availability interval for PACS ${interval.pacsId} but the interval was invalid (probable overlap with existing interval).\n`,
    )
  }
  return xapiJson(intervalJson(addInterval(exchange.xnat, interval)))
}

async function validateInterval(exchange: Exchange): Promise<Reply> {
  const { username } = requireAdmin(exchange)
  const interval = requireInterval(exchange, await readJson(exchange, Settings), username)
  return xapiJson(overlapping(exchange.xnat, interval).length === 0)
}

function showInterval(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(intervalJson(requirePresent(exchange)))
}

// DQR: a body without the PACS's id moves the interval to PACS 0, one without the day is a null pointer, one without
// threads or utilisation sets both to 0 (updatePacsAvailabilityInterval).
async function changeInterval(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const { xnat } = exchange
  const present = requirePresent(exchange)
  const settings = await readJson(exchange, Settings)
  if (settings.dayOfWeek === undefined) throw requestFailure(500, 'null')
  const { availabilityStart, availabilityEnd, ...rest } = withoutHalves(settings)
  const changed: PacsAvailability = {
    ...present,
    ...rest,
    dayOfWeek: settings.dayOfWeek,
    availabilityStart: availabilityStart === '' ? present.availabilityStart : requireTime(availabilityStart),
    availabilityEnd: availabilityEnd === '' ? present.availabilityEnd : requireTime(availabilityEnd),
  }
  if (JSON.stringify(changed) === JSON.stringify(present)) return bareReply(304)
  makeRoomFor(xnat, changed, present.id)
  return xapiJson(intervalJson(xnat.state.dqr.availability.put({ ...changed, changedMs: xnat.now().getTime() })))
}

function deleteInterval(exchange: Exchange): Reply {
  requireAdmin(exchange)
  exchange.xnat.state.dqr.availability.delete(String(requirePresent(exchange).id))
  return xapiJson(true)
}

/** @throws {HttpFailure} 500 without a day, 400 without a start or end. */
function requireInterval(exchange: Exchange, settings: Settings, username: string): Interval {
  const { dayOfWeek, availabilityStart, availabilityEnd } = settings
  if (dayOfWeek === undefined) throw requestFailure(500, 'null')
  if (availabilityStart === '' || availabilityEnd === '') {
    throw xapiFailure(
      400,
      `User ${username} tried to check overlap for a PACS availability interval but did not supply the day of week, start time, and end time.\n`,
    )
  }
  return {
    ...settings,
    dayOfWeek,
    pacsId: pathNumber(exchange, 'ID'),
    availabilityStart: requireTime(availabilityStart),
    availabilityEnd: requireTime(availabilityEnd),
  }
}

function requireTime(text: string): string {
  const time = storedTime(text)
  if (time === undefined) throw xapiFailure(500, `The value given, ${text}, is invalid, must be format "hh:mm"`)
  return time
}

function requirePresent(exchange: Exchange): PacsAvailability {
  const [pacsId, id] = [pathNumber(exchange, 'ID'), pathNumber(exchange, 'INTERVAL')]
  const interval = exchange.xnat.state.dqr.availability.get(String(id))
  if (interval?.pacsId === pacsId) return interval
  const detail = `No PACS availability entry with ID ${id} exists for PACS ${pacsId}`
  throw xapiFailure(404, `Unable to find requested file or resource: ${detail}`)
}

function intervalJson(interval: PacsAvailability) {
  const { id: _id, createdMs: _created, changedMs: _changed, ...settings } = interval
  return { ...entityJson(interval), ...settings }
}
