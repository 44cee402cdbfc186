// One session in the prearchive: show and delete (PrearcSessionResource.java).
import { forgetRouting } from '../dqr/study-routing.ts'
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { itemXml } from '../item-reply.ts'
import { wantedFormat } from '../media-types.ts'
import { mayModify, requireAccess } from '../prearchive/access.ts'
import { dropEntry, findEntry } from '../prearchive/entries.ts'
import type { PrearchiveEntry } from '../prearchive/entry.ts'
import { entriesReply } from '../prearchive/listing.ts'
import { sessionItem } from '../prearchive/session-item.ts'
import { escapeXml } from '../query.ts'
import { documentReply, emptyTextReply, type Reply, textReply } from '../reply.ts'
import { tableReply } from '../result-set.ts'
import type { Route } from '../router.ts'
import { javaDate } from '../timestamps.ts'
import { postAction } from './prearchive-actions.ts'
import { receivedZip } from './prearchive-scans.ts'

export const prearchiveSessionRoutes: Route[] = [
  {
    template: '/prearchive/projects/{PROJECT_ID}/{SESSION_TIMESTAMP}/{SESSION_LABEL}',
    methods: { GET: showSession, POST: postAction, DELETE: deleteSession },
  },
]

async function showSession(exchange: Exchange): Promise<Reply> {
  const { xnat, rest } = exchange
  const entry = findEntry(xnat, requireAccess(exchange, { allowUnassigned: false }))
  const path = rest.replace(/^\/|\/$/g, '')
  if (path === 'logs') return logsReply(exchange, entry)
  if (path.startsWith('logs/')) return textReply(logText(entry, path.slice('logs/'.length)))
  switch (wantedFormat(exchange) ?? preferred(exchange)) {
    case 'json':
      // XNAT: a session that is not there is an empty table.
      return entriesReply(exchange, entry === undefined ? [] : [entry])
    case 'zip':
      if (entry === undefined) throw new HttpFailure(404)
      return receivedZip(exchange, entry)
    case 'html':
      return documentReply('text/html', `<html><body>${escapeXml(entry?.name ?? '')}</body></html>`)
    case 'xml':
      return xmlReply(entry)
    default:
      throw new HttpFailure(400, `Requested type ${exchange.query.get('format')} is not supported`)
  }
}

function preferred({ request }: Exchange): 'html' | 'xml' {
  return /^\s*text\/html/.test(request.headers.accept ?? '') ? 'html' : 'xml'
}

function xmlReply(entry: PrearchiveEntry | undefined): Reply {
  if (entry?.document === undefined) {
    throw new HttpFailure(
      404,
      'The named session exists, but its XNAT session document is not available. The session is likely invalid or incomplete.',
    )
  }
  return documentReply('text/xml', itemXml(sessionItem(entry, entry.document)))
}

function logsReply(exchange: Exchange, entry: PrearchiveEntry | undefined): Reply {
  const template = exchange.query.get('template') ?? 'details'
  const rows = (entry?.logs ?? []).map(({ id, atMs, text }) => ({
    id,
    date: javaDate(new Date(atMs).toISOString()),
    entry: text,
  }))
  const columns = template === 'details' ? ['id', 'date', 'entry'] : ['id']
  return tableReply(exchange, rows, { columns, totalRecords: false })
}

function logText(entry: PrearchiveEntry | undefined, id: string): string {
  if (id === 'last') return entry?.logs.at(-1)?.text ?? ''
  const log = entry?.logs.find((each) => each.id === id)
  if (log === undefined) return ''
  const [year, month, day, time] = new Date(log.atMs).toISOString().split(/[-T.]/)
  return `${month}/${day}/${year} ${time}:${log.text}`
}

function deleteSession(exchange: Exchange): Reply {
  const { xnat, rest } = exchange
  if (rest.replace(/\/$/, '') !== '') throw new HttpFailure(400, '')
  const name = requireAccess(exchange, { allowUnassigned: false })
  if (!mayModify(exchange, name.projectId)) {
    throw new HttpFailure(403, 'Unable to modify session data for destination project.')
  }
  const entry = findEntry(xnat, name)
  // XNAT: one that is not there was deleted with success (PrearcDatabase.java deleteSession).
  if (entry !== undefined) {
    forgetRouting(xnat, entry.studyInstanceUid)
    dropEntry(xnat, entry)
  }
  return emptyTextReply()
}
