// POST ?action= on a session in the prearchive (PrearcSessionResource.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { type Parameters, readParameters } from '../post-parameters.ts'
import { mayModify, requireAccess } from '../prearchive/access.ts'
import { changeEntry, findEntry, setStatus } from '../prearchive/entries.ts'
import { askedStatus, type EntryName, entryUrl, isLocked, type PrearchiveEntry } from '../prearchive/entry.ts'
import {
  archiveEntry,
  autoArchiveOf,
  buildEntry,
  isAutoArchive,
  moveEntry,
  overwritesFiles,
  projectOf,
} from '../prearchive/operations.ts'
import { emptyTextReply, type Reply, textReply } from '../reply.ts'

interface Asked {
  exchange: Exchange
  name: EntryName
  entry: PrearchiveEntry | undefined
  parameters: Parameters
}

const actions: Record<string, (asked: Asked) => Reply | Promise<Reply>> = {
  build,
  commit,
  move,
  'reset-status': resetStatus,
  'set-status': changeStatus,
}

export async function postAction(exchange: Exchange): Promise<Reply> {
  const parameters = await readParameters(exchange)
  const name = requireAccess(exchange, { allowUnassigned: true })
  const action = actions[parameters.get('action') ?? '']
  if (action === undefined) {
    const who = exchange.user?.username ?? 'guest'
    throw new HttpFailure(
      400,
      parameters.has('action')
        ? `User ${who} requested an unsupported action on prearchive session: ${parameters.get('action')}`
        : `No action parameter was specified for the request by user ${who}`,
    )
  }
  return action({ exchange, name, entry: findEntry(exchange.xnat, name), parameters })
}

async function build({ exchange, name, entry, parameters }: Asked): Promise<Reply> {
  if (entry === undefined) throw new HttpFailure(500, `${name.folder} does not exist`)
  if (isLocked(entry)) throw new HttpFailure(409, 'session document locked')
  takeOver(exchange, entry, parameters)
  await buildEntry(exchange.xnat, findEntry(exchange.xnat, name) ?? entry)
  return uriReply(entry, 200)
}

async function commit({ exchange, name, entry, parameters }: Asked): Promise<Reply> {
  const { xnat, user } = exchange
  if (entry === undefined) throw new HttpFailure(404)
  if (isLocked(entry)) throw new HttpFailure(409, 'session document locked')
  if (entry.autoArchive === undefined) changeEntry(xnat, entry, { autoArchive: autoArchiveOf(projectOf(xnat, entry)) })
  takeOver(exchange, entry, parameters)
  const built = await buildEntry(xnat, findEntry(xnat, name) ?? entry)
  if (!isAutoArchive(xnat, built, askedToArchive(parameters))) return uriReply(built, 200)
  // XNAT: merges by itself, never overrides, and does not read `overwrite`.
  const overwriteFiles = parameters.isTrue('overwrite_files') || overwritesFiles(xnat, built)
  const rules = { merge: true, override: false, overwriteFiles }
  if (parameters.has('http-session-listener')) {
    setStatus(xnat, built, 'QUEUED_ARCHIVING', {
      task: { kind: 'archive', rules, username: user?.username ?? 'guest' },
    })
    // XNAT: "Archival initiated" is the status line's phrase, and the body is empty.
    return emptyTextReply()
  }
  try {
    return textReply(`/data${await archiveEntry(xnat, built, rules, { user })}`, 301)
  } catch (error) {
    throw archivingFailure(built, error)
  }
}

/** XNAT: whatever keeps a session out, its queue makes it a 500 (QueueBasedImageCommit.java). */
export function archivingFailure({ folder }: PrearchiveEntry, error: unknown): unknown {
  if (!(error instanceof HttpFailure)) return error
  const message = `FAILED: Unable to archive ${folder}: Operation Failed: ${error.message}`
  return new HttpFailure(500, message, { cause: error })
}

function move({ exchange, entry }: Asked): Reply {
  const { xnat, query } = exchange
  const projectId = query.get('newProject')
  if (!mayModify(exchange, projectId)) {
    throw new HttpFailure(403, 'Unable to modify session data for destination project.')
  }
  if (projectId === undefined) throw new HttpFailure(400)
  if (entry === undefined) throw new HttpFailure(404)
  // XNAT: a locked session is not moved, and nobody is told.
  if (isLocked(entry)) return emptyTextReply()
  const moved = moveEntry(xnat, entry, projectId)
  return uriReply(moved, 301)
}

function resetStatus({ exchange, name, entry }: Asked): Reply {
  const { xnat, query } = exchange
  if (entry === undefined) throw new HttpFailure(500, `${name.folder} does not exist`)
  const tag = query.get('tag') ?? ''
  const status = entry.document === undefined ? 'RECEIVING' : 'READY'
  setStatus(xnat, entry, status, tag === '' ? {} : { studyInstanceUid: tag })
  return uriReply(entry, 200)
}

function changeStatus({ exchange, name, entry, parameters }: Asked): Reply {
  const status = askedStatus(parameters.get('status') ?? '')
  if (status === undefined) throw new HttpFailure(400, `Cannot set session status to ${parameters.get('status')}`)
  if (entry === undefined) throw new HttpFailure(400, `${name.folder} does not exist`)
  if (!isLocked(entry)) setStatus(exchange.xnat, entry, status)
  return emptyTextReply()
}

/** What the request says of the session, which its document will hold. */
function takeOver({ xnat }: Exchange, entry: PrearchiveEntry, parameters: Parameters): void {
  changeEntry(xnat, entry, {
    visit: parameters.get('VISIT') ?? entry.visit,
    protocol: parameters.get('PROTOCOL') ?? entry.protocol,
    timeZone: parameters.get('TIMEZONE') ?? entry.timeZone,
    source: parameters.get('SOURCE') ?? entry.source,
  })
}

/** undefined: the request leaves it to the session and its project. */
export function askedToArchive(parameters: Parameters): boolean | undefined {
  const text = (parameters.get('AA') ?? parameters.get('auto-archive'))?.toLowerCase()
  if (text === undefined) return undefined
  if (['true', 'yes', 'on', 'y', 't', '1'].includes(text)) return true
  return ['false', 'no', 'off', 'n', 'f', '0'].includes(text) ? false : undefined
}

function uriReply(entry: EntryName, status: number): Reply {
  const reply = textReply(`/data${entryUrl(entry)}`, status)
  return { ...reply, headers: { ...reply.headers, 'Content-Type': 'text/uri-list;charset=ISO-8859-1' } }
}
