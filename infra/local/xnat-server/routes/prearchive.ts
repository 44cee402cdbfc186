// Lists of the prearchive (PrearcSessionListResource.java, RecentPrearchiveSessions.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { findProject } from '../lookup.ts'
import { canUseData, hasAllData } from '../permissions.ts'
import { seesUnassigned } from '../prearchive/access.ts'
import type { PrearchiveEntry } from '../prearchive/entry.ts'
import { entriesReply } from '../prearchive/listing.ts'
import { emptyTextReply, type Reply } from '../reply.ts'
import type { Route } from '../router.ts'

const methods = { GET: listEntries, PUT: rebuildTable }
export const prearchiveRoutes: Route[] = [
  { template: '/prearchive', methods },
  { template: '/prearchive/experiments', methods: { GET: listRecent } },
  { template: '/prearchive/projects/{PROJECT_ID}', methods },
]

// XNAT: what the constructor refuses with 403 comes out as 404, for it throws without setting a status (Restlet Finder).
function listEntries(exchange: Exchange): Reply {
  const { query, user, xnat, params } = exchange
  const tag = query.get('tag') ?? ''
  const all = xnat.state.prearchive.all()
  if (tag !== '') {
    if (!seesUnassigned(user)) throw new HttpFailure(404)
    return entriesReply(
      exchange,
      all.filter(({ studyInstanceUid }) => studyInstanceUid === tag),
    )
  }
  const asked = params['PROJECT_ID']
  if (asked === undefined)
    return entriesReply(
      exchange,
      all.filter((entry) => isListed(exchange, entry)),
    )
  if (!seesUnassigned(user) && findProject(exchange, asked) === undefined) throw new HttpFailure(404)
  const names = asked.split(',').map((name) => name.trim())
  // XNAT: who may see all data gets the unassigned sessions in every list, a project's included (represent).
  const isWanted = ({ projectId }: PrearchiveEntry) =>
    projectId === undefined ? seesUnassigned(user) : names.includes(projectId)
  return entriesReply(exchange, all.filter(isWanted))
}

function isListed({ user, xnat }: Exchange, { projectId }: PrearchiveEntry): boolean {
  if (projectId === undefined) return seesUnassigned(user)
  const project = xnat.state.projects.get(projectId)
  return project !== undefined && canUseData(user, 'edit', project)
}

/** The rows are the truth here: there is nothing to read from the disk. */
function rebuildTable({ user }: Exchange): Reply {
  if (!hasAllData(user, 'edit')) throw new HttpFailure(404)
  return emptyTextReply()
}

const dayMs = 24 * 3_600_000

function listRecent(exchange: Exchange): Reply {
  const { query, xnat } = exchange
  const asked = query.get('recent')
  if (asked === undefined) throw new HttpFailure(400, 'Please set the "recent" parameter')
  const days = asked === 'true' ? 10 : Number(asked)
  // XNAT: a number it cannot use ends the constructor without a status.
  if (!Number.isInteger(days) || days <= 0) throw new HttpFailure(404)
  const nowMs = xnat.now().getTime()
  const recent = xnat.state.prearchive
    .all()
    .filter((entry) => isListed(exchange, entry) && Math.floor((nowMs - entry.uploadedMs) / dayMs) <= days)
  return entriesReply(exchange, recent)
}
