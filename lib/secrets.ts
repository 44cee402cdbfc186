// What the functions keep secret, read when it is wanted, so that it can change while they run.
import * as z from 'zod'
import type { EnvelopeKeys } from './envelope.ts'
import { ConfigError } from './errors.ts'
import { parseJson } from './json.ts'
import { errorFields, type Logger } from './log.ts'

const text = z.string().min(1)

/** The account that acts in XNAT. */
export const XnatAccount = z.object({ user: text, password: text })
export type XnatAccount = z.infer<typeof XnatAccount>

/** Keys separated by white space: two while one is being changed. The first is the one that we call others with. */
export const ServiceKeys = z.string().transform((keys) => keys.split(/\s+/).filter((key) => key !== ''))

/** AES-256 keys in base64 separated by white space: one, whose id is `shared`, or several as `id:key`; the first seals. */
export const EnvelopeKeyRing = z
  .string()
  .transform((keys) => keys.split(/\s+/).filter((entry) => entry !== ''))
  .transform((entries) =>
    entries.map((entry) => entry.split(':')).map((parts) => (parts.length === 1 ? ['shared', ...parts] : parts)),
  )
  .transform((pairs) => pairs.map(([kid = '', key = '']) => [kid, Buffer.from(key, 'base64')] as const))
  .refine((pairs) => pairs.length > 0 && pairs.every(([kid, key]) => kid !== '' && key.length === 32))
  .transform((pairs): { kid: string; keys: EnvelopeKeys } => ({
    kid: pairs[0]?.[0] ?? '',
    keys: Object.fromEntries(pairs),
  }))
export type EnvelopeKeyRing = z.infer<typeof EnvelopeKeyRing>

/** What the secrets hold in Secrets Manager: JSON of these shapes. */
export const StoredServiceKeys = z.object({ key: ServiceKeys }).transform(({ key }) => key)
export const StoredEnvelopeKeys = z.object({ key: EnvelopeKeyRing }).transform(({ key }) => key)

/** A secret as the settings give it: its value, or where it is stored. */
export type SecretSource<T> = { value: T } | { id: string }

export interface Secret<T> {
  /** The value, at most five minutes old unless it cannot be read. */
  get(): Promise<T>
  /** The value as it is now, for when the one from `get` was refused; at most ten seconds old. */
  renewed(): Promise<T>
}

const restsForMs = 5 * 60_000
/** However often a wrong key is tried, so much lies between two readings. */
const leastRestMs = 10_000

export interface SecretDeps {
  /** The text of a stored secret. */
  read: (id: string) => Promise<string>
  log: Logger
  now?: () => number
}

/**
 * Reads a stored secret at the first `get`, and again from time to time. While it cannot be read anew, what was read last
 * is used, so that no outage of the store becomes one of ours.
 */
export function openSecret<T>(source: SecretSource<T>, schema: z.ZodType<T>, deps: SecretDeps): Secret<T> {
  if ('value' in source) return { get: async () => source.value, renewed: async () => source.value }
  const { read, log, now = Date.now } = deps
  let known: { value: T } | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let reading: Promise<T> | undefined

  const readNow = async (): Promise<T> => {
    askedAt = now()
    try {
      known = { value: parsed(schema, source.id, await read(source.id)) }
    } catch (error) {
      if (known === undefined) throw error
      log.warn('secret not read anew', errorFields(error))
    } finally {
      reading = undefined
    }
    return known.value
  }
  const noOlderThan = (ageMs: number): Promise<T> => {
    if (reading !== undefined) return reading
    if (known !== undefined && now() - askedAt < ageMs) return Promise.resolve(known.value)
    reading = readNow()
    return reading
  }
  return { get: () => noOlderThan(restsForMs), renewed: () => noOlderThan(leastRestMs) }
}

/** @throws {ConfigError} that names the secret and says nothing of its content. */
function parsed<T>(schema: z.ZodType<T>, id: string, stored: string): T {
  const result = schema.safeParse(parseJson(stored))
  if (result.success) return result.data
  throw new ConfigError(`The secret ${id} does not hold what is expected of it`)
}
