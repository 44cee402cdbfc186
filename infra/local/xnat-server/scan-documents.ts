import type { ItemDocument } from './document.ts'
import type { Exchange } from './exchange.ts'
import { fieldsFromDocument, scanFields } from './fields.ts'
import { HttpFailure } from './http-failure.ts'
import type { Experiment, Scan } from './records.ts'
import { isScanType } from './xsi-types.ts'

/** Creates the scans an experiment's document lists. */
export function createScansOf(exchange: Exchange, experiment: Experiment, document: ItemDocument | undefined): void {
  for (const scan of document?.children.get('scans/scan') ?? []) {
    if (scan.xsiType === undefined || !isScanType(scan.xsiType)) throw new HttpFailure(400, 'Unknown scan type')
    createScan(exchange, experiment, {
      scanId: scan.values.get('ID'),
      xsiType: scan.xsiType,
      fields: fieldsFromDocument(scan.values, scanFields),
    })
  }
}

interface NewScan extends Pick<Scan, 'xsiType' | 'fields'> {
  scanId: string | undefined
  /** The next free one unless given. */
  rowId?: number
}

/** XNAT: a scan without an ID gets the next free integer (ScanList.java). */
export function createScan(
  { xnat, user }: Pick<Exchange, 'xnat' | 'user'>,
  session: Experiment,
  { scanId, xsiType, fields, rowId }: NewScan,
): Scan {
  const { state } = xnat
  const taken = new Set(state.scans.group(session.experimentId).map((scan) => scan.scanId))
  let free = 1
  while (taken.has(String(free))) free += 1
  return state.scans.put({
    rowId: rowId ?? state.next('scan'),
    sessionId: session.experimentId,
    scanId: scanId === undefined || scanId === '' ? String(free) : scanId,
    xsiType,
    fields,
    inserted: { at: xnat.now().toISOString(), by: user?.username ?? 'guest' },
  })
}
