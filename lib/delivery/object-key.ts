// Keys of the `incoming` bucket: XNAT's own archive path, so users have nothing new to learn.
import * as z from 'zod'
import { InvalidInputError } from '../errors.ts'

const reason = (text: string) => ({ error: text })

// XNAT does not decode path variables, and its firewall refuses %2F, %25, %2E: what is not safe as it is cannot be named
// (xnat/data-api 0.1, WEB/initialization/SecurityConfig.java).
const label = z
  .string()
  .max(255, reason('is longer than 255 characters'))
  .regex(/^[A-Za-z0-9._-]+$/, reason('may hold only letters, digits, ".", "_" and "-"'))
  .refine((text) => text !== '.' && text !== '..', reason('may not be "." or ".."'))

/** XNAT's own project ID, or `hub:` and the hub's id, which the project carries as its secondary ID. */
const projectName = z
  .string()
  .max(255, reason('is longer than 255 characters'))
  .regex(
    /^(?:[A-Za-z0-9_-]+|hub:[A-Za-z0-9._-]+)$/,
    reason('may hold only letters, digits, "_" and "-", after "hub:" also "."'),
  )

const Target = z.object({
  projectId: projectName,
  subject: label.optional(),
  experiment: label.optional(),
  scanId: label.optional(),
  /** Label of the assessor; `direction` is there with it. */
  assessor: label.optional(),
  direction: z.enum(['in', 'out'], reason('must be "in" or "out"')).optional(),
  // XNAT: an all-digit segment is taken for a numeric resource id (RES/files/XNATTemplate.java).
  resourceLabel: label.refine((text) => !/^\d+$/.test(text), reason('may not consist of digits only')),
})

/** The XNAT resource that a key names; which parts are there tells the level. */
export type DeliveryTarget = z.infer<typeof Target>
export const DeliveryTarget = Target

/** The session that DICOM files are to become, by the labels that it is to have. */
export const SessionTarget = z.object({ projectId: projectName, subject: label, experiment: label })
export type SessionTarget = z.infer<typeof SessionTarget>

export type ParsedKey =
  | {
      kind: 'file'
      target: DeliveryTarget
      /** The key up to and with `files/`. */
      prefix: string
      /** The file's path in the resource. */
      path: string
    }
  | {
      kind: 'session'
      target: SessionTarget
      /** The key up to and with `dicom/`. */
      prefix: string
      path: string
      /** A whole session; what says that the loose files beside and below it are complete; or one of these. */
      part: 'archive' | 'marker' | 'loose'
    }
  /** A zero-byte object that file managers put where a folder is; it names no file. */
  | { kind: 'folder' }

const fileShape =
  /^projects\/(?<projectId>[^/]*)(?:\/subjects\/(?<subject>[^/]*))?(?:\/experiments\/(?<experiment>[^/]*)(?:\/scans\/(?<scanId>[^/]*)|\/assessors\/(?<assessor>[^/]*)\/(?<direction>[^/]*))?)?\/resources\/(?<resourceLabel>[^/]*)\/files\/(?<path>.*)$/su
const sessionShape =
  /^projects\/(?<projectId>[^/]*)\/subjects\/(?<subject>[^/]*)\/experiments\/(?<experiment>[^/]*)\/dicom\/(?<path>.*)$/su

/**
 * Reads a decoded object key.
 *
 * @throws {InvalidInputError} KEY_NOT_UNDERSTOOD when it names neither a file of an XNAT resource nor DICOM of a session,
 * or names it with characters that XNAT could not store under that very name. The message says what is wrong, never the
 * key itself.
 */
export function parseObjectKey(key: string): ParsedKey {
  if (key.endsWith('/')) return { kind: 'folder' }
  const ofSession = sessionShape.exec(key)?.groups
  if (ofSession !== undefined) {
    const { path = '', ...parts } = ofSession
    return { kind: 'session', target: checked(SessionTarget, parts), ...placed(key, path), part: partOf(path) }
  }
  const ofFile = fileShape.exec(key)?.groups
  if (ofFile === undefined) {
    throw notUnderstood(
      'it is neither projects/{P}/.../resources/{R}/files/{path} nor .../experiments/{E}/dicom/{path}',
    )
  }
  const { path = '', ...parts } = ofFile
  return { kind: 'file', target: checked(Target, parts), ...placed(key, path) }
}

function checked<S extends z.ZodType>(schema: S, parts: Readonly<Record<string, string>>): z.output<S> {
  const parsed = schema.safeParse(parts)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw notUnderstood(`${issue?.path.join('.') ?? 'a part'} ${issue?.message ?? 'is not valid'}`)
}

function placed(key: string, path: string): { prefix: string; path: string } {
  const fault = filePathFault(path)
  if (fault !== undefined) throw notUnderstood(`the file path ${fault}`)
  return { prefix: key.slice(0, key.length - path.length), path }
}

function filePathFault(path: string): string | undefined {
  const segments = path.split('/')
  if (segments.some((segment) => segment === '')) return 'has an empty segment'
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'has a "." or ".." segment'
  // XNAT: turns "\" in names into "/" (WEB/helpers/FileWriterWrapper.java).
  if (/[\p{Cc}\\]/u.test(path)) return 'has a control character or a backslash'
  // XNAT: refuses such names, they would pass for its own catalogs (WEB/utils/CatalogUtils.java).
  if (path.toLowerCase().endsWith('_catalog.xml')) return 'ends in _catalog.xml, which XNAT keeps for itself'
  return undefined
}

/** What one part of a session's DICOM is, by the name that its uploader gave it. */
export function partOf(path: string): 'archive' | 'marker' | 'loose' {
  if (path === '_SUCCESS' || path.endsWith('/_SUCCESS')) return 'marker'
  return archiveFormatOf(path) === undefined ? 'loose' : 'archive'
}

/** How a file of this name is packed; `undefined` for one that is no archive. */
export function archiveFormatOf(path: string): 'zip' | 'tar' | 'tgz' | undefined {
  if (/\.zip$/i.test(path)) return 'zip'
  if (/\.(?:tgz|tar\.gz)$/i.test(path)) return 'tgz'
  return /\.tar$/i.test(path) ? 'tar' : undefined
}

const notUnderstood = (what: string) =>
  new InvalidInputError(`The object key cannot be delivered: ${what}.`, { code: 'KEY_NOT_UNDERSTOOD' })
