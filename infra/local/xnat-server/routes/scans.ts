// Scans (ScanList.java, ScanResource.java).

import { createdInList } from '../created-reply.ts'
import { deleteScanData } from '../deletion.ts'
import { readDocument } from '../document.ts'
import type { Exchange } from '../exchange.ts'
import { fieldsFromDocument, fieldsFromQuery, scanFields } from '../fields.ts'
import { HttpFailure } from '../http-failure.ts'
import { scanItem } from '../item.ts'
import { itemReply } from '../item-reply.ts'
import { isOfRoot, rootType } from '../list-root.ts'
import { listingReply } from '../listing.ts'
import { findProject } from '../lookup.ts'
import { canUse } from '../permissions.ts'
import type { Experiment, Scan } from '../records.ts'
import { emptyTextReply, type Reply } from '../reply.ts'
import { archiveRoutes } from '../router.ts'
import { createScan } from '../scan-documents.ts'
import { findSession } from '../session-lookup.ts'
import { listTimestamp } from '../timestamps.ts'
import { isScanType } from '../xsi-types.ts'

const list = { GET: listScans, POST: createFromList }
const item = { GET: showScan, PUT: putScan, DELETE: deleteScan }
export const scanRoutes = [
  '/experiments/{ASSESSED_ID}',
  '/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}/experiments/{ASSESSED_ID}',
].flatMap((session) => [
  ...archiveRoutes(`${session}/scans`, list),
  ...archiveRoutes(`${session}/scans/{SCAN_ID}`, item),
])

function listScans(exchange: Exchange): Reply {
  const session = findSession(exchange)
  if (session === undefined) throw noSessionToList(exchange)
  const records = exchange.xnat.state.scans.group(session.experimentId).map((scan) => ({
    values: {
      xnat_imagescandata_id: scan.rowId,
      ID: scan.scanId,
      type: scan.fields['type'],
      quality: scan.fields['quality'],
      xsiType: scan.xsiType,
      note: scan.fields['note'],
      series_description: scan.fields['series_description'],
      insert_date: listTimestamp(scan.inserted.at),
      insert_user: scan.inserted.by,
      URI: `/data/experiments/${session.experimentId}/scans/${scan.scanId}`,
    },
    fields: scan.fields,
    fieldSet: scanFields,
  }))
  const root = rootType(exchange, scanFields, 'xnat:imageScanData')
  const rooted = records.filter((record) => isOfRoot(record, root))
  return listingReply(exchange, rooted, {
    keys: ['xnat_imagescandata_id'],
    defaultColumns: ['xnat_imagescandata_id', 'ID', 'type', 'quality', 'xsiType', 'note', 'series_description'],
    title: 'Scans',
  })
}

// XNAT: the short path and an unknown project run into a null pointer, an unknown subject or session is noticed
// (ScanList.java).
function noSessionToList(exchange: Exchange): HttpFailure {
  const projectName = exchange.params['PROJECT_ID']
  const isNoticed = projectName !== undefined && findProject(exchange, projectName) !== undefined
  return new HttpFailure(isNoticed ? 404 : 500)
}

async function createFromList(exchange: Exchange): Promise<Reply> {
  const session = requireSession(exchange)
  const document = await readDocument(exchange)
  const scanId = exchange.query.get('ID') ?? document?.values.get('ID')
  const xsiType = requireScanType(document?.xsiType ?? exchange.query.get('xsiType'), 'POST')
  requireMayEdit(exchange, session)
  if (scanId !== undefined && findScan(exchange, session, scanId) !== undefined) {
    throw new HttpFailure(409, 'Specified scan already exists.')
  }
  const fields = {
    ...fieldsFromDocument(document?.values ?? new Map(), scanFields),
    ...fieldsFromQuery(exchange.query, scanFields, { isNew: true }),
  }
  const scan = createScan(exchange, session, { scanId, xsiType, fields })
  return createdInList(exchange, scan.scanId)
}

function showScan(exchange: Exchange): Reply {
  return itemReply(exchange, scanItem(exchange.xnat.state, requireScan(exchange).scan))
}

async function putScan(exchange: Exchange): Promise<Reply> {
  const { params, query, xnat } = exchange
  const session = requireSession(exchange)
  const document = await readDocument(exchange)
  const scanId = params['SCAN_ID'] ?? ''
  const present = findScan(exchange, session, scanId)
  const asked = document === undefined ? query.get('xsiType') : (document.xsiType ?? '')
  const xsiType = present !== undefined && asked === undefined ? present.xsiType : requireScanType(asked, 'PUT')
  requireMayEdit(exchange, session)
  if (present !== undefined && present.xsiType !== xsiType) {
    throw new HttpFailure(409, 'Specified xsiType differs from existing xsiType')
  }
  const fields = {
    ...fieldsFromDocument(document?.values ?? new Map(), scanFields),
    ...fieldsFromQuery(query, scanFields, { isNew: present === undefined }),
    // XNAT: the type is applied even when the other query fields are dropped (ScanResource.java).
    ...(query.has('type') && { type: query.get('type') ?? '' }),
  }
  if (present === undefined) createScan(exchange, session, { scanId, xsiType, fields })
  else xnat.state.scans.put({ ...present, fields: { ...present.fields, ...fields } })
  return emptyTextReply()
}

async function deleteScan(exchange: Exchange): Promise<Reply> {
  const { scan, session } = requireScan(exchange)
  if (!canUse(exchange.xnat.state, 'delete', exchange.user, session)) throw new HttpFailure(403)
  await deleteScanData(exchange.xnat, scan, { removeFiles: exchange.query.isTrue('removeFiles') })
  return emptyTextReply()
}

function requireScanType(xsiType: string | undefined, need: 'PUT' | 'POST'): string {
  if (xsiType === undefined) throw new HttpFailure(417, `Need ${need} Contents`)
  if (xsiType === 'xnat:imageScanData') {
    throw new HttpFailure(
      400,
      'Multiple scan modalities can be associated here. Please specify the xsiType of this scan.',
    )
  }
  if (!isScanType(xsiType)) throw new HttpFailure(400, 'Only Scan documents can be PUT to this address.')
  return xsiType
}

function findScan({ xnat }: Exchange, session: Experiment, scanId: string): Scan | undefined {
  return xnat.state.scans.group(session.experimentId).find((scan) => scan.scanId === scanId)
}

function requireScan(exchange: Exchange): { scan: Scan; session: Experiment } {
  const session = findSession(exchange)
  const scan = session && findScan(exchange, session, exchange.params['SCAN_ID'] ?? '')
  if (session === undefined || scan === undefined) throw new HttpFailure(404, 'Unable to find the specified scan.')
  return { scan, session }
}

function requireSession(exchange: Exchange): Experiment {
  const session = findSession(exchange)
  if (session !== undefined) return session
  if (exchange.params['PROJECT_ID'] !== undefined) throw new HttpFailure(404, "Specified image session doesn't exist.")
  throw new HttpFailure(417, 'Specified scan must reference a valid image session.')
}

function requireMayEdit({ xnat, user }: Exchange, session: Experiment): void {
  if (!canUse(xnat.state, 'edit', user, session)) {
    throw new HttpFailure(403, "User account doesn't have permission to modify this session.")
  }
}
