import type { ItemDocument } from './document.ts'
import type { Exchange } from './exchange.ts'
import { fieldsFromDocument, fieldsFromQuery, projectFields } from './fields.ts'
import { HttpFailure } from './http-failure.ts'
import type { Query } from './query.ts'
import type { Project } from './records.ts'
import { checkedAccessibility } from './routes/project-settings.ts'

export function newProject(exchange: Exchange, projectId: string, document: ItemDocument | undefined): Project {
  const { xnat, user, query } = exchange
  const blank: Project = {
    projectId,
    secondaryId: projectId,
    name: projectId,
    aliases: [],
    // XNAT: protected unless told otherwise (BaseXnatProjectdata.java createProject).
    accessibility: query.has('accessibility') ? checkedAccessibility(exchange) : 'protected',
    prearchiveCode: xnat.state.settings.defaultPrearchiveCode,
    quarantineCode: 0,
    currentArc: 'arc001',
    fields: {},
    inserted: { at: xnat.now().toISOString(), by: user?.username ?? 'guest' },
  }
  return mergeProject(exchange, blank, document, { isNew: true })
}

export function mergeProject(
  { query }: Exchange,
  project: Project,
  document: ItemDocument | undefined,
  options: { isNew: boolean },
): Project {
  const fromDocument = document === undefined ? {} : fieldsFromDocument(document.values, projectFields)
  const aliases = document?.children.get('aliases/alias')?.map((alias) => alias.values.get('') ?? '') ?? []
  const alias = query.get('alias') ?? query.get('xnat:projectData/aliases/alias/alias')
  return {
    ...project,
    secondaryId: asked(query, 'secondary_ID') ?? document?.values.get('secondary_ID') ?? project.secondaryId,
    name: asked(query, 'name') ?? document?.values.get('name') ?? project.name,
    aliases: [...new Set([...project.aliases, ...aliases, ...(alias === undefined ? [] : [alias])])].filter(
      (name) => name !== '',
    ),
    fields: { ...project.fields, ...fromDocument, ...fieldsFromQuery(query, projectFields, options) },
  }
}

/** By its shortcut, else by its path. */
function asked(query: Query, name: string): string | undefined {
  return query.get(name) ?? query.get(`xnat:projectData/${name}`)
}

export function refuseCollision(exchange: Exchange, project: Project): void {
  const found = collision(exchange, project)
  if (found === undefined) return
  throw new HttpFailure(
    409,
    `Requested new project conflicts with existing projects: Invalid ${found.kind}: '${found.name}' is already being used.`,
  )
}

// XNAT: IDs, titles, running titles and aliases share one case-insensitive name space (BaseXnatProjectdata.java).
export function collision({ xnat }: Exchange, project: Project): { kind: string; name: string } | undefined {
  const taken = new Set(
    xnat.state.projects
      .all()
      .filter(({ projectId }) => projectId !== project.projectId)
      .flatMap(({ projectId, name, secondaryId, aliases }) => [projectId, name, secondaryId, ...aliases])
      .map((name) => name.toLowerCase()),
  )
  const names = [
    { kind: 'Project Id', name: project.projectId },
    { kind: 'Project Title', name: project.name },
    { kind: 'Running Title', name: project.secondaryId },
    ...project.aliases.map((name) => ({ kind: 'Alias', name })),
  ]
  return names.find(({ name }) => taken.has(name.toLowerCase()))
}

export function createProject({ xnat, user }: Exchange, project: Project): void {
  const { state } = xnat
  state.projects.put(project)
  if (user === undefined) return
  const present = state.users.get(user.username) ?? user
  state.users.put({ ...present, groups: [...present.groups, `${project.projectId}_owner`] })
}
