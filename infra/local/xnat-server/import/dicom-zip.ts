// The handler DICOM-zip (DicomZipImporter.java).
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { canUseData } from '../permissions.ts'
import { entryName, findEntry } from '../prearchive/entries.ts'
import type { ArchiveRules, PrearchiveEntry } from '../prearchive/entry.ts'
import { isLocked } from '../prearchive/entry.ts'
import { archiveEntry, buildEntry, overwritesFiles, projectOf } from '../prearchive/operations.ts'
import { eachEntry } from './archive-entries.ts'
import { parseDestination } from './destination.ts'
import { receiveInstance } from './receive-instance.ts'
import { asksForArchive, experimentLabel, importRules, isSet, type Sender, type SentFile } from './sender.ts'

/**
 * Takes in every instance of an archive, and builds and archives their sessions when it is told to. Returns the
 * addresses of the sessions; none when no instance was kept.
 *
 * @throws {HttpFailure} 400. What was stored by then stays.
 */
export async function importDicomZip(xnat: Xnat, sender: Sender, file: SentFile): Promise<string[]> {
  const known = { ...sender, parameters: withDestination(xnat, sender) }
  const urls = await receiveAll(xnat, known, file)
  if (known.parameters.get('action') !== 'commit') return [...urls]
  const archived = await commitAll(xnat, known, urls)
  return asksForArchive(known.parameters) ? archived : [...urls]
}

async function receiveAll(xnat: Xnat, sender: Sender, file: SentFile): Promise<Set<string>> {
  const urls = new Set<string>()
  let skipped: HttpFailure | undefined
  const skipsUnreadable = isSet(sender.parameters, 'Ignore-Unparsable')
  await eachEntry(xnat, file, async (entry) => {
    try {
      const url = await receiveInstance(xnat, sender, entry)
      if (url !== undefined) urls.add(url)
    } catch (error) {
      if (!skipsUnreadable || !(error instanceof HttpFailure)) throw error
      skipped = error
    }
  })
  if (urls.size === 0 && skipped !== undefined) throw skipped
  return urls
}

// XNAT: any destination means "commit", one in the archive "and archive" (determiningDestination). The names DICOM-zip
// has for project, subject and session come after it, and win.
function withDestination(xnat: Xnat, { parameters }: Sender): Map<string, string> {
  const known = new Map(parameters)
  const dest = parameters.get('dest') ?? ''
  const destination = dest === '' ? undefined : parseDestination(dest)
  if (dest !== '' && destination === undefined) throw new HttpFailure(400, 'Parameter dest format error')
  if (destination !== undefined) {
    known.set('action', 'commit')
    for (const name of ['AA', 'auto-archive']) known.set(name, String(destination.kind === 'archive'))
    setGiven(known, { PROJECT_ID: destination.project })
    if (destination.kind === 'archive') {
      const label = experimentLabel(xnat, destination.project, destination.experiment)
      setGiven(known, { SUBJECT_ID: destination.subject, EXPT_LABEL: label })
    } else {
      setGiven(known, { PREARC_TIMESTAMP: destination.timestamp, PREARC_SESSION_FOLDER: destination.folder })
    }
  }
  setGiven(known, {
    PROJECT_ID: parameters.get('project'),
    SUBJECT_ID: parameters.get('subject'),
    EXPT_LABEL: parameters.get('session'),
  })
  return known
}

function setGiven(known: Map<string, string>, values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) if (value !== undefined) known.set(name, value)
}

async function commitAll(xnat: Xnat, sender: Sender, urls: ReadonlySet<string>): Promise<string[]> {
  const archived: string[] = []
  for (const url of urls) {
    try {
      archived.push(...(await commit(xnat, sender, url)))
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error
      // XNAT: the reason is in the log of the entry only.
      throw new HttpFailure(400, 'unable to archive for the Prearchive session', { cause: error })
    }
  }
  return archived
}

async function commit(xnat: Xnat, { user, parameters }: Sender, url: string): Promise<string[]> {
  // XNAT: an address of a direct-archive session is taken apart in the same way, and nothing is found (xmlBuild).
  const [, , , project = '', timestamp = '', folder = ''] = url.split('/')
  const entry = findEntry(xnat, entryName(project, timestamp, folder))
  if (entry === undefined) throw new HttpFailure(404, `${url} does not exist`)
  const home = projectOf(xnat, entry)
  if (home !== undefined && !canUseData(user, 'edit', home)) throw new HttpFailure(403)
  if (isLocked(entry)) return []
  const built = await buildEntry(xnat, entry)
  if (built.status !== 'READY' || !asksForArchive(parameters)) return []
  const rules = rulesFor(xnat, built, importRules(parameters))
  return [await archiveEntry(xnat, built, rules, { user })]
}

// XNAT: an entry that is to archive itself may merge, whatever the request says (archiveSession).
function rulesFor(xnat: Xnat, entry: PrearchiveEntry, asked: ArchiveRules): ArchiveRules {
  const isAuto = entry.autoArchive !== undefined && entry.autoArchive !== 'Manual'
  return {
    merge: asked.merge || isAuto,
    override: asked.override,
    overwriteFiles: asked.overwriteFiles || overwritesFiles(xnat, entry),
  }
}
