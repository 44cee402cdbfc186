// GET /services/dicomdump (DicomDump.java).
import { tagOf } from '../dicom/dictionary.ts'
import { type DumpRow, dumpHeader, summarize } from '../dicom/dump.ts'
import type { Exchange } from '../exchange.ts'
import { readPaths } from '../file-path.ts'
import { HttpFailure } from '../http-failure.ts'
import { findExperiment, findProject } from '../lookup.ts'
import { refuseOthers } from '../prearchive/access.ts'
import { entryName, findEntry } from '../prearchive/entries.ts'
import { receivedFile, receivedFiles } from '../prearchive/received-files.ts'
import type { Reply } from '../reply.ts'
import { tableReply } from '../result-set.ts'
import type { Route } from '../router.ts'

export const dicomDumpRoutes: Route[] = [{ template: '/services/dicomdump', methods: { GET: dump } }]

const columns = ['tag1', 'tag2', 'vr', 'value', 'desc']
/** XNAT: site setting dumpImageTypes. */
const imageLabels = ['DICOM', 'secondary']
const maxSummaryFiles = 10_000

async function dump(exchange: Exchange): Promise<Reply> {
  const { query } = exchange
  const src = query.get('src')
  if (src === undefined) throw new HttpFailure(400, 'Please set the src parameter')
  const wanted = new Set(query.all('field').map(fieldTag))
  const isSummary = query.get('summary') === 'true'
  const files = await filesAt(exchange, src)
  const headers: DumpRow[] = []
  for (const path of files.slice(0, isSummary ? maxSummaryFiles : 1)) headers.push(...(await dumpHeader(path, wanted)))
  return tableReply(exchange, isSummary ? summarize(headers) : headers, { columns, totalRecords: false })
}

/** A keyword or eight hex digits; what follows a colon selects within Siemens headers, which the stand-in does not read. */
function fieldTag(field: string): string {
  const [name = ''] = field.split(':')
  const tag = tagOf(name) ?? (/^[\da-f]{1,8}$/i.test(name) ? name.toLowerCase().padStart(8, '0') : undefined)
  if (tag === undefined) throw new HttpFailure(400, `not a valid DICOM attribute tag: ${name}`)
  return tag
}

const archived =
  /^\/archive\/projects\/([^/]+)(?:\/subjects\/[^/]+)?\/experiments\/([^/]+)(?:\/scans\/([^/]+)(?:\/resources\/DICOM\/files\/(.+))?)?/
const received =
  /^\/prearchive\/projects\/([^/]+)\/([^/]+)\/([^/]+)(?:\/scans\/([^/]+)(?:\/resources\/DICOM\/files\/(.+))?)?/

// XNAT: an address that is none of these, one with /data before it for instance, has no rows and is no error.
async function filesAt(exchange: Exchange, src: string): Promise<string[]> {
  const archive = archived.exec(src)
  if (archive !== null) return archivedFiles(exchange, archive)
  const prearchive = received.exec(src)
  return prearchive === null ? [] : waitingFiles(exchange, prearchive)
}

async function archivedFiles(exchange: Exchange, [, project = '', name = '', scanId, file]: RegExpExecArray) {
  const { state, archive } = exchange.xnat
  const home = findProject(exchange, project)
  const experiment = home && findExperiment(exchange, name, home)
  if (experiment === undefined) throw new HttpFailure(404, 'There was an error rendering Dicom Header')
  const scans = state.scans
    .group(experiment.experimentId)
    .filter((scan) => scanId === undefined || scan.scanId === scanId)
  const paths: string[] = []
  for (const { rowId } of scans) {
    for (const resource of state.resourcesOf({ level: 'scan', id: String(rowId) })) {
      if (!imageLabels.includes(resource.label)) continue
      const { entries } = await archive.catalogs.read(archive.catalogOf(resource))
      const wanted = [...entries.keys()].filter((path) => file === undefined || readPaths(file).includes(path))
      paths.push(...wanted.map((path) => archive.fileOf(resource, path)))
    }
  }
  return paths
}

function waitingFiles(
  exchange: Exchange,
  [, project = '', timestamp = '', folder = '', scanId, file]: RegExpExecArray,
): string[] {
  const { xnat } = exchange
  const name = entryName(project, timestamp, folder)
  refuseOthers(exchange, name, { allowUnassigned: false })
  const entry = findEntry(xnat, name)
  if (entry?.document === undefined) throw new HttpFailure(404, 'There was an error rendering Dicom Header')
  const paths: string[] = []
  for (const scan of entry.document.scans.filter((each) => scanId === undefined || each.scanId === scanId)) {
    const names = receivedFiles(xnat, entry.receivedId, scan.scanId)
    const wanted = names.filter((each) => file === undefined || readPaths(file).includes(each))
    paths.push(...wanted.map((each) => receivedFile(xnat, entry.receivedId, scan.scanId, each)))
  }
  return paths
}
