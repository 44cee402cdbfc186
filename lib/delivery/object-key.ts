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

const Target = z.object({
  projectId: z.string().regex(/^[A-Za-z0-9_-]+$/, reason('may hold only letters, digits, "_" and "-"')),
  subject: label.optional(),
  experiment: label.optional(),
  scanId: label.optional(),
  // XNAT: an all-digit segment is taken for a numeric resource id (RES/files/XNATTemplate.java).
  resourceLabel: label.refine((text) => !/^\d+$/.test(text), reason('may not consist of digits only')),
})

/** The XNAT resource that a key names; which parts are there tells the level. */
export type DeliveryTarget = z.infer<typeof Target>
export const DeliveryTarget = Target

export type ParsedKey =
  | {
      kind: 'file'
      target: DeliveryTarget /** The key up to and with `files/`. */
      prefix: string /** The file's path in the resource. */
      path: string
    }
  /** A zero-byte object that file managers put where a folder is; it names no file. */
  | { kind: 'folder' }

const shape =
  /^projects\/(?<projectId>[^/]*)(?:\/subjects\/(?<subject>[^/]*))?(?:\/experiments\/(?<experiment>[^/]*)(?:\/scans\/(?<scanId>[^/]*))?)?\/resources\/(?<resourceLabel>[^/]*)\/files\/(?<path>.*)$/su

/**
 * Reads a decoded object key.
 *
 * @throws {InvalidInputError} KEY_NOT_UNDERSTOOD when it does not name a file of an XNAT resource, or names it with
 * characters that XNAT could not store under that very name. The message says what is wrong, never the key itself.
 */
export function parseObjectKey(key: string): ParsedKey {
  if (key.endsWith('/')) return { kind: 'folder' }
  const groups = shape.exec(key)?.groups
  if (groups === undefined) throw notUnderstood('it is not of the form projects/{P}/.../resources/{R}/files/{path}')

  const { path = '', ...parts } = groups
  const target = Target.safeParse(parts)
  if (!target.success) {
    const issue = target.error.issues[0]
    throw notUnderstood(`${issue?.path.join('.') ?? 'a part'} ${issue?.message ?? 'is not valid'}`)
  }
  const fault = filePathFault(path)
  if (fault !== undefined) throw notUnderstood(`the file path ${fault}`)
  return { kind: 'file', target: target.data, prefix: key.slice(0, key.length - path.length), path }
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

const notUnderstood = (what: string) =>
  new InvalidInputError(`The object key cannot be delivered: ${what}.`, { code: 'KEY_NOT_UNDERSTOOD' })
