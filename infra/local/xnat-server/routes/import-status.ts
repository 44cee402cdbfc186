// How work goes that was sent with an http-session-listener (SQListenerRepresentation.java, EventTrackingDataApi.java).
import type { Exchange } from '../exchange.ts'
import { wantedFormat } from '../media-types.ts'
import { documentReply, jsonReply, type Reply } from '../reply.ts'
import type { Route } from '../router.ts'
import { type XapiRoute, xapiFailure, xapiRoute } from '../xapi.ts'

export const statusRoutes: Route[] = [{ template: '/status/{TRANSACTION_ID}', methods: { GET: showMessages } }]
export const eventTrackingXapiRoutes: XapiRoute[] = [xapiRoute('/event_tracking/{key}', { GET: showOutcome })]

/** Seen from the same login only; an unknown transaction has no messages. */
function showMessages(exchange: Exchange): Reply {
  const { params, login, xnat } = exchange
  const messages = xnat.state.tracking.messages(params['TRANSACTION_ID'] ?? '', login.id)
  if (wantedFormat(exchange) === 'json') return jsonReply({ msgs: [messages] })
  const lines = messages.map(({ status, msg }) => `<tr><td class='s${status}'>${status}</td><td>${msg}</td></tr>\n`)
  return documentReply('text/html', `<html><body><table>${lines.join('')}</table></body></html>`)
}

function showOutcome({ params, user, xnat }: Exchange): Reply {
  const key = params['key'] ?? ''
  const outcome = xnat.state.tracking.outcome(key, user?.username ?? 'guest')
  if (outcome === undefined) throw xapiFailure(404, '')
  // XNAT: unlike elsewhere in /xapi, nulls are written here.
  return jsonReply({ key, payload: null, ...outcome })
}
