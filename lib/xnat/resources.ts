import type { Readable } from 'node:stream'
import * as z from 'zod'
import { InvalidInputError, XnatError } from '../errors.ts'
import { listBelowExperiment } from './archive.ts'
import type { Call, CallOptions, Query, Reply, StreamBody, StreamReply } from './call.ts'
import type { XnatClient } from './client.ts'
import { filePath, type XnatPath, xnatPath } from './path.ts'
import { parseJson } from './reply.ts'
import { cell, filledCell, filledNumberCell, numberCell, resultSet } from './result-set.ts'

export type ResourceParent =
  | { level: 'project'; projectId: string }
  | { level: 'subject'; projectId: string; subject: string }
  | { level: 'experiment'; experimentId: string }
  | { level: 'scan'; experimentId: string; scanId: string }
  | { level: 'assessor'; experimentId: string; assessorId: string; direction: 'in' | 'out' }

/** A labelled collection of files. */
export interface ResourceRef {
  parent: ResourceParent
  resourceLabel: string
}

export function parentPath(parent: ResourceParent): XnatPath {
  switch (parent.level) {
    case 'project':
      return xnatPath`/data/projects/${parent.projectId}`
    case 'subject':
      return xnatPath`/data/projects/${parent.projectId}/subjects/${parent.subject}`
    case 'experiment':
      return xnatPath`/data/experiments/${parent.experimentId}`
    case 'scan':
      return xnatPath`/data/experiments/${parent.experimentId}/scans/${oneScan(parent.scanId)}`
    case 'assessor':
      return xnatPath`/data/experiments/${parent.experimentId}/assessors/${parent.assessorId}/${parent.direction}`
  }
}

// XNAT: "ALL", "*" and comma lists stand for several scans (RES/files/XNATTemplate.java).
function oneScan(scanId: string): string {
  if (scanId === 'ALL') throw new InvalidInputError('ALL is no scan ID', { code: 'UNSAFE_PATH_VALUE' })
  return scanId
}

export function resourcePath({ parent, resourceLabel }: ResourceRef): XnatPath {
  // XNAT: digits only are taken for the numeric ID of a resource, wherever it lives (RES/files/XNATCatalogTemplate.java).
  if (/^\d+$/.test(resourceLabel)) {
    throw new InvalidInputError('A resource label cannot be a number', { code: 'UNSAFE_PATH_VALUE' })
  }
  return xnatPath`${parentPath(parent)}/resources/${resourceLabel}`
}

const ResourceRow = z
  .object({
    xnat_abstractresource_id: filledCell,
    label: cell,
    category: cell,
    cat_id: cell,
    file_count: numberCell,
    file_size: numberCell,
    tags: cell,
    content: cell,
    format: cell,
  })
  .transform((row) => ({
    resourceId: row.xnat_abstractresource_id,
    resourceLabel: row.label,
    category: row.category,
    parentId: row.cat_id,
    /** May lag behind the catalog after uploads with `updateStats: false`; so may the size. */
    fileCount: row.file_count,
    sizeBytes: row.file_size,
    tags: row.tags,
    content: row.content,
    format: row.format,
  }))
export type ResourceSummary = z.infer<typeof ResourceRow>

/** The resources directly on this parent. */
export async function listResources(
  client: XnatClient,
  parent: ResourceParent,
  options: CallOptions = {},
): Promise<ResourceSummary[]> {
  const path = xnatPath`${parentPath(parent)}/resources`
  return list(client, parent, resultSet(ResourceRow), { method: 'GET', path, query: { format: 'json' }, ...options })
}

async function list<S extends z.ZodType>(
  client: XnatClient,
  parent: ResourceParent,
  schema: S,
  call: Call,
): Promise<z.output<S>> {
  return 'experimentId' in parent
    ? listBelowExperiment(client, parent.experimentId, schema, call)
    : client.json(schema, call)
}

export interface FileLabels {
  format?: string
  content?: string
  tags?: readonly string[]
}

/**
 * Creates the resource when it is missing. Unlike an upload, this fails without the right to edit.
 *
 * @throws {XnatError} XNAT_FORBIDDEN without the right to edit, XNAT_NOT_FOUND without the parent.
 */
export async function ensureResource(
  client: XnatClient,
  ref: ResourceRef,
  { format, content, tags, ...options }: FileLabels & CallOptions = {},
): Promise<{ kind: 'created' | 'already-there' }> {
  const query: Query = { format, content, tags: tags?.join(',') }
  const reply = await client.send({ method: 'PUT', path: resourcePath(ref), query, accept: [409], ...options })
  return { kind: reply.status === 409 ? 'already-there' : 'created' }
}

/** One file as the resource's catalog has it. */
export interface FileEntry {
  /** Relative to the resource, folders included. */
  path: string
  name: string
  sizeBytes: number
  /** Hexadecimal. Absent when the site keeps no checksums. */
  md5: string | undefined
  format: string | undefined
  content: string | undefined
  tags: string | undefined
  resourceId: string | undefined
}

const FileRow = z.object({
  Name: filledCell,
  Size: filledNumberCell,
  URI: filledCell,
  collection: cell,
  file_tags: cell,
  file_format: cell,
  file_content: cell,
  cat_ID: cell,
  digest: cell,
})

/**
 * What the catalog of the resource lists. A resource that is missing, or whose parent is, has no files.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when the experiment does not exist.
 */
export async function listFiles(client: XnatClient, ref: ResourceRef, options: CallOptions = {}): Promise<FileEntry[]> {
  const path = xnatPath`${resourcePath(ref)}/files`
  const call: Call = { method: 'GET', path, query: { format: 'json' }, ...options }
  const rows = await list(client, ref.parent, resultSet(FileRow), call)
  return rows.flatMap((row) => {
    const path = pathWithin(ref.parent, row.URI)
    if (path === undefined) return []
    const entry: FileEntry = {
      path,
      name: row.Name,
      sizeBytes: row.Size,
      md5: row.digest,
      format: row.file_format,
      content: row.file_content,
      tags: row.file_tags,
      resourceId: row.cat_ID,
    }
    return [entry]
  })
}

// XNAT: asked for the files of a scan, subject or assessor that is not there, it lists the same-named resource of the
// level above (RES/files/XNATTemplate.java). The URI tells: it names the level that answered, by IDs, not encoded.
const uriOfLevel: Record<ResourceParent['level'], RegExp> = {
  project: /^\/data\/projects\/[^/]+\/resources\/[^/]+\/files\/(.+)$/s,
  subject: /^\/data\/(?:projects\/[^/]+\/)?subjects\/[^/]+\/resources\/[^/]+\/files\/(.+)$/s,
  experiment: /^\/data\/(?:projects\/[^/]+\/subjects\/[^/]+\/)?experiments\/[^/]+\/resources\/[^/]+\/files\/(.+)$/s,
  scan: /^\/data\/(?:projects\/[^/]+\/subjects\/[^/]+\/)?experiments\/[^/]+\/scans\/[^/]+\/resources\/[^/]+\/files\/(.+)$/s,
  assessor:
    /^\/data\/(?:projects\/[^/]+\/subjects\/[^/]+\/)?experiments\/[^/]+\/assessors\/[^/]+\/(?:in\/|out\/)?resources\/[^/]+\/files\/(.+)$/s,
}

function pathWithin(parent: ResourceParent, uri: string): string | undefined {
  return uriOfLevel[parent.level].exec(uri)?.[1]
}

/** Where the bytes of an upload come from. */
export interface UploadSource {
  openBody: () => Promise<Readable> | Readable
  sizeBytes: number
  contentType?: string
}

export interface UploadOptions extends FileLabels, CallOptions {
  /** Replace what is there. Without it the upload is not retried, since a second try would meet its own first. */
  overwrite?: boolean
  /** `false` spares XNAT recounting the resource; `refreshCatalog` makes up for many at once. Default true. */
  updateStats?: boolean
}

/** `duplicates`: XNAT kept what was there under these paths, and stored the rest. */
export type UploadOutcome = { kind: 'stored' } | { kind: 'duplicates'; paths: string[] }

/**
 * Uploads one file, creating the resource when it is missing. "Stored" is what XNAT says: it says the same to an
 * account without the right to edit, so whoever must be sure lists the files afterwards.
 *
 * @throws {InvalidInputError} FILE_NAME_NEEDS_ARCHIVE when XNAT would store the path under another name.
 */
export async function putFile(
  client: XnatClient,
  ref: ResourceRef,
  path: string,
  source: UploadSource,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  if (!isPlainFilePath(path)) {
    throw new InvalidInputError('XNAT would store this file under another name', { code: 'FILE_NAME_NEEDS_ARCHIVE' })
  }
  const target = xnatPath`${resourcePath(ref)}/files/${filePath(path)}`
  const contentType = source.contentType ?? 'application/octet-stream'
  // XNAT: an in-body upload of no bytes is a 500; multipart has no size check (RES/SecureResource.java).
  if (source.sizeBytes === 0) return upload(client, target, emptyFile(path, contentType), {}, options)
  return upload(client, target, { ...source, contentType }, { inbody: true }, options)
}

// XNAT: a path is decoded only if it holds %20 or %2B, otherwise escapes become part of the name
// (RES/files/FileList.java). "*" at the end is a wildcard, below "x.zip/" lie the members of the archive.
const plainFilePath =
  /^(?!.*\.zip\/)(?:[\w.~()=@,+-](?:[\w.~()=@,+ -]*[\w.~()=@,+-])?)(?:\/[\w.~()=@,+-](?:[\w.~()=@,+ -]*[\w.~()=@,+-])?)*$/

/** Whether XNAT stores a file sent under this path by exactly this name. Others can go in an archive. */
export function isPlainFilePath(path: string): boolean {
  return plainFilePath.test(path) && !path.split('/').some((segment) => segment === '.' || segment === '..')
}

const archiveTypes = {
  tar: { extension: 'tar', contentType: 'application/x-tar' },
  tgz: { extension: 'tgz', contentType: 'application/x-gtar' },
  zip: { extension: 'zip', contentType: 'application/zip' },
} as const

export interface ArchiveSource {
  format: keyof typeof archiveTypes
  openBody: () => Promise<Readable> | Readable
  sizeBytes: number
}

/**
 * Uploads an archive and has XNAT unpack it at the root of the resource, folders kept: many files, any names, one
 * catalog change. The promise and its limits are those of `putFile`.
 */
export async function putArchive(
  client: XnatClient,
  ref: ResourceRef,
  { format, openBody, sizeBytes }: ArchiveSource,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  const { extension, contentType } = archiveTypes[format]
  // XNAT: the kind of archive is told by the name in the URL (XDAT/xft/utils/fileExtraction/Format.java).
  const target = xnatPath`${resourcePath(ref)}/files/${`upload.${extension}`}`
  return upload(client, target, { openBody, sizeBytes, contentType }, { inbody: true, extract: true }, options)
}

async function upload(
  client: XnatClient,
  path: XnatPath,
  body: StreamBody | { text: string; contentType: string },
  mode: Query,
  { overwrite = false, format, content, tags, updateStats, signal }: UploadOptions,
): Promise<UploadOutcome> {
  // XNAT: update-stats is true only as "true" or "1" (RES/files/FileList.java).
  const query: Query = {
    ...mode,
    overwrite: overwrite || undefined,
    format,
    content,
    tags,
    'update-stats': updateStats,
  }
  const reply = await client.send({ method: 'PUT', path, query, body, idempotent: overwrite, isSlow: true, signal })
  if (!reply.tookWholeBody) {
    // XNAT: without the right to edit it answers 200 and stores nothing (RES/files/FileList.java handlePost).
    const { status } = reply
    throw new XnatError({ code: 'XNAT_FORBIDDEN', method: 'PUT', pathTemplate: path.template, status })
  }
  return outcomeOf(reply, path)
}

const Duplicates = z.object({ duplicates: z.array(z.string()) })

// XNAT: a success has no body; files that were there come as JSON, labelled text/html (RES/files/FileList.java).
function outcomeOf(reply: Reply, path: XnatPath): UploadOutcome {
  if (reply.text.trim() === '') return { kind: 'stored' }
  const parsed = Duplicates.safeParse(parseJson(reply.text))
  if (parsed.success) return { kind: 'duplicates', paths: parsed.data.duplicates }
  const { status } = reply
  const code = 'XNAT_UNEXPECTED_REPLY'
  throw new XnatError({ code, method: 'PUT', pathTemplate: path.template, status, cause: parsed.error })
}

function emptyFile(path: string, contentType: string): { text: string; contentType: string } {
  const boundary = 'an-empty-file-has-no-text-to-collide-with'
  const name = path.slice(path.lastIndexOf('/') + 1)
  const text = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="file"; filename="${name}"`,
    `Content-Type: ${contentType}`,
    '',
    '',
    `--${boundary}--`,
    '',
  ].join('\r\n')
  return { text, contentType: `multipart/form-data; boundary=${boundary}` }
}

/** Bytes of a file, both ends included; an open end runs to the last byte. */
export interface ByteRange {
  first: number
  last?: number
}

/**
 * A file's bytes as they arrive. The body must be read to its end or destroyed.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such file.
 */
export async function openFile(
  client: XnatClient,
  ref: ResourceRef,
  path: string,
  { range, ...options }: CallOptions & { range?: ByteRange } = {},
): Promise<StreamReply> {
  return client.stream({
    method: 'GET',
    path: xnatPath`${resourcePath(ref)}/files/${filePath(path)}`,
    ...(range === undefined ? {} : { headers: { range: `bytes=${range.first}-${range.last ?? ''}` } }),
    ...options,
  })
}
