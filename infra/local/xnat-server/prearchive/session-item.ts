// A built session as XNAT writes it to the XML file beside its folder.
import type { Item } from '../item.ts'
import { javaDate } from '../timestamps.ts'
import type { PrearchiveEntry, SessionDocument } from './entry.ts'

export function sessionItem(entry: PrearchiveEntry, document: SessionDocument): Item {
  const startedAt = new Date(entry.uploadedMs).toISOString()
  const meta = (xsiType: string) => ({
    isHistory: false as const,
    'xsi:type': xsiType,
    start_date: javaDate(startedAt),
  })
  const scans = document.scans.map(({ scanId, xsiType, fields }) => ({
    meta: meta(xsiType),
    data_fields: { ID: scanId, ...fields },
    children: [],
  }))
  return {
    meta: meta(document.xsiType),
    data_fields: {
      ID: '',
      ...(entry.projectId !== undefined && { project: entry.projectId }),
      label: entry.name,
      subject_ID: entry.subject,
      ...document.fields,
    },
    children: [{ field: 'scans/scan', items: scans }],
  }
}
