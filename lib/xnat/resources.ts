import type { Readable } from 'node:stream'
import * as z from 'zod'
import { InvalidInputError, XnatError } from '../errors.ts'
import type { Call, CallOptions, Query, StreamBody, StreamReply } from './call.ts'
import type { XnatClient } from './client.ts'
import { filePath, type XnatPath, xnatPath } from './path.ts'
import { listBelow } from './record-calls.ts'
import { parentPath, pathWithin, recordPaths, resourcePath } from './resource-path.ts'
import { cell, filledCell, filledNumberCell, numberCell, resultSet } from './result-set.ts'
import { archiveTypes, fileForm, upload } from './upload.ts'

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

export const ResourceRow = z
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
  const call: Call = { method: 'GET', path, query: { format: 'json' }, ...options }
  return listBelow(client, recordPaths(parent), resultSet(ResourceRow), call)
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

/** One of the files of several resources. */
export interface ParentFile extends FileEntry {
  /** Absent for the few resources that have none. */
  resourceLabel: string | undefined
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
 * What the catalog of the resource lists. A resource that is not there has no files.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when its parent does not exist.
 */
export async function listFiles(client: XnatClient, ref: ResourceRef, options: CallOptions = {}): Promise<FileEntry[]> {
  const files = await listBelowFiles(client, ref.parent, resourcePath(ref), options)
  return files.map(({ resourceLabel: _, ...file }) => file)
}

/** The files of all resources directly on this parent. */
export async function listParentFiles(
  client: XnatClient,
  parent: ResourceParent,
  options: CallOptions = {},
): Promise<ParentFile[]> {
  return listBelowFiles(client, parent, parentPath(parent), options)
}

async function listBelowFiles(
  client: XnatClient,
  parent: ResourceParent,
  above: XnatPath,
  options: CallOptions,
): Promise<ParentFile[]> {
  const path = xnatPath`${above}/files`
  const call: Call = { method: 'GET', path, query: { format: 'json' }, ...options }
  const rows = await listBelow(client, recordPaths(parent), resultSet(FileRow), call)
  return rows.map((row) => {
    const filePath = pathWithin(parent, row.URI)
    if (filePath === undefined) {
      throw new XnatError({ code: 'XNAT_NOT_FOUND', method: 'GET', pathTemplate: path.template })
    }
    return {
      path: filePath,
      name: row.Name,
      sizeBytes: row.Size,
      md5: row.digest,
      format: row.file_format,
      content: row.file_content,
      tags: row.file_tags,
      resourceId: row.cat_ID,
      resourceLabel: row.collection,
    }
  })
}

/** Where the bytes of an upload come from. */
export interface UploadSource {
  /** Called once per try; each stream it gives must start at the first byte. */
  openBody: () => Promise<Readable> | Readable
  /** `undefined` when it is not known beforehand: then XNAT keeps the file aside until it has all of it. */
  sizeBytes: number | undefined
  contentType?: string
}

export interface UploadOptions extends FileLabels, CallOptions {
  /** Replace what is there. Without it the upload is not retried, since a second try would meet its own first. */
  overwrite?: boolean
  /**
   * `false` for those who look at the catalog between two tries: each try writes over files in place, and one that breaks
   * off leaves a catalog that vouches for bytes that are gone. Default true.
   */
  isRetried?: boolean
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
  return sendBody(client, target, { ...source, contentType }, {}, options)
}

// XNAT: releases differ in whether they decode a path always, or only when it holds %20 or %2B
// (RES/files/FileList.java); these characters survive both. Below "x.zip/" lie the members of an archive
// (zipExtensions in XDAT/xdat/preferences/SiteConfigPreferences.java).
const plainName = /^[\w.~()=@,+-](?:[\w.~()=@,+ -]*[\w.~()=@,+-])?$/
const insideArchive = /\.(?:zip|jar|rar|ear|gar|mrb)\//i

/** Whether XNAT stores a file sent under this path by exactly this name. Others can go in an archive. */
export function isPlainFilePath(path: string): boolean {
  if (insideArchive.test(path)) return false
  return path.split('/').every((name) => plainName.test(name) && name !== '.' && name !== '..')
}

export interface ArchiveSource {
  format: keyof typeof archiveTypes
  openBody: () => Promise<Readable> | Readable
  sizeBytes: number | undefined
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
  return sendBody(client, target, { openBody, sizeBytes, contentType }, { extract: true }, options)
}

// XNAT: a body that is the file itself needs a Content-Length of 1 at least (RES/SecureResource.java); a form does not.
function sendBody(
  client: XnatClient,
  target: XnatPath,
  body: StreamBody,
  mode: Query,
  options: UploadOptions,
): Promise<UploadOutcome> {
  if (body.sizeBytes !== undefined && body.sizeBytes > 0) {
    return upload(client, target, body, { ...mode, inbody: true }, options)
  }
  const name = target.path.slice(target.path.lastIndexOf('/') + 1)
  return upload(client, target, fileForm(name, body), mode, options)
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
  const call: Call = {
    method: 'GET',
    path: xnatPath`${resourcePath(ref)}/files/${filePath(path)}`,
    headers: range === undefined ? {} : { range: `bytes=${range.first}-${range.last ?? ''}` },
    acceptHtml: true,
    ...options,
  }
  const reply = await client.stream(call)
  if (range === undefined || reply.status === 206) return reply
  reply.body.destroy()
  const { status } = reply
  throw new XnatError({ code: 'XNAT_UNEXPECTED_REPLY', method: 'GET', pathTemplate: call.path.template, status })
}
