// The handler SI: unpacks everything first, and leaves nothing half-received (SessionImporter.java).
import { rm } from 'node:fs/promises'
import { type Instance, readInstance } from '../dicom/instance.ts'
import { routingOf } from '../dicom/names.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { canUseData } from '../permissions.ts'
import { addEntry, entryName, findEntry, newSession } from '../prearchive/entries.ts'
import { entryUrl, type PrearchiveEntry } from '../prearchive/entry.ts'
import { archiveEntry, buildEntry, isAutoArchive, overwritesFiles } from '../prearchive/operations.ts'
import { placeInstance } from '../prearchive/received-files.ts'
import type { Project } from '../records.ts'
import { spool } from '../stored-file.ts'
import { eachEntry } from './archive-entries.ts'
import { type Destination, parseDestination } from './destination.ts'
import { experimentLabel, importRules, isSet, readableProject, type Sender, type SentFile } from './sender.ts'

/** @throws {HttpFailure} 400 for what holds no session or several, 403 for another's project, 409 for a conflict. */
export async function importSession(xnat: Xnat, sender: Sender, file: SentFile): Promise<string[]> {
  const dest = sender.parameters.get('dest') ?? ''
  const destination = dest === '' ? undefined : parseDestination(dest)
  if (dest !== '' && destination === undefined) throw new HttpFailure(400, `Invalid URI: ${dest}`)
  const target = targetOf(xnat, sender, destination)
  const entries = await receiveAll(xnat, { sender, target, file })
  if (entries.length === 0) throw new HttpFailure(400, 'Upload did not include parsable files for session generation.')
  const built: PrearchiveEntry[] = []
  for (const entry of entries) built.push(await buildEntry(xnat, entry))
  if (destination?.kind === 'prearchive') return built.map(entryUrl)
  const [only, ...others] = built
  if (only === undefined || others.length > 0) {
    throw new HttpFailure(400, 'Upload included files for multiple imaging sessions.')
  }
  if (destination?.kind !== 'archive' && !isAutoArchive(xnat, only, askedToArchive(sender))) return [entryUrl(only)]
  const asked = importRules(sender.parameters)
  const rules = { ...asked, overwriteFiles: asked.overwriteFiles || overwritesFiles(xnat, only) }
  return [await archiveEntry(xnat, only, rules, { user: sender.user })]
}

/** Where it is to go, as far as the request says. */
interface Target {
  project: Project | undefined
  subject: string | undefined
  label: string | undefined
  timestamp: string | undefined
  folder: string | undefined
}

function targetOf(xnat: Xnat, { user, parameters }: Sender, destination: Destination | undefined): Target {
  const named = destination?.project ?? parameters.get('project') ?? parameters.get('PROJECT_ID')
  const project = named === undefined ? undefined : readableProject(xnat, user, named)
  if (named !== undefined && project === undefined) throw new HttpFailure(404, `Unknown project: ${named}`)
  if (project !== undefined && !canUseData(user, 'edit', project)) {
    throw new HttpFailure(403, `${user?.username ?? 'guest'} may not edit project ${project.projectId}`)
  }
  const given = (...names: string[]) => names.map((name) => parameters.get(name)).find((value) => value !== undefined)
  const isArchive = destination?.kind === 'archive'
  const experiment = isArchive ? destination.experiment : undefined
  return {
    project,
    subject: (isArchive ? destination.subject : undefined) ?? given('subject', 'SUBJECT_ID'),
    label: experimentLabel(xnat, project?.projectId, experiment) ?? given('session', 'EXPT_LABEL', 'EXPT_ID'),
    timestamp: destination?.kind === 'prearchive' ? destination.timestamp : undefined,
    folder: destination?.kind === 'prearchive' ? destination.folder : undefined,
  }
}

interface Reception {
  sender: Sender
  target: Target
  file: SentFile
}

/** One entry per study, of what can be read; XNAT passes over the rest. */
async function receiveAll(xnat: Xnat, { sender, target, file }: Reception): Promise<PrearchiveEntry[]> {
  const entries = new Map<string, PrearchiveEntry>()
  await eachEntry(xnat, file, async (sent) => {
    const spoolPath = xnat.archive.spoolPath()
    try {
      await spool(sent.open(), spoolPath)
      const instance = await readInstance(spoolPath)
      if (instance === undefined || instance.sopInstanceUid === '' || xnat.state.switches.rejectInstances) return
      const study = target.folder ?? instance.studyInstanceUid
      const entry = entries.get(study) ?? openEntry(xnat, { sender, target, instance })
      entries.set(study, entry)
      await placeInstance(xnat, { receivedId: entry.receivedId, instance, name: sent.name, rename: false, spoolPath })
    } finally {
      await rm(spoolPath, { force: true })
    }
  })
  return [...entries.values()]
}

function openEntry(
  xnat: Xnat,
  { sender, target, instance }: Omit<Reception, 'file'> & { instance: Instance },
): PrearchiveEntry {
  const routing = routingOf(instance, (name) => readableProject(xnat, sender.user, name) !== undefined)
  const project =
    target.project ?? (routing.project === undefined ? undefined : readableProject(xnat, sender.user, routing.project))
  const name = target.label ?? routing.session
  const { timestamp, folder = name } = target
  const present =
    timestamp === undefined
      ? undefined
      : findEntry(xnat, entryName(project?.projectId ?? 'Unassigned', timestamp, folder))
  if (present !== undefined) return present
  const claim = {
    projectId: project?.projectId,
    name,
    folder,
    subject: target.subject ?? routing.subject,
    timestamp,
    visit: sender.parameters.get('VISIT') ?? '',
    protocol: sender.parameters.get('SUBTYPE') ?? '',
    timeZone: sender.parameters.get('TIMEZONE') ?? '',
    source: 'SessionImporter',
    preventAnon: false,
    preventAutoCommit: true,
  }
  return addEntry(xnat, { ...newSession(xnat, claim, instance), projectId: project?.projectId, logs: [] })
}

function askedToArchive({ parameters }: Sender): boolean | undefined {
  const name = ['AA', 'auto-archive'].find((each) => parameters.has(each))
  return name === undefined ? undefined : isSet(parameters, name)
}
