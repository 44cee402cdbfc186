import type { Exchange, Xnat } from '../exchange.ts'
import { canReadProject } from '../permissions.ts'
import type { ArchiveRules } from '../prearchive/entry.ts'
import type { Project, User } from '../records.ts'

/** Who sends, and what with: the parameters of the query and of a form, by name. */
export interface Sender {
  user: User | undefined
  parameters: ReadonlyMap<string, string>
}

/** One file of an import. Its content can be read once. */
export interface SentFile {
  name: string
  open: () => AsyncIterable<unknown>
}

/** An instance that is small enough to have been received in memory. */
export interface SentObject {
  name: string
  bytes: Buffer
}

// XNAT: being allowed to read a project is enough here (W/services/cache/UserProjectCache.java).
export function readableProject({ state }: Xnat, user: User | undefined, name: string): Project | undefined {
  const project = state.projects.get(name) ?? state.projects.find(({ aliases }) => aliases.includes(name))
  return project !== undefined && canReadProject(user, project) ? project : undefined
}

/** The label of an experiment that is named by label or by accession ID, whether there is one or not. */
export function experimentLabel(
  { state }: Xnat,
  projectId: string | undefined,
  name: string | undefined,
): string | undefined {
  const byId = name === undefined ? undefined : state.experiments.get(name)
  return byId !== undefined && byId.projectId === projectId ? byId.label : name
}

/** Only "true" is true among these (PrearcUtils.java parseParam). */
export function isSet(parameters: Sender['parameters'], name: string): boolean {
  return parameters.get(name)?.toLowerCase() === 'true'
}

export function asksForArchive(parameters: Sender['parameters']): boolean {
  return isSet(parameters, 'AA') || isSet(parameters, 'auto-archive')
}

/**
 * What `overwrite` means on import: absent is not the same as `none`, which still merges (Importer.java
 * parseOverrideValue).
 */
export function importRules(parameters: Sender['parameters']): ArchiveRules {
  const overwrite = parameters.get('overwrite')?.toLowerCase()
  return {
    merge: overwrite !== undefined,
    override: overwrite === 'delete' || overwrite === 'override',
    overwriteFiles: isSet(parameters, 'overwrite_files'),
  }
}

export function queryParameters({ query }: Exchange): Map<string, string> {
  return new Map(query.entries())
}
