// /__stand-in/settings: XNAT's site settings and the stand-in's switches, under their names and in one object.
import * as z from 'zod'
import type { ControlCall } from './control.ts'
import { HttpFailure } from './http-failure.ts'
import { SiteSettings } from './records.ts'
import { jsonReply, type Reply } from './reply.ts'
import { Switches } from './switches.ts'

const Order = z.record(z.string(), z.unknown())

export function showSettings({ xnat }: ControlCall): Reply {
  return jsonReply({ ...xnat.state.settings, ...xnat.state.switches })
}

/** Changes those that are named and leaves the others as they are. */
export async function changeSettings(call: ControlCall): Promise<Reply> {
  const { state } = call.xnat
  const order = await call.readBody(Order)
  const unknown = Object.keys(order).filter((name) => !(name in SiteSettings.shape) && !(name in Switches.shape))
  if (unknown.length > 0) throw badSettings(`no such settings: ${unknown.join(', ')}`)
  const settings = SiteSettings.safeParse({ ...state.settings, ...order })
  const switches = Switches.safeParse({ ...state.switches, ...order })
  const error = settings.error ?? switches.error
  if (error !== undefined) throw badSettings(z.prettifyError(error))
  if (settings.data !== undefined) state.configure(settings.data)
  if (switches.data !== undefined) state.arrange(switches.data)
  return showSettings(call)
}

function badSettings(message: string): HttpFailure {
  return new HttpFailure(400, message, { voice: 'plain' })
}
