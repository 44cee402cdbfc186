// The checksums of the S3 API: running values while a body flows, and their sum over the parts of an upload.
import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Crc32c, Crc64Nvme, combineCrc, crc32cPolynomial, crc64NvmePolynomial, type Polynomial } from './crc.ts'
import { S3Error } from './s3-error.ts'

export const checksumAlgorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number]
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

export interface Checksum {
  algorithm: ChecksumAlgorithm
  type: ChecksumType
  /** Base64 of the big-endian value; a composite one ends in `-<parts>`. */
  value: string
}

export interface RunningChecksum {
  update(chunk: Buffer): void
  digest(): Buffer
}

export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  if (algorithm === 'crc32') return new Crc32()
  if (algorithm === 'crc32c') return new Crc32c()
  if (algorithm === 'crc64nvme') return new Crc64Nvme()
  return new CryptoChecksum(algorithm)
}

/** @returns undefined for a name that is none of the five; upper and lower case are the same. */
export function findAlgorithm(name: string): ChecksumAlgorithm | undefined {
  const lower = name.toLowerCase()
  return checksumAlgorithms.find((algorithm) => algorithm === lower)
}

export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = findAlgorithm(name)
  if (algorithm === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    )
  }
  return algorithm
}

const byteLengths = { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 } as const

/** @throws {S3Error} InvalidRequest when the text cannot be a value of that algorithm. */
export function assertChecksumValue(algorithm: ChecksumAlgorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== byteLengths[algorithm] || bytes.toString('base64') !== value) {
    throw new S3Error('InvalidRequest', `Value for x-amz-checksum-${algorithm} header is invalid.`)
  }
}

class Crc32 implements RunningChecksum {
  #value = 0
  update(chunk: Buffer): void {
    this.#value = crc32(chunk, this.#value)
  }
  digest(): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(this.#value)
    return bytes
  }
}

class CryptoChecksum implements RunningChecksum {
  readonly #hash: Hash
  constructor(algorithm: 'sha1' | 'sha256') {
    this.#hash = createHash(algorithm)
  }
  update(chunk: Buffer): void {
    this.#hash.update(chunk)
  }
  digest(): Buffer {
    return this.#hash.digest()
  }
}

// S3: CRC64NVME is a full-object checksum only, the SHA family composite only; composite is the default of the rest
// ("Checking object integrity" in the user guide).
export function multipartChecksumType(algorithm: ChecksumAlgorithm, asked: string | undefined): ChecksumType {
  const type = asked ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE')
  const isAllowed =
    type === 'FULL_OBJECT' ? algorithm.startsWith('crc') : type === 'COMPOSITE' && algorithm !== 'crc64nvme'
  if (!isAllowed) {
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm.toUpperCase()} checksum algorithm.`,
    )
  }
  return type === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE'
}

/** What the whole of an upload has, worked out from its parts without reading them again. */
export function sumPartChecksums(
  kind: { algorithm: ChecksumAlgorithm; type: ChecksumType },
  parts: readonly { value: string; sizeBytes: number }[],
): Checksum {
  const values = parts.map((part) => Buffer.from(part.value, 'base64'))
  if (kind.type === 'COMPOSITE') {
    const sum = startChecksum(kind.algorithm)
    for (const value of values) sum.update(value)
    return { ...kind, value: `${sum.digest().toString('base64')}-${parts.length}` }
  }
  const polynomial = polynomials[kind.algorithm]
  if (polynomial === undefined) throw new TypeError(`${kind.algorithm} has no full-object sum`)
  const total = parts.reduce((left, part) => combineCrc(polynomial, left, toInteger(part.value), part.sizeBytes), 0n)
  const hex = total.toString(16).padStart(polynomial.bits / 4, '0')
  return { ...kind, value: Buffer.from(hex, 'hex').toString('base64') }
}

const toInteger = (base64: string) => BigInt(`0x${Buffer.from(base64, 'base64').toString('hex')}`)

const polynomials: Partial<Record<ChecksumAlgorithm, Polynomial>> = {
  crc32: { bits: 32, reflected: 0xedb88320n },
  crc32c: crc32cPolynomial,
  crc64nvme: crc64NvmePolynomial,
}
