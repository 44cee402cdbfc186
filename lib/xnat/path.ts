import { InvalidInputError } from '../errors.ts'

// A control character in a request line can split it; nothing XNAT stores under a path needs one.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/

// XNAT: Spring's firewall refuses ; \ %2F %5C %25 %2E and un-normalised paths, so these can never arrive
// (StrictHttpFirewall; WEB/initialization/SecurityConfig.java).
const refusedByFirewall = /[%;\\/]/

/** A path below XNAT's root, made only by `xnatPath`, together with its text without any value. */
export class XnatPath {
  readonly path: string
  /** The path with placeholders, such as `/data/projects/{project}`: this is what messages and metrics carry. */
  readonly template: string

  private constructor(path: string, template: string) {
    this.path = path
    this.template = template
  }

  static tag(literals: TemplateStringsArray, ...values: (string | number | PathPart | XnatPath)[]): XnatPath {
    let path = literals[0] ?? ''
    let template = path
    for (const [index, value] of values.entries()) {
      const literal = literals[index + 1] ?? ''
      path += encodeValue(value) + literal
      template += placeholder(value, template) + literal
    }
    return new XnatPath(path, template)
  }
}

/** Part of a path that is encoded by other rules than a plain segment. */
export class PathPart {
  readonly encoded: string
  private constructor(encoded: string) {
    this.encoded = encoded
  }

  static file(path: string): PathPart {
    const segments = path.split('/')
    for (const segment of segments) refuseUnsafe(segment)
    return new PathPart(segments.map(encodeFileName).join('/'))
  }

  static decoded(value: string): PathPart {
    refuseUnsafe(value)
    return new PathPart(encodeURIComponent(value))
  }

  static xsiType(xsiType: string): PathPart {
    if (!/^[\w-]+:[\w-]+$/.test(xsiType)) throw unsafe()
    return new PathPart(xsiType)
  }
}

/**
 * Builds a path: each `${value}` is exactly one segment, whatever it holds. A `PathPart` may be several, and an
 * `XnatPath` at the start is continued.
 *
 * A plain value may hold only what needs no percent-escape, because XNAT compares path variables as they were sent.
 *
 * @throws {InvalidInputError} when a value is empty, `.`, `..`, or holds a character that XNAT cannot receive there.
 */
export const xnatPath = XnatPath.tag

/** The path of a file inside a resource, folders included, for use in `xnatPath`. */
export const filePath = PathPart.file

/** A segment in one of the few places where XNAT does decode escapes: scan IDs in file routes, project members. */
export const decodedSegment = PathPart.decoded

/** The name of a data type, such as `xnat:mrSessionData`, with its colon as it is. */
export const xsiTypeSegment = PathPart.xsiType

function encodeValue(value: string | number | PathPart | XnatPath): string {
  if (value instanceof XnatPath) return value.path
  if (value instanceof PathPart) return value.encoded
  const segment = String(value)
  refuseUnsafe(segment)
  // XNAT: path variables are not decoded, so "a b" would be looked up, or stored, as "a%20b"
  // (RES/SecureResource.java getParameter); "*" stands for all scans (RES/files/XNATTemplate.java).
  if (encodeURIComponent(segment) !== segment || segment.includes('*')) throw unsafe()
  return segment
}

function refuseUnsafe(segment: string): void {
  if (segment === '' || segment === '.' || segment === '..') throw unsafe()
  if (controlCharacters.test(segment) || refusedByFirewall.test(segment) || !segment.isWellFormed()) throw unsafe()
}

function unsafe(): InvalidInputError {
  return new InvalidInputError('A value cannot be part of an XNAT path', { code: 'UNSAFE_PATH_VALUE' })
}

// These stand for themselves in a URL path; escaped, XNAT would store the escape.
const literalInFileNames = /%(?:24|2C|3A|3D|40)/g

function encodeFileName(name: string): string {
  return encodeURIComponent(name).replace(literalInFileNames, decodeURIComponent)
}

/** Names a value after the segment before it: `/projects/${id}` reads `/projects/{project}`. */
function placeholder(value: string | number | PathPart | XnatPath, before: string): string {
  if (value instanceof XnatPath) return value.template
  const previous = /([A-Za-z_]+)\/$/.exec(before)?.[1]
  return previous === undefined ? '{value}' : `{${previous.replace(/s$/, '')}}`
}
