// /services/archive and /services/validate-archive (Archiver.java, ArchiveValidator.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { type Parameters, readParameters } from '../post-parameters.ts'
import { mayModify } from '../prearchive/access.ts'
import { findEntry, setStatus } from '../prearchive/entries.ts'
import { type ArchiveRules, isLocked, type PrearchiveEntry } from '../prearchive/entry.ts'
import { entriesReply } from '../prearchive/listing.ts'
import { entriesToArchive } from '../prearchive/named-entries.ts'
import { type ArchiveWishes, archiveEntry, overwritesFiles, projectOf } from '../prearchive/operations.ts'
import { validate } from '../prearchive/validation.ts'
import { emptyReply, type Reply, textReply } from '../reply.ts'
import { tableReply } from '../result-set.ts'
import type { Route } from '../router.ts'
import { archivingFailure, askedToArchive } from './prearchive-actions.ts'

export const archiveServiceRoutes: Route[] = [
  { template: '/services/archive', methods: { POST: archive } },
  { template: '/services/validate-archive', methods: { POST: validateArchive } },
]

async function archive(exchange: Exchange): Promise<Reply> {
  const parameters = await readParameters(exchange)
  const entries = entriesToArchive(exchange, parameters)
  const [only, ...others] = entries
  if (only === undefined || others.length > 0) return archiveAll(exchange, entries, parameters)
  requireMayModify(exchange, only)
  if (isLocked(only)) throw new HttpFailure(403, 'Operation already in progress on this prearchive entry.')
  return archiveOne(exchange, only, parameters)
}

async function archiveOne(exchange: Exchange, entry: PrearchiveEntry, parameters: Parameters): Promise<Reply> {
  const { xnat, user } = exchange
  // XNAT: one session may always merge, any known overwrite overrides, and overwrite_files is read but not passed on
  // (Archiver.java finishSingleSessionArchive).
  const rules = {
    merge: true,
    override: overwriteOf(parameters) !== undefined,
    overwriteFiles: overwritesFiles(xnat, entry),
  }
  if (parameters.has('http-session-listener')) {
    setStatus(xnat, entry, 'QUEUED_ARCHIVING', {
      task: { kind: 'archive', rules, username: user?.username ?? 'guest' },
    })
    return redirect(`${xnat.siteUrl()}/app/template/XDATScreen_prearchives.vm`)
  }
  const url = await archiveEntry(xnat, entry, rules, wishesOf(exchange, parameters)).catch((error: unknown) => {
    throw archivingFailure(entry, error)
  })
  if (redirects(exchange, entry, parameters)) return redirect(`${xnat.siteUrl()}/data${url}`)
  const reply = textReply(`/data${url}\r\n`)
  return { ...reply, headers: { ...reply.headers, 'Content-Type': 'text/uri-list;charset=ISO-8859-1' } }
}

function wishesOf({ user }: Exchange, parameters: Parameters): ArchiveWishes {
  const label = parameters.get('session') ?? parameters.get('EXPT_LABEL') ?? parameters.get('label')
  const subject = parameters.get('subject') ?? parameters.get('SUBJECT_ID')
  return { user, ...(label !== undefined && { label }), ...(subject !== undefined && { subject }) }
}

// XNAT: the row is gone by the time it is asked, so the request's own word counts, then the project's.
function redirects({ xnat }: Exchange, entry: PrearchiveEntry, parameters: Parameters): boolean {
  if (parameters.get('redirect')?.toLowerCase() === 'true') return true
  return askedToArchive(parameters) ?? (projectOf(xnat, entry)?.prearchiveCode ?? 0) >= 4
}

/** XNAT: several are archived in the background, and the answer lists them as they are now. */
function archiveAll(exchange: Exchange, entries: readonly PrearchiveEntry[], parameters: Parameters): Reply {
  const { xnat, user } = exchange
  if (entries[0] !== undefined) requireMayModify(exchange, entries[0])
  const overwrite = overwriteOf(parameters)
  const rules: ArchiveRules = {
    merge: overwrite !== undefined,
    override: overwrite === 'delete',
    overwriteFiles: parameters.get('overwrite_files')?.toLowerCase() === 'true',
  }
  for (const entry of entries) {
    if (isLocked(entry)) throw new HttpFailure(403, 'Operation already in progress on this prearchive entry.')
    setStatus(xnat, entry, 'ARCHIVING', { task: { kind: 'archive', rules, username: user?.username ?? 'guest' } })
  }
  return entriesReply(
    exchange,
    entries.flatMap((entry) => findEntry(xnat, entry) ?? []),
  )
}

async function validateArchive(exchange: Exchange): Promise<Reply> {
  const parameters = await readParameters(exchange)
  const [only, ...others] = entriesToArchive(exchange, parameters)
  if (only === undefined || others.length > 0) {
    throw new HttpFailure(400, 'Cannot validate multiple sessions in one request.')
  }
  requireMayModify(exchange, only)
  const notices = await validate(exchange.xnat, only, wishesOf(exchange, parameters))
  return tableReply(exchange, notices, { columns: ['code', 'type', 'message'], totalRecords: false })
}

function requireMayModify(exchange: Exchange, { projectId }: PrearchiveEntry): void {
  if (!mayModify(exchange, projectId)) throw new HttpFailure(403, 'Invalid permissions for new project.')
}

function overwriteOf(parameters: Parameters): 'append' | 'delete' | undefined {
  const text = parameters.get('overwrite')?.toLowerCase()
  return text === 'append' || text === 'delete' ? text : undefined
}

function redirect(location: string): Reply {
  const reply = emptyReply(303)
  return { ...reply, headers: { ...reply.headers, Location: location } }
}
