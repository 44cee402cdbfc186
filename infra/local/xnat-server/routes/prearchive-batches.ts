// /services/prearchive/move, delete and rebuild: always queued (PrearchiveBatchMove.java and its siblings).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { readParameters } from '../post-parameters.ts'
import { mayModify } from '../prearchive/access.ts'
import { findEntry, setStatus } from '../prearchive/entries.ts'
import { type EntryName, isLocked, type SessionStatus, type Task } from '../prearchive/entry.ts'
import { entriesReply } from '../prearchive/listing.ts'
import { namedEntries } from '../prearchive/named-entries.ts'
import type { Reply } from '../reply.ts'
import type { Route } from '../router.ts'

export const prearchiveBatchRoutes: Route[] = [
  { template: '/services/prearchive/move', methods: { POST: moveAll } },
  { template: '/services/prearchive/delete', methods: { POST: deleteAll } },
  { template: '/services/prearchive/rebuild', methods: { POST: rebuildAll } },
]

async function moveAll(exchange: Exchange): Promise<Reply> {
  const parameters = await readParameters(exchange)
  const projectId = parameters.get('newProject')
  const names = namedEntries(exchange, parameters)
  if (projectId === undefined) throw new HttpFailure(400, 'No project specified to move session')
  // XNAT: the queue finds out that the sender may not, and nobody is told; here it is refused at once.
  if (!mayModify(exchange, projectId)) throw new HttpFailure(403)
  return queue(exchange, names, { status: 'QUEUED_MOVING', task: { kind: 'move', projectId }, missingStatus: 404 })
}

async function deleteAll(exchange: Exchange): Promise<Reply> {
  const names = namedEntries(exchange, await readParameters(exchange))
  return queue(exchange, names, { status: 'QUEUED_DELETING', task: { kind: 'delete' }, missingStatus: 500 })
}

/** What was built again goes no further than READY, whatever its project says. */
async function rebuildAll(exchange: Exchange): Promise<Reply> {
  const parameters = await readParameters(exchange)
  const names = namedEntries(exchange, parameters)
  return queue(exchange, names, {
    status: 'QUEUED_BUILDING',
    task: { kind: 'build', thenArchive: false },
    missingStatus: 500,
    overridesLock: parameters.get('overrideLock')?.toLowerCase() === 'true',
  })
}

interface Order {
  status: SessionStatus
  task: Task
  missingStatus: number
  overridesLock?: boolean
}

/** Locked sessions are left as they are, without a word. */
function queue(exchange: Exchange, names: readonly EntryName[], order: Order): Reply {
  const { xnat } = exchange
  for (const name of names) {
    const entry = findEntry(xnat, name)
    if (entry === undefined) {
      throw new HttpFailure(
        order.missingStatus,
        `No prearchive resource with session ${name.folder} and timestamp ${name.timestamp} exists in the project ${name.projectId}`,
      )
    }
    if (order.overridesLock === true || !isLocked(entry)) setStatus(xnat, entry, order.status, { task: order.task })
  }
  return entriesReply(
    exchange,
    names.flatMap((name) => findEntry(xnat, name) ?? []),
  )
}
