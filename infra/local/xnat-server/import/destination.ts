// `dest`, and what it and `src` may look like (UriParserUtils.java).
import { unassigned } from '../prearchive/entry.ts'

export type Destination =
  | { kind: 'archive'; project?: string | undefined; subject?: string | undefined; experiment?: string | undefined }
  | { kind: 'prearchive'; project?: string | undefined; timestamp?: string | undefined; folder?: string | undefined }

const archive =
  /^\/archive(?:\/projects\/(?<project>[^/]+)(?:\/subjects\/(?<subject>[^/]+)(?:\/experiments\/(?<experiment>[^/]+))?)?)?\/?$/
const prearchive =
  /^\/prearchive(?:\/projects\/(?<project>[^/]+)(?:\/(?<timestamp>[^/]+)(?:\/(?<folder>[^/]+))?)?)?\/?$/

/**
 * undefined for what XNAT does not understand. /data and /REST before it mean nothing, and nothing in it is decoded
 * (UriParserUtils.java).
 */
export function parseDestination(uri: string): Destination | undefined {
  const path = uri.replace(/^\/(data|REST)(?=\/)/, '')
  const archived = archive.exec(path)?.groups
  if (archived !== undefined) return { kind: 'archive', ...archived }
  const received = prearchive.exec(path)?.groups
  return received === undefined ? undefined : { kind: 'prearchive', ...received }
}

export function isUnassigned(project: string): boolean {
  return project.toLowerCase() === unassigned.toLowerCase()
}
