// Which sessions a service is to work on: `src`, or project, timestamp and folder (BatchPrearchiveActionsA.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { parseDestination } from '../import/destination.ts'
import type { Parameters } from '../post-parameters.ts'
import { mayModify, refuseOthers } from './access.ts'
import { entryName, findEntry } from './entries.ts'
import { type EntryName, entryUrl, type PrearchiveEntry } from './entry.ts'

/**
 * For archiving.
 *
 * @throws {HttpFailure} 400 for an address of something else and for what is unassigned, 403 without the right to edit,
 * 404 for what is not there.
 */
export function entriesToArchive(exchange: Exchange, parameters: Parameters): PrearchiveEntry[] {
  const names = parameters.all('src').map(sourceName)
  const asked = names.length > 0 ? names : placeName(parameters)
  if (asked.length === 0) throw new HttpFailure(404, 'Unknown prearchive session.')
  for (const name of asked) refuseOthers(exchange, name, { allowUnassigned: true })
  return asked.map((name) => {
    if (name.projectId === undefined) {
      throw new HttpFailure(400, 'Cannot archive sessions from the Unassigned folder.')
    }
    const entry = findEntry(exchange.xnat, name)
    if (entry === undefined) throw new HttpFailure(404, `${entryUrl(name)} not found.`)
    return entry
  })
}

/**
 * For moving, deleting and rebuilding.
 *
 * @throws {HttpFailure} 403 without the right to edit, 404 for a project that is missing, 500 for what is no address.
 */
export function namedEntries(exchange: Exchange, parameters: Parameters): EntryName[] {
  const sources = parameters.all('src')
  const names = sources.map((source) => {
    const found = parseDestination(source)
    if (found?.kind !== 'prearchive' || found.folder === undefined) {
      throw new HttpFailure(500, `One or more source values contained a malformed URL: ${source}`)
    }
    return entryName(found.project ?? '', found.timestamp ?? '', found.folder)
  })
  for (const { projectId } of names) {
    const isMissing = projectId !== undefined && exchange.xnat.state.projects.get(projectId) === undefined
    if (isMissing) throw new HttpFailure(404, `One or more specified projects does not exist: ${projectId}.`)
    if (!mayModify(exchange, projectId)) {
      const who = exchange.user?.username ?? 'guest'
      throw new HttpFailure(
        403,
        `Invalid permissions for user ${who} to delete prearchive sessions in one or more projects: ${projectId}`,
      )
    }
  }
  return names
}

function sourceName(source: string): EntryName {
  const found = parseDestination(source)
  if (found === undefined) throw new HttpFailure(400, `Invalid URI: ${source}`)
  if (found.kind === 'archive') throw new HttpFailure(400, `Invalid src URI (${source})`)
  if (found.folder === undefined) throw new HttpFailure(500, `${source} invalid.`)
  return entryName(found.project ?? '', found.timestamp ?? '', found.folder)
}

function placeName(parameters: Parameters): EntryName[] {
  const project = parameters.get('project') ?? ''
  const timestamp = parameters.get('PREARC_TIMESTAMP') ?? ''
  if (project === '' || timestamp === '') return []
  return parameters.all('PREARC_SESSION_FOLDER').map((folder) => entryName(project, timestamp, folder))
}
