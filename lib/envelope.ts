// FLIP's sealed values: AES-256-GCM in a JSON envelope in base64 (flip-contract section 3).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import * as z from 'zod'
import { InvalidInputError } from './errors.ts'
import { parseJson } from './json.ts'

/** Keys of 32 bytes by their id (`kid`). More than one while a key is being changed. */
export type EnvelopeKeys = Readonly<Record<string, Buffer>>

const nonceBytes = 12
const tagBytes = 16

const Envelope = z.object({ v: z.number(), kid: z.string(), iv: z.base64(), ct: z.base64() })

/**
 * Seals a text so that whoever shares the key `kid` can open it for the same use. `context` names the use
 * (`project_id`, `xnat_setup_path`): what was sealed for one cannot be opened for another.
 */
export function seal(text: string, options: { keys: EnvelopeKeys; kid: string; context: string }): string {
  const { keys, kid, context } = options
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(keys, kid), nonce).setAAD(additionalData(kid, context))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  // Spaces as Python's json writes them: FLIP's own readers take any layout, its logs and tests show this one.
  const json = `{"v": 1, "kid": ${JSON.stringify(kid)}, "iv": "${nonce.toString('base64')}", "ct": "${sealed.toString('base64')}"}`
  return Buffer.from(json).toString('base64')
}

/**
 * Opens what was sealed for this use.
 *
 * @throws {InvalidInputError} ENVELOPE_NOT_AUTHENTIC when the key, the use or the content is not what was sealed;
 * ENVELOPE_NOT_VALID, with FLIP's words for the reason, when it is no envelope that could be opened at all.
 */
export function open(envelope: string, options: { keys: EnvelopeKeys; context: string }): string {
  const { kid, iv, ct } = parseEnvelope(envelope)
  const key = Object.hasOwn(options.keys, kid) ? options.keys[kid] : undefined
  if (key === undefined) throw notValid('No key registered for this kid')
  const nonce = Buffer.from(iv, 'base64')
  if (nonce.length !== nonceBytes) throw notValid(`Nonce must be ${nonceBytes} bytes, got ${nonce.length}`)
  const sealed = Buffer.from(ct, 'base64')
  if (sealed.length < tagBytes) throw notAuthentic()
  const opened = decrypted(sealed, key, nonce, additionalData(kid, options.context))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(opened)
  } catch (cause) {
    throw notValid('The opened bytes are not text', cause)
  }
}

function decrypted(sealed: Buffer, key: Buffer, nonce: Buffer, authenticated: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(authenticated).setAuthTag(sealed.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()])
  } catch (cause) {
    throw notAuthentic(cause)
  }
}

function parseEnvelope(envelope: string): z.infer<typeof Envelope> {
  const text = z.base64().min(1).safeParse(envelope)
  const parsed = text.success ? Envelope.safeParse(parseJson(Buffer.from(text.data, 'base64').toString('utf8'))) : text
  if (!parsed.success || typeof parsed.data === 'string') throw notValid('Payload is not a FLIP encryption envelope')
  if (parsed.data.v !== 1) throw notValid(`Unsupported payload version: ${parsed.data.v}`)
  return parsed.data
}

function keyOf(keys: EnvelopeKeys, kid: string): Buffer {
  const key = keys[kid]
  if (key === undefined) throw new Error(`there is no key ${kid} to seal with`)
  return key
}

const additionalData = (kid: string, context: string) => Buffer.from(`FLIP|v1|${kid}|${context}`)
const notValid = (reason: string, cause?: unknown) =>
  new InvalidInputError(reason, { code: 'ENVELOPE_NOT_VALID', cause })
const notAuthentic = (cause?: unknown) =>
  new InvalidInputError('The envelope failed authentication', { code: 'ENVELOPE_NOT_AUTHENTIC', cause })
