// The queue of studies to retrieve and what became of them (D:rest/DicomQueryRetrieveApi.java).
import * as z from 'zod'
import { hasAllDataAccess, requireDqrUser } from '../dqr/access.ts'
import { entityJson } from '../dqr/entity.ts'
import type { ExecutedRequest, QueuedRequest } from '../dqr/records.ts'
import { ImportRequest, importStudies } from '../dqr/study-import.ts'
import type { Exchange } from '../exchange.ts'
import { isAdmin } from '../permissions.ts'
import type { User } from '../records.ts'
import type { Reply } from '../reply.ts'
import { forbidden, pathNumber, readJson, requestFailure, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

export const dqrImportXapiRoutes = [
  xapiRoute('/dqr/import', { POST: postImport }),
  // XNAT: POST takes away (deleteQueuedRequests).
  xapiRoute('/dqr/import/queue', { GET: (exchange) => listRows(exchange, queued), POST: deleteSeveral }),
  xapiRoute('/dqr/import/queue/count', { GET: (exchange) => countRows(exchange, queued) }),
  xapiRoute('/dqr/import/queue/{ID}', { GET: (exchange) => showRow(exchange, queued), DELETE: deleteOne }),
  xapiRoute('/dqr/import/history', { GET: (exchange) => listRows(exchange, executed) }),
  xapiRoute('/dqr/import/history/count', { GET: (exchange) => countRows(exchange, executed) }),
  xapiRoute('/dqr/import/history/{ID}', { GET: (exchange) => showRow(exchange, executed) }),
]

const queued = ({ xnat }: Exchange): QueuedRequest[] => xnat.state.dqr.queue.all()
const executed = ({ xnat }: Exchange): ExecutedRequest[] => xnat.state.dqr.history.all()

type Rows = (exchange: Exchange) => (QueuedRequest | ExecutedRequest)[]

async function postImport(exchange: Exchange): Promise<Reply> {
  const request = await readJson(exchange, ImportRequest)
  const user = requireDqrUser(exchange, request.projectId === '' ? {} : { projectId: request.projectId })
  return xapiJson((await importStudies(exchange, user, request, exchange.xnat.pacs)).map(rowJson))
}

function listRows(exchange: Exchange, rowsOf: Rows): Reply {
  const rows = ownRows(exchange, rowsOf)
  const { query } = exchange
  const sort = query.get('sort') ?? 'desc'
  if (!/^(asc|desc)$/i.test(sort)) throw xapiFailure(400, `Invalid sort order: ${sort}\n`)
  // They come by their ids, which only grow.
  const sorted = sort.toLowerCase() === 'asc' ? rows : rows.toReversed()
  const size = numberOf(query.get('pageSize'), 100)
  const first = Math.max(numberOf(query.get('page'), 1) - 1, 0) * size
  // DQR: a page of 0 rows is a page of all (AbstractPacsRequestDAO.java sets no maximum then).
  return xapiJson((size === 0 ? sorted : sorted.slice(first, first + size)).map(rowJson))
}

function countRows(exchange: Exchange, rowsOf: Rows): Reply {
  return xapiJson(ownRows(exchange, rowsOf, '0').length)
}

function showRow(exchange: Exchange, rowsOf: Rows): Reply {
  const user = requireDqrUser(exchange)
  const id = pathNumber(exchange, 'ID')
  const row = rowsOf(exchange).find((each) => each.id === id)
  if (row === undefined) throw notFound(id)
  if (!isAdmin(user) && row.username !== user.username) throw forbidden()
  return xapiJson(rowJson(row))
}

function deleteOne(exchange: Exchange): Reply {
  const user = requireDqrUser(exchange, { refusal: 'false' })
  const id = pathNumber(exchange, 'ID')
  const row = exchange.xnat.state.dqr.queue.get(String(id))
  if (row === undefined) throw notFound(id)
  if (!mayDelete(user, row)) throw forbidden('false')
  exchange.xnat.state.dqr.queue.delete(String(id))
  return xapiJson(true)
}

/** Deletes what it can, and says so only when something was amiss. */
async function deleteSeveral(exchange: Exchange): Promise<Reply> {
  const user = requireDqrUser(exchange, { refusal: 'false' })
  const { queue } = exchange.xnat.state.dqr
  const ids = await readJson(exchange, z.array(z.number()))
  const known = ids.flatMap((id) => queue.get(String(id)) ?? [])
  for (const row of known) if (mayDelete(user, row)) queue.delete(String(row.id))
  const unknown = ids.filter((id) => !known.some((row) => row.id === id))
  if (unknown.length > 0) {
    throw requestFailure(
      404,
      `Deleted ${known.length} queued requests, but the remaining IDs were not found: ${unknown.join(', ')}`,
    )
  }
  if (known.some((row) => !mayDelete(user, row))) throw forbidden('false')
  return xapiJson(true)
}

function mayDelete(user: User, row: QueuedRequest): boolean {
  return isAdmin(user) || row.username === user.username
}

/** One's own, or everybody's with `all=true`, which takes the right to all data. */
function ownRows(exchange: Exchange, rowsOf: Rows, refusal = ''): (QueuedRequest | ExecutedRequest)[] {
  const user = requireDqrUser(exchange, { refusal })
  if (!exchange.query.isTrue('all')) return rowsOf(exchange).filter(({ username }) => username === user.username)
  if (!hasAllDataAccess(user)) throw forbidden(refusal)
  return rowsOf(exchange)
}

function numberOf(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise
  if (!/^-?\d+$/.test(text)) throw requestFailure(500, `For input string: "${text}"`)
  return Number(text)
}

function notFound(id: number) {
  return requestFailure(404, `Could not find entity with ID ${id}`)
}

function rowJson(row: QueuedRequest | ExecutedRequest) {
  const { id: _id, createdMs: _created, changedMs: _changed, projectId, queuedTimeMs, ...rest } = row
  if (!('executedTimeMs' in rest)) {
    return { ...entityJson(row), ...rest, xnatProject: projectId, queuedTime: queuedTimeMs }
  }
  const { executedTimeMs, ...kept } = rest
  return { ...entityJson(row), ...kept, xnatProject: projectId, queuedTime: queuedTimeMs, executedTime: executedTimeMs }
}
