// POST /services/import (Importer.java).
import type { Exchange } from '../exchange.ts'
import { HttpFailure, notCovered } from '../http-failure.ts'
import { importDicomZip } from '../import/dicom-zip.ts'
import { receiveInstance } from '../import/receive-instance.ts'
import { queryParameters, type Sender, type SentFile } from '../import/sender.ts'
import { importSession } from '../import/session-importer.ts'
import { importBody } from '../import/upload.ts'
import { wantedFormat } from '../media-types.ts'
import { documentReply, type Reply, textReply } from '../reply.ts'
import type { Route } from '../router.ts'
import { mediaType } from '../upload-body.ts'

export const importRoutes: Route[] = [{ template: '/services/import', methods: { POST: importFile } }]

type Importer = (xnat: Exchange['xnat'], sender: Sender, file: SentFile) => Promise<string[]>

const importers: Record<string, Importer> = {
  'DICOM-zip': importDicomZip,
  SI: importSession,
  'gradual-DICOM': async (xnat, sender, file) => {
    const url = await receiveInstance(xnat, sender, file)
    return url === undefined ? [] : [url]
  },
}
const uncovered = ['XAR', 'inbox', 'automation']
const mirc = 'application/x-mirc'
const instanceTypes = ['application/dicom', mirc, 'application/x-mirc-dicom']

async function importFile(exchange: Exchange): Promise<Reply> {
  const { files, fields, dispose } = await importBody(exchange)
  try {
    const parameters = new Map([...fields, ...queryParameters(exchange)])
    return await answer(exchange, files, parameters)
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    if (wantedFormat(exchange) !== 'html' || error.voice === 'plain') throw error
    // XNAT: asked for HTML, it tells of a failure on a page, with 200 (Importer.java respondToException).
    return documentReply('text/html', failurePage(error.message))
  } finally {
    await dispose()
  }
}

async function answer(exchange: Exchange, files: readonly SentFile[], parameters: Map<string, string>): Promise<Reply> {
  const type = mediaType(exchange.request)
  const asked = parameters.get('import-handler')
  // XNAT: action=commit is taken for "skip what cannot be read", unless that is given too (Importer.java handlePost).
  if (!parameters.has('Ignore-Unparsable') && parameters.get('action')?.toLowerCase() === 'commit') {
    parameters.set('Ignore-Unparsable', 'true')
  }
  overwriteByProject(exchange, parameters)
  const file = onlyFile(exchange, files, asked)
  const { user, xnat } = exchange
  const standard = instanceTypes.includes(type)
    ? 'gradual-DICOM'
    : xnat.state.settings.uiDefaultCompressedUploaderImporter
  const importer = importerNamed(exchange, asked ?? standard)
  const urls = await tracked(exchange, parameters, () => importer(xnat, { user, parameters }, file))
  if (urls === undefined) return textReply('Submitted for prearchival')
  return type === mirc ? textReply('OK') : urlsReply(exchange, urls)
}

// XNAT: prearchive_code=1 stands for "as the project has it". Beside an overwrite it is refused by a condition that
// nothing passes (Importer.java handlePost).
function overwriteByProject({ xnat }: Exchange, parameters: Map<string, string>): void {
  if (parameters.get('prearchive_code') !== '1') return
  if (parameters.has('overwrite')) {
    throw new HttpFailure(400, "Overwrite flag was not set to a valid option. ('append' or 'delete')")
  }
  const project = xnat.state.projects.get(parameters.get('project') ?? '')
  parameters.set('overwrite', project?.prearchiveCode === 5 ? 'delete' : 'append')
}

function onlyFile({ method, rawPath }: Exchange, files: readonly SentFile[], asked: string | undefined): SentFile {
  const [file, ...others] = files
  if (others.length > 0) throw new HttpFailure(400, 'Importer is limited to one uploaded resource at a time.')
  if (file !== undefined) return file
  if (asked === undefined) throw new HttpFailure(500)
  if (asked === 'inbox' || asked === 'automation') throw notCovered(method, `${rawPath} with import-handler=${asked}`)
  throw new HttpFailure(400, 'Unable to identify upload format.')
}

function importerNamed({ method, rawPath }: Exchange, name: string): Importer {
  const importer = importers[name]
  if (importer !== undefined) return importer
  if (uncovered.includes(name)) throw notCovered(method, `${rawPath} with import-handler=${name}`)
  throw new HttpFailure(404, `Unknown importer implementation specified: ${name}`)
}

/**
 * Does the work, and notes how it goes for whoever listens to its status.
 *
 * XNAT: with a file it has already, it answers at once and goes on by itself: undefined then, and the status alone tells
 * what came of it. Here the work is done by the time of that answer.
 */
async function tracked(
  { xnat, login, user, query }: Exchange,
  parameters: ReadonlyMap<string, string>,
  work: () => Promise<string[]>,
): Promise<string[] | undefined> {
  const id = parameters.get('http-session-listener')
  if (id === undefined) return work()
  if (id === '') throw new HttpFailure(400, "'transaction' is required when requesting 'http-session-listener'.")
  const { tracking } = xnat.state
  tracking.start(id, { loginId: login.id, username: user?.username ?? 'guest' })
  tracking.add(id, { status: 'PROCESSING', msg: 'Importing sessions to the prearchive', terminal: false })
  try {
    const urls = await work()
    const place = urls.some((url) => url.startsWith('/archive/')) ? 'Archive' : 'Prearchive'
    tracking.add(id, { status: 'COMPLETED', msg: `${place}:${urls.join(';')}`, terminal: true })
    return query.has('src') ? undefined : urls
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    tracking.add(id, { status: 'FAILED', msg: error.message, terminal: true })
    if (query.has('src')) return undefined
    throw error
  }
}

function urlsReply(exchange: Exchange, urls: readonly string[]): Reply {
  const addresses = urls.map((url) => (url.startsWith('/xapi/') ? url : `/data${url}`))
  const format = wantedFormat(exchange)
  if (format === 'html') return documentReply('text/html', successPage(addresses))
  const [only, ...others] = addresses
  if (format === 'txt' && only !== undefined && others.length === 0) return textReply(only)
  const lines = textReply(addresses.map((address) => `${address}\r\n`).join(''))
  if (format === 'txt') return lines
  return { ...lines, headers: { ...lines.headers, 'Content-Type': 'text/uri-list;charset=ISO-8859-1' } }
}

function successPage(addresses: readonly string[]): string {
  const links = addresses.map((address) => `<br><a target='_parent' href='${address}'>${address}</a>`)
  return `<html><body class='yui-skin-sam'>The following sessions have been uploaded:<br>${links.join('')}</body></html>`
}

function failurePage(message: string): string {
  return (
    '<html><body class="yui-skin-sam">ERROR: The process could not be completed due to exceptions - <br>' +
    `<br><span style='color:#DD0000'>${message}</span>Your data may be available in the prearchive for your review.</body></html>`
  )
}
