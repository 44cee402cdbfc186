import { baseName, type CatalogEntry } from './catalog-xml.ts'
import type { Exchange } from './exchange.ts'
import type { Resource } from './records.ts'
import type { Reply } from './reply.ts'
import { type Row, tableReply } from './result-set.ts'
import type { Target } from './target.ts'

export interface ListedFile {
  resource: Resource
  entry: CatalogEntry
  /** The resource's files as a path on the server: `/data/experiments/.../resources/12/files`. */
  base: string
}

const columns = ['Name', 'Size', 'URI', 'collection', 'file_tags', 'file_format', 'file_content', 'cat_ID', 'digest']

/** XNAT: the list follows the catalog, not the folder, and has no totalRecords (FileList.java). */
export function fileListReply(exchange: Exchange, files: readonly ListedFile[]): Reply {
  const locator = exchange.query.get('locator')
  const place = locator === 'absolutePath' || locator === 'projectPath' ? locator : 'URI'
  const rows = files.map((file) => row(exchange, file, place))
  return tableReply(exchange, rows, {
    columns: columns.map((column) => (column === 'URI' ? place : column)),
    columnProperties: [{ key: 'URI', serverRoot: '' }],
    title: 'Files',
    totalRecords: false,
  })
}

function row({ xnat }: Exchange, { resource, entry, base }: ListedFile, place: string): Row {
  const absolute = xnat.archive.fileOf(resource, entry.path)
  const places: Record<string, string> = {
    URI: `${base}/${entry.path}`,
    absolutePath: absolute,
    projectPath: absolute.slice(xnat.archive.root.length + 1),
  }
  return {
    Name: baseName(entry.path),
    Size: entry.size,
    [place]: places[place],
    collection: resource.label,
    file_tags: entry.tags.join(','),
    file_format: entry.format,
    file_content: entry.content,
    cat_ID: resource.resourceId,
    digest: entry.digest,
  }
}

/** Paths in lists name the numeric id and accession IDs; project and subject only when a request for one resource did. */
export function filesBase({ xnat }: Exchange, target: Target | undefined, resource: Resource): string {
  const { state } = xnat
  const project = target?.project
  const subject = target?.subject
  const { level, id } = resource.parent
  const tail = `/resources/${resource.resourceId}/files`
  if (level === 'project') return `/data/projects/${id}${tail}`
  const context =
    project !== undefined && subject !== undefined
      ? `/data/projects/${project.projectId}/subjects/${subject.subjectId}`
      : '/data'
  if (level === 'subject') return context === '/data' ? `/data/subjects/${id}${tail}` : `${context}${tail}`
  if (level === 'scan') {
    const scan = state.scans.get(id)
    return `${context}/experiments/${scan?.sessionId}/scans/${scan?.scanId}${tail}`
  }
  const experiment = state.experiments.get(id)
  if (experiment?.sessionId === undefined) return `${context}/experiments/${id}${tail}`
  return `${context}/experiments/${experiment.sessionId}/assessors/${id}/${resource.parent.direction ?? 'out'}${tail}`
}
