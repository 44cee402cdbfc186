// ?format=zip, tar and tar.gz (ZipRepresentation.java, RestFileUtils.java).
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import { ZipFile } from 'yazl'
import { categoryOf } from './category.ts'
import type { Exchange } from './exchange.ts'
import type { ListedFile } from './file-listing.ts'
import { HttpFailure } from './http-failure.ts'
import { ifMissing } from './missing.ts'
import type { Reply } from './reply.ts'
import type { Target } from './target.ts'

type ArchiveFormat = 'zip' | 'tar' | 'tar.gz'
interface Download {
  target: Target
  files: readonly ListedFile[]
  format: ArchiveFormat
}

const contentTypes: Record<ArchiveFormat, string> = {
  zip: 'application/zip',
  tar: 'application/x-tar',
  'tar.gz': 'application/x-gtar',
}

export interface PackedFile {
  name: string
  path: string
  size: number
  mtime: Date
}

/** Streams an archive: no Content-Length, zip entries stored unless `compression=8`. */
export async function archiveReply(exchange: Exchange, { target, files, format }: Download): Promise<Reply> {
  const isDeflated = zipMethod(exchange) === 8
  const packed = await presentFiles(exchange, target, files)
  if (packed.length === 0) throw new HttpFailure(404)
  const name = `${downloadName(exchange, target)}.${format}`
  return {
    status: 200,
    headers: { 'Content-Type': contentTypes[format], 'Content-Disposition': `attachment; filename="${name}";` },
    body: () => (format === 'zip' ? zipOf(packed, isDeflated) : tarOf(packed, format === 'tar.gz')),
  }
}

async function presentFiles(exchange: Exchange, target: Target, files: readonly ListedFile[]): Promise<PackedFile[]> {
  const found = await Promise.all(
    files.map(async (file): Promise<PackedFile[]> => {
      const path = exchange.xnat.archive.fileOf(file.resource, file.entry.path)
      const stats = await stat(path).catch(ifMissing(undefined))
      return stats === undefined
        ? []
        : [{ name: entryName(exchange, target, file), path, size: stats.size, mtime: stats.mtime }]
    }),
  )
  return found.flat()
}

// XNAT: `compression` is the zip method, not a level (SecureResource.java identifyCompression).
export function zipMethod({ query }: Exchange): number {
  const asked = query.get('compression') ?? '0'
  if (!/^\d+$/.test(asked)) throw new HttpFailure(400)
  return Number(asked)
}

export function zipOf(files: readonly PackedFile[], isDeflated: boolean): Readable {
  const zip = new ZipFile()
  for (const { path, name, mtime } of files) zip.addFile(path, name, { compress: isDeflated, mtime })
  zip.end()
  const out = new PassThrough()
  zip.on('error', (error: Error) => out.destroy(error))
  pipeline(zip.outputStream, out).catch((error: Error) => out.destroy(error))
  return out
}

function tarOf(files: readonly PackedFile[], isCompressed: boolean): Readable {
  const tar = pack()
  const out = isCompressed ? createGzip() : new PassThrough()
  pipeline(tar, out).catch((error: Error) => out.destroy(error))
  fill(tar, files).catch((error: Error) => out.destroy(error))
  return out
}

async function fill(tar: Pack, files: readonly PackedFile[]): Promise<void> {
  for (const { name, path, size, mtime } of files)
    await pipeline(createReadStream(path), tar.entry({ name, size, mtime }))
  tar.finalize()
}

export function entryName(exchange: Exchange, target: Target, { resource, entry }: ListedFile): string {
  const { query } = exchange
  const label = resource.label === '' ? String(resource.resourceId) : resource.label
  const structure = query.get('structure') ?? 'default'
  if (structure === 'legacy') return exchange.xnat.archive.fileOf(resource, entry.path).replace(/^\//, '')
  if (structure === 'improved') {
    const { category, cat_id, cat_desc } = categoryOf(exchange.xnat, resource.parent)
    const place = cat_id === '' ? category : `${category}/${cat_id}_${cat_desc ?? ''}`
    return `${place}/${label}/${entry.path}`
  }
  const isSimple = structure === 'simplified'
  const inner = isSimple ? `${label}/${entry.path}` : `resources/${label}/files/${entry.path}`
  return `${contextOf(exchange, target)}${ownerPath(exchange, resource, inner, isSimple)}`
}

function ownerPath({ xnat }: Exchange, { parent }: ListedFile['resource'], inner: string, isSimple: boolean): string {
  const { state } = xnat
  if (parent.level === 'project') return `${parent.id}/${inner}`
  if (parent.level === 'subject') return `${state.subjects.get(parent.id)?.label ?? parent.id}/${inner}`
  if (parent.level === 'scan') {
    const scan = state.scans.get(parent.id)
    const scanId = scan?.scanId ?? parent.id
    const session = state.experiments.get(scan?.sessionId ?? '')?.label
    const type = isSimple ? '' : (scan?.fields['type'] ?? '').replace(/\W/g, '_')
    const path = `scans/${scanId}/${inner}`
    // XNAT: the type is put on every segment that equals the scan's ID, a folder among the files too (RestFileUtils.java).
    return `${session}/${type === '' ? path : path.replaceAll(segment(scanId), `$1${scanId}-${type}`)}`
  }
  const experiment = state.experiments.get(parent.id)
  return parent.direction === undefined
    ? `${experiment?.label}/${inner}`
    : `${experiment?.label}/${parent.direction}/${inner}`
}

function segment(name: string): RegExp {
  return new RegExp(`(^|/)${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?=/)`, 'g')
}

function contextOf({ query }: Exchange, { project, subject }: Target): string {
  const names = [
    query.isTrue('projectIncludedInPath') ? project?.projectId : undefined,
    query.isTrue('subjectIncludedInPath') ? subject?.label : undefined,
  ]
  return names.flatMap((name) => (name === undefined ? [] : [`${name}/`])).join('')
}

function downloadName({ xnat }: Exchange, target: Target): string {
  const { scans, sessions, experiments, subject, project } = target
  const experiment = scans.length > 0 ? sessions[0] : experiments[0]
  return experiment?.label ?? subject?.label ?? project?.projectId ?? xnat.state.settings.siteId
}
