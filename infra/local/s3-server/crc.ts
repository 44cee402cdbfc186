// CRC-32C and CRC-64/NVME, which Node does not have, and the sum of two CRCs without their data.

export interface Polynomial {
  bits: 32 | 64
  /** The generator with its bits in reverse order, as the reflected CRCs use it. */
  reflected: bigint
}

export const crc32cPolynomial: Polynomial = { bits: 32, reflected: 0x82f63b78n }
export const crc64NvmePolynomial: Polynomial = { bits: 64, reflected: 0x9a6c9329ac4bc9b5n }

export class Crc32c {
  #value = 0xffffffff

  update(chunk: Buffer): void {
    let value = this.#value
    for (const byte of chunk) value = at(crc32cTable, (value ^ byte) & 0xff) ^ (value >>> 8)
    this.#value = value
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(~this.#value >>> 0)
    return bytes
  }
}

/** Kept as two halves: BigInt arithmetic per byte would be some hundred times slower. */
export class Crc64Nvme {
  #high = 0xffffffff
  #low = 0xffffffff

  update(chunk: Buffer): void {
    let high = this.#high
    let low = this.#low
    for (const byte of chunk) {
      const index = (low ^ byte) & 0xff
      low = at(crc64Low, index) ^ ((low >>> 8) | (high << 24))
      high = at(crc64High, index) ^ (high >>> 8)
    }
    this.#high = high
    this.#low = low
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(~this.#high >>> 0)
    bytes.writeUInt32BE(~this.#low >>> 0, 4)
    return bytes
  }
}

/** The CRC of `left` followed by `right`, where `right` came from `rightBytes` bytes. */
export function combineCrc(polynomial: Polynomial, left: bigint, right: bigint, rightBytes: number): bigint {
  return multiply(polynomial, left, shiftOperator(polynomial, rightBytes)) ^ right
}

/** x to the power of 8 * bytes, modulo the polynomial: what appending that many zero bytes multiplies a CRC by. */
function shiftOperator(polynomial: Polynomial, bytes: number): bigint {
  const one = 1n << BigInt(polynomial.bits - 1)
  let result = one
  let power = one >> 8n
  for (let left = BigInt(bytes); left > 0n; left >>= 1n) {
    if (left & 1n) result = multiply(polynomial, result, power)
    power = multiply(polynomial, power, power)
  }
  return result
}

/** Product of two polynomials in reflected order (the highest bit is x^0), modulo the generator. */
function multiply(polynomial: Polynomial, a: bigint, b: bigint): bigint {
  let product = 0n
  let factor = b
  for (let bit = BigInt(polynomial.bits - 1); bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= factor
    factor = factor & 1n ? (factor >> 1n) ^ polynomial.reflected : factor >> 1n
  }
  return product
}

function byteTable({ reflected }: Polynomial): bigint[] {
  return Array.from({ length: 256 }, (_none, byte) => {
    let value = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ reflected : value >> 1n
    return value
  })
}

const at = (table: Int32Array, index: number) => table[index] ?? 0

const crc32cTable = Int32Array.from(byteTable(crc32cPolynomial), (value) => Number(BigInt.asIntN(32, value)))
const crc64Table = byteTable(crc64NvmePolynomial)
const crc64Low = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value)))
const crc64High = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value >> 32n)))
