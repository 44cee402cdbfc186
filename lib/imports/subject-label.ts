import { createHmac } from 'node:crypto'

/**
 * The label of the subject that a session is put under: a UUID of version 8 (RFC 9562 section 5.8) made from the
 * accession number with the project's secret. The same at every attempt, and nobody who sees it can tell from what.
 */
export function subjectLabelOf(salt: string, accessionNumber: string): string {
  const digest = createHmac('sha256', salt).update(accessionNumber).digest()
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
