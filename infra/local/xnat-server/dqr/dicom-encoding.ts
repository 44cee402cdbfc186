// Data elements in the two little-endian encodings, as far as headers of images need them (DICOM PS3.5 7.1).

export interface Element {
  /** `0x00100010` */
  tag: number
  vr: string
  value: string | number | Buffer
}

// DICOM PS3.5 7.1.2: these have two reserved bytes and a length of 32 bits in the explicit encoding.
const longVrs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])

export function encodeElement({ tag, vr, value }: Element, options: { isImplicit: boolean }): Buffer {
  const { isImplicit } = options
  const bytes = encodeValue(vr, value)
  const isLong = !isImplicit && longVrs.has(vr)
  const header = Buffer.alloc(isLong ? 12 : 8)
  header.writeUInt16LE(tag >>> 16, 0)
  header.writeUInt16LE(tag & 0xffff, 2)
  if (isImplicit) {
    header.writeUInt32LE(bytes.length, 4)
  } else {
    header.write(vr, 4, 'latin1')
    if (isLong) header.writeUInt32LE(bytes.length, 8)
    else header.writeUInt16LE(bytes.length, 6)
  }
  return Buffer.concat([header, bytes])
}

/** A dataset in the explicit encoding. */
export function encodeElements(elements: readonly Element[]): Buffer {
  const sorted = elements.toSorted((one, other) => one.tag - other.tag)
  return Buffer.concat(sorted.map((element) => encodeElement(element, { isImplicit: false })))
}

/** Of even length: UIDs are padded with a zero, other texts with a space. Numbers are US or UL. */
function encodeValue(vr: string, value: string | number | Buffer): Buffer {
  if (Buffer.isBuffer(value)) return value
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(vr === 'UL' ? 4 : 2)
    bytes.writeUIntLE(value, 0, bytes.length)
    return bytes
  }
  const bytes = Buffer.from(value)
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(vr === 'UI' ? '\0' : ' ')])
}
