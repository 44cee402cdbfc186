/** Where XNAT says a session is. Values are as XNAT wrote them: labels it was sent may come back changed. */
export type SessionUri =
  | { kind: 'archive'; projectId: string; subject: string; experiment: string }
  | { kind: 'prearchive'; projectId: string; timestamp: string; folder: string }
  | { kind: 'direct-archive'; projectId: string; studyInstanceUid: string; label: string }

// XNAT: with or without the site's address, /data and /archive before them (W/restlet/services/Importer.java).
const archive = /\/projects\/([^/\s]+)\/subjects\/([^/\s]+)\/experiments\/([^/\s]+)$/
const prearchive = /\/prearchive\/projects\/([^/\s]+)\/([^/\s]+)\/([^/\s]+)$/
const directArchive = /\/direct-archive\/([^/\s]+)\/([^/\s]+)\/([^/\s]+)$/

/** `undefined` when it is the address of nothing known. */
export function parseSessionUri(uri: string): SessionUri | undefined {
  const text = uri.trim()
  const [, projectId = '', first = '', second = ''] =
    prearchive.exec(text) ?? directArchive.exec(text) ?? archive.exec(text) ?? []
  if (projectId === '') return undefined
  if (prearchive.test(text)) return { kind: 'prearchive', projectId, timestamp: first, folder: second }
  if (directArchive.test(text)) return { kind: 'direct-archive', projectId, studyInstanceUid: first, label: second }
  return { kind: 'archive', projectId, subject: first, experiment: second }
}

/** The addresses of a `text/uri-list`, one per line. */
export function uriLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}
