// One DICOM file on its way in (GradualDicomImporter.java).
import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { type Instance, instanceOf, readInstance } from '../dicom/instance.ts'
import { routingOf } from '../dicom/names.ts'
import { openRow, rowUrl } from '../direct-archive/rows.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { addEntry, newSession, reopenEntry, type SessionClaim } from '../prearchive/entries.ts'
import { entryUrl } from '../prearchive/entry.ts'
import { autoArchiveOf } from '../prearchive/operations.ts'
import { placeInstance } from '../prearchive/received-files.ts'
import type { Project } from '../records.ts'
import { spool } from '../stored-file.ts'
import { parseDestination } from './destination.ts'
import { isSet, readableProject, type Sender, type SentFile, type SentObject } from './sender.ts'

/**
 * Stores an instance and returns the address of its session; undefined when it was rejected.
 *
 * XNAT: a project that is missing, or may not be read, is no failure. The headers then say where it goes, or nobody
 * does, and it is unassigned.
 *
 * @throws {HttpFailure} 400 for whatever goes wrong, the server's own faults included.
 */
export async function receiveInstance(
  xnat: Xnat,
  sender: Sender,
  file: SentFile | SentObject,
): Promise<string | undefined> {
  const spoolPath = xnat.archive.spoolPath()
  let isPlaced = false
  try {
    const instance = await spoolInstance(file, spoolPath)
    if (instance === undefined) throw unreadable(file)
    requireUids(file, instance)
    if (xnat.state.switches.rejectInstances) return undefined
    const { receivedId, url } = await openSession(xnat, sender, instance)
    const rename = isSet(sender.parameters, 'rename')
    await placeInstance(xnat, { receivedId, instance, name: file.name, rename, spoolPath })
    isPlaced = true
    return url
  } catch (error) {
    throw error instanceof HttpFailure ? error : unreadable(file, error)
  } finally {
    if (!isPlaced) await rm(spoolPath, { force: true })
  }
}

async function spoolInstance(file: SentFile | SentObject, path: string): Promise<Instance | undefined> {
  if ('bytes' in file) {
    writeFileSync(path, file.bytes)
    return instanceOf(file.bytes)
  }
  await spool(file.open(), path)
  return readInstance(path)
}

function requireUids({ name }: { name: string }, { sopClassUid, sopInstanceUid }: Instance): void {
  if (sopClassUid === '') throw new HttpFailure(400, `object ${name} contains no SOP Class UID`)
  if (sopInstanceUid === '') throw new HttpFailure(400, `object ${name} contains no SOP Instance UID`)
}

async function openSession(
  xnat: Xnat,
  sender: Sender,
  instance: Instance,
): Promise<{ receivedId: number; url: string }> {
  const routing = routingOf(instance, (name) => readableProject(xnat, sender.user, name) !== undefined)
  const asked = askedProject(sender)
  const project =
    (asked === undefined ? undefined : readableProject(xnat, sender.user, asked)) ??
    (routing.project === undefined ? undefined : readableProject(xnat, sender.user, routing.project))
  const claim = claimOf(sender, project, routing)
  if (project !== undefined && isSet(sender.parameters, 'Direct-Archive')) {
    const row = await openRow(xnat, claim, { project, instance })
    if (row !== undefined) return { receivedId: row.receivedId, url: rowUrl(row) }
  }
  const entry = reopenEntry(xnat, claim, instance.studyInstanceUid) ?? openEntry(xnat, claim, { project, instance })
  return { receivedId: entry.receivedId, url: entryUrl(entry) }
}

function openEntry(
  xnat: Xnat,
  claim: SessionClaim,
  { project, instance }: { project: Project | undefined; instance: Instance },
) {
  return addEntry(xnat, {
    ...newSession(xnat, claim, instance),
    projectId: project?.projectId,
    // XNAT: from the project alone; what the sender asks for does not reach the row (eitherGetOrCreateSession).
    autoArchive: autoArchiveOf(project),
    logs: [],
  })
}

/** @throws {HttpFailure} 400 for a `dest` that is no address. */
function askedProject({ parameters }: Sender): string | undefined {
  const named = parameters.get('PROJECT_ID')
  const dest = parameters.get('dest')
  if (named !== undefined || dest === undefined) return named
  const destination = parseDestination(dest)
  if (destination === undefined) throw new HttpFailure(400, `Invalid URI: ${dest}`)
  return destination.project
}

function claimOf(
  { parameters }: Sender,
  project: Project | undefined,
  routing: { subject: string; session: string },
): SessionClaim {
  const name = parameters.get('EXPT_LABEL') ?? routing.session
  return {
    projectId: project?.projectId,
    name,
    folder: parameters.get('PREARC_SESSION_FOLDER') ?? name,
    subject: parameters.get('SUBJECT_ID') ?? routing.subject,
    timestamp: parameters.get('PREARC_TIMESTAMP'),
    visit: parameters.get('VISIT') ?? '',
    protocol: parameters.get('SUBTYPE') ?? '',
    timeZone: parameters.get('TIMEZONE') ?? '',
    source: parameters.get('SOURCE') ?? '',
    preventAnon: isSet(parameters, 'prevent_anon'),
    preventAutoCommit: isSet(parameters, 'prevent_auto_commit'),
  }
}

function unreadable({ name }: { name: string }, cause?: unknown): HttpFailure {
  return new HttpFailure(400, `unable to read DICOM object ${name}`, { cause })
}
