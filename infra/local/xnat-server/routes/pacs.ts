// The registry of PACS (D:rest/DqrPacsApi.java).
import { requireDqrUser } from '../dqr/access.ts'
import { entityJson, newEntity } from '../dqr/entity.ts'
import { pacsNotFound } from '../dqr/failures.ts'
import { faultOf, newPacs, PacsSettings, savePacs, withSettings } from '../dqr/pacs-settings.ts'
import type { Pacs, PacsPing } from '../dqr/records.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import {
  bareReply,
  pathNumber,
  readJson,
  requestFailure,
  requireAdmin,
  requireUser,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

export const pacsXapiRoutes = [
  xapiRoute('/pacs', { GET: listPacs, POST: createPacs }),
  xapiRoute('/pacs/{ID}', { GET: showPacs, PUT: changePacs, DELETE: deletePacs }),
  xapiRoute('/pacs/{ID}/status', { GET: ping }),
  xapiRoute('/pacs/{ID}/status/last', { GET: lastPing }),
  xapiRoute('/pacs/{ID}/status/all', { GET: allPings }),
]

function listPacs(exchange: Exchange): Reply {
  requireUser(exchange)
  const { query, xnat } = exchange
  const wanted = xnat.state.dqr.pacs
    .all()
    .filter(({ queryable }) => queryable || !query.isTrue('queryable'))
    .filter(({ storable }) => storable || !query.isTrue('storable'))
  return xapiJson(wanted.map(pacsJson))
}

function showPacs(exchange: Exchange): Reply {
  requireUser(exchange)
  return xapiJson(pacsJson(requirePacs(exchange)))
}

// DQR: what cannot be stored is logged, and the answer is 200 and empty (HibernatePacsService of the 2.x line).
async function createPacs(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const { xnat } = exchange
  const pacs = newPacs(xnat, await readJson(exchange, PacsSettings))
  if (faultOf(xnat, pacs) !== undefined) return bareReply(200)
  return xapiJson(pacsJson(savePacs(xnat, { ...pacs, id: xnat.state.next('pacs') })))
}

async function changePacs(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const { xnat, params } = exchange
  const settings = await readJson(exchange, PacsSettings)
  const present = xnat.state.dqr.pacs.get(params['ID'] ?? '')
  // DQR: an unknown one is dereferenced without a look (D:rest/DqrPacsApi.java updatePacs).
  if (present === undefined) throw requestFailure(500, 'null')
  const pacs = withSettings(present, settings)
  if (faultOf(xnat, pacs) !== undefined) return bareReply(200)
  return xapiJson(pacsJson(savePacs(xnat, pacs)))
}

function deletePacs(exchange: Exchange): Reply {
  requireAdmin(exchange)
  const { id } = requirePacs(exchange)
  const { pacs, availability } = exchange.xnat.state.dqr
  for (const interval of availability.all()) if (interval.pacsId === id) availability.delete(String(interval.id))
  pacs.delete(String(id))
  return bareReply(200)
}

/** Asks the PACS now. One that does not answer is no failure of the request. */
async function ping(exchange: Exchange): Promise<Reply> {
  requireDqrUser(exchange)
  const { xnat } = exchange
  const { id: pacsId } = requirePacs(exchange)
  const successful = await xnat.pacs.isUp()
  const entity = newEntity(xnat, xnat.state.next('pacsPing'))
  const stored = xnat.state.dqr.pings.put({ ...entity, pacsId, successful, pingTimeMs: xnat.now().getTime() })
  return xapiJson(pingJson(stored))
}

function lastPing(exchange: Exchange): Reply {
  requireAdmin(exchange)
  const last = pingsOf(exchange).at(-1)
  return last === undefined ? bareReply(200) : xapiJson(pingJson(last))
}

function allPings(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(pingsOf(exchange).map(pingJson))
}

function pingsOf(exchange: Exchange): PacsPing[] {
  const id = pathNumber(exchange, 'ID')
  return exchange.xnat.state.dqr.pings.all().filter(({ pacsId }) => pacsId === id)
}

function requirePacs(exchange: Exchange): Pacs {
  const pacs = exchange.xnat.state.dqr.pacs.get(String(pathNumber(exchange, 'ID')))
  if (pacs === undefined) throw pacsNotFound()
  return pacs
}

function pacsJson(pacs: Pacs) {
  const { id: _id, createdMs: _created, changedMs: _changed, ...settings } = pacs
  return { ...entityJson(pacs), ...settings }
}

function pingJson(ping: PacsPing) {
  const { pacsId, successful, pingTimeMs } = ping
  return { ...entityJson(ping), pacsId, successful, pingTime: pingTimeMs }
}
