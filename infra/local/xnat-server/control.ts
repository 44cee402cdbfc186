// The stand-in's own routes, for scripts in another process: /__stand-in/faults, /__stand-in/clock and so on.
import type { IncomingMessage } from 'node:http'
import * as z from 'zod'
import type { Background } from './background.ts'
import type { Clock } from './clock.ts'
import { pacsControls } from './control-pacs.ts'
import { changeSettings, showSettings } from './control-settings.ts'
import type { Xnat } from './exchange.ts'
import { FaultOrder, type Faults } from './faults.ts'
import { HttpFailure } from './http-failure.ts'
import { parseJson } from './json.ts'
import { emptyReply, failureReply, jsonReply, type Reply, textReply } from './reply.ts'
import type { RequestLog } from './request-log.ts'

export const controlPrefix = '/__stand-in/'

export interface ControlParts {
  xnat: Xnat
  faults: Faults
  requests: RequestLog
  clock: Clock
  background: Background
}

export interface ControlCall extends ControlParts {
  /** @throws {HttpFailure} 400 for a body that does not fit. */
  readBody<T>(schema: z.ZodType<T>): Promise<T>
}

/** By method and what follows the prefix: `POST faults`. */
export type ControlRoutes = Readonly<Record<string, (call: ControlCall) => Reply | Promise<Reply>>>

const routes: ControlRoutes = {
  'POST faults': arrangeFault,
  'DELETE faults': ({ faults }) => {
    faults.clear()
    return emptyReply(204)
  },
  'GET requests': ({ requests }) => jsonReply(requests.list()),
  'DELETE requests': ({ requests }) => {
    requests.clear()
    return emptyReply(204)
  },
  'GET clock': ({ clock }) => jsonReply({ now: clock.now().toISOString() }),
  'POST clock': moveClock,
  'GET settings': showSettings,
  'POST settings': changeSettings,
  ...pacsControls,
}

export async function controlReply(request: IncomingMessage, parts: ControlParts): Promise<Reply> {
  const path = (request.url ?? '').slice(controlPrefix.length)
  const route = routes[`${request.method} ${path}`]
  if (route === undefined) return textReply(`No control route ${request.method} ${request.url}`, 404)
  try {
    return await route({ ...parts, readBody: (schema) => readBody(request, schema) })
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    return failureReply(error)
  }
}

async function arrangeFault({ faults, readBody }: ControlCall): Promise<Reply> {
  faults.next(await readBody(FaultOrder))
  return emptyReply(204)
}

const ClockOrder = z.strictObject({ advanceMs: z.number().nonnegative() })

async function moveClock({ clock, background, readBody }: ControlCall): Promise<Reply> {
  clock.advance((await readBody(ClockOrder)).advanceMs)
  await background.settle()
  return jsonReply({ now: clock.now().toISOString() })
}

async function readBody<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  let body = ''
  for await (const chunk of request) body += chunk
  const read = schema.safeParse(parseJson(body))
  if (!read.success) throw new HttpFailure(400, read.error.message, { voice: 'plain' })
  return read.data
}
