// A cohort query as FLIP's hub sends it in an address: URL-safe base64, with or without padding (flip-contract 2.9).
import { InvalidInputError } from '../errors.ts'

/**
 * Reads it as Python's decoder does: `+` and `/` like `-` and `_`, other characters outside the alphabet are skipped.
 *
 * @throws {InvalidInputError} QUERY_NOT_DECODABLE when a character is missing, or the bytes are no UTF-8.
 */
export function decodeQuery(encoded: string): string {
  const padded = encoded + '='.repeat((4 - (encoded.length % 4)) % 4)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(symbolsOf(padded), 'base64'))
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause
    throw notDecodable(cause)
  }
}

// CPython: binascii.a2b_base64, not strict: padding counts only where a group of four may end.
function symbolsOf(padded: string): string {
  let symbols = ''
  let pads = 0
  for (const character of padded) {
    const place = symbols.length % 4
    if (character === '=') {
      if (place < 2) continue
      pads += 1
      if (place + pads >= 4) return symbols
    } else if (/[A-Za-z0-9+/_-]/.test(character)) {
      symbols += character
      pads = 0
    }
  }
  if (symbols.length % 4 !== 0) throw notDecodable()
  return symbols
}

const notDecodable = (cause?: unknown) =>
  new InvalidInputError('encoded_query is not URL-safe base64 of a text.', { code: 'QUERY_NOT_DECODABLE', cause })
