import type { Readable } from 'node:stream'
import { XnatError } from '../errors.ts'
import type { Call, CallOptions, Query, Reply } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'
import { detailOf } from './reply.ts'
import { parseSessionUri, type SessionUri, uriLines } from './session-uri.ts'

/** An archive of DICOM files, usually of one session. */
export interface DicomArchive {
  format: 'zip' | 'tar' | 'tgz'
  openBody: () => Promise<Readable> | Readable
  sizeBytes: number
}

export type ImportDestination =
  /** Archived before XNAT answers. */
  | { kind: 'archive'; projectId: string; subject: string; experiment: string }
  /** Left in the prearchive, built; labels are XNAT's to find when they are not given. */
  | { kind: 'prearchive'; projectId: string; subject?: string; experiment?: string }
  /** Written straight into the archive; XNAT finishes some minutes after the last file. */
  | { kind: 'direct-archive'; projectId: string; subject?: string; experiment?: string }

export interface ImportOptions extends CallOptions {
  /**
   * Merge into a session that is there: `append` unless something contradicts, `override` also over differing UIDs and
   * same-named files. Neither by default: then a session that is there is a conflict.
   */
  merge?: 'append' | 'override'
  /** Skip what cannot be read. XNAT then skips what fails for other reasons too: count the files afterwards. */
  ignoreUnparsable?: boolean
  /** Put what is archived under quarantine, until somebody activates it. The project decides by default. */
  quarantine?: boolean
  /** `false` keeps XNAT from running its AutoRun pipeline afterwards. */
  triggerPipelines?: boolean
}

export type ImportOutcome =
  | { kind: 'imported'; sessions: SessionUri[] }
  /** XNAT put a session into another project than asked, the unassigned prearchive included. */
  | { kind: 'misplaced'; sessions: SessionUri[] }
  /** Every file was filtered out or rejected. */
  | { kind: 'nothing-kept' }
  /**
   * The files are in the prearchive, in conflict with archived data or else unfit; the log of the entry says why. What
   * is imported of the same study later joins them there: delete the entry before trying anew.
   */
  | { kind: 'left-in-prearchive'; detail: string | undefined }

// XNAT: DICOM-zip tells formats by a name it makes up from the type; as x-tar a tar.gz would be read as uncompressed
// (W/archive/DicomZipImporter.java).
const contentTypes = { zip: 'application/zip', tar: 'application/x-tar', tgz: 'application/x-gtar' } as const

/**
 * Sends an archive of DICOM files to XNAT's import service. Not repeated on failure: a second try may find the first
 * one's files.
 */
export async function importDicomArchive(
  client: XnatClient,
  source: DicomArchive,
  destination: ImportDestination,
  { merge, ignoreUnparsable = false, quarantine, triggerPipelines, ...options }: ImportOptions = {},
): Promise<ImportOutcome> {
  const call: Call = {
    method: 'POST',
    path: xnatPath`/data/services/import`,
    query: {
      'import-handler': 'DICOM-zip',
      inbody: true,
      ...placeOf(destination),
      // XNAT: "delete" does not delete, it passes the checks that can be passed; any other word would merge
      // (W/restlet/services/Importer.java, W/archive/PrearcSessionArchiver.java).
      overwrite: merge === 'override' ? 'delete' : merge,
      'Ignore-Unparsable': ignoreUnparsable || undefined,
      quarantine,
      triggerPipelines,
    },
    body: { openBody: source.openBody, sizeBytes: source.sizeBytes, contentType: contentTypes[source.format] },
    accept: [400, 409],
    isSlow: true,
    ...options,
  }
  return outcomeOf(client, call, await client.send(call), destination.projectId)
}

function placeOf(destination: ImportDestination): Query {
  const { kind, projectId, subject, experiment } = destination
  // The path is built for its checks: a label that cannot stand in one cannot be asked for afterwards.
  const project = xnatPath`/projects/${projectId}`
  const labels: Query = { project: projectId, subject, session: experiment }
  if (kind === 'direct-archive') return { ...labels, 'Direct-Archive': true }
  if (kind === 'prearchive') return { ...labels, dest: `/prearchive${project.path}` }
  const session = xnatPath`${project}/subjects/${destination.subject}/experiments/${destination.experiment}`
  return { ...labels, dest: `/archive${session.path}` }
}

function outcomeOf(client: XnatClient, call: Call, reply: Reply, projectId: string): ImportOutcome {
  if (reply.status >= 400) {
    // XNAT: DICOM-zip says 400 for a conflict, in these words; 409 comes from a locked session
    // (W/archive/DicomZipImporter.java).
    if (reply.status === 409 || /unable to archive/i.test(reply.text)) {
      return { kind: 'left-in-prearchive', detail: detailOf(reply.text) }
    }
    throw client.errorFrom(call, reply)
  }
  const uris = uriLines(reply.text)
  if (uris.length === 0) return { kind: 'nothing-kept' }
  const sessions = uris.map((uri) => parseSessionUri(uri) ?? unexpected(call, reply))
  // XNAT: a project that cannot be read is no error, the files go where their headers point
  // (W/services/cache/UserProjectCache.java).
  const isMisplaced = sessions.some((session) => session.projectId !== projectId)
  return { kind: isMisplaced ? 'misplaced' : 'imported', sessions }
}

function unexpected({ method, path }: Call, { status }: Reply): never {
  throw new XnatError({ code: 'XNAT_UNEXPECTED_REPLY', method, pathTemplate: path.template, status })
}
