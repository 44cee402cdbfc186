import { S3Error } from './s3-error.ts'

/** `end` is exclusive. */
export interface ByteRange {
  start: number
  end: number
}

/**
 * The one range a Range header asks for. Undefined, which means the whole object, for a header that cannot be read
 * and for several ranges: S3 sends one range at most.
 *
 * @throws {S3Error} InvalidRange when nothing of the object lies in it.
 */
export function parseRange(header: string, sizeBytes: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/u.exec(header.trim()) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const range =
    first === ''
      ? { start: Math.max(0, sizeBytes - Number(last)), end: sizeBytes }
      : { start: Number(first), end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) }
  if (range.start >= range.end) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      RangeRequested: header,
      ActualObjectSize: String(sizeBytes),
    })
  }
  return range
}

export const contentRange = ({ start, end }: ByteRange, sizeBytes: number) => `bytes ${start}-${end - 1}/${sizeBytes}`
