// What XNAT's /xapi has in common: Spring's routing, JSON and errors, which are not those of /data
// (XapiRestControllerAdvice.java, XapiRequestMappingAspect.java, SerializerConfig.java).
import * as z from 'zod'
import type { Exchange, Methods } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'
import { isAdmin } from './permissions.ts'
import type { User } from './records.ts'
import { documentReply, type Reply } from './reply.ts'

export interface XapiRoute {
  pattern: RegExp
  /** Whether it answers without a login on a closed site. */
  isOpen: boolean
  methods: Methods
}

/** A whole path, unlike those under /data; `{NAME}` stands for one segment. A slash at the end changes nothing. */
export function xapiRoute(template: string, methods: Methods, options: { isOpen?: boolean } = {}): XapiRoute {
  const pattern = template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return { pattern: new RegExp(`^${pattern}/?$`), isOpen: options.isOpen ?? false, methods }
}

/** JSON as XNAT writes it: nothing for null, and the characters of HTML escaped. */
export function xapiJson(value: unknown, status = 200): Reply {
  const text = JSON.stringify(value, (_, each: unknown) => (each === null ? undefined : each))
  const escaped = text.replace(/[<>&']/g, (character) => `\\u00${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return { ...documentReply('application/json;charset=UTF-8', escaped), status }
}

/** A reply with a status and nothing else; 204 and 304 among them. */
export function bareReply(status: number): Reply {
  return { status, headers: status === 204 || status === 304 ? {} : { 'Content-Length': '0' } }
}

/**
 * The request's JSON. Unknown keys and nulls are left out before the schema sees it.
 *
 * @throws {HttpFailure} 500: XNAT has no 400 for what it cannot read (XapiRestControllerAdvice.java takes the status
 * from the exception's class, which names none).
 */
export async function readJson<T>({ request }: Exchange, schema: z.ZodType<T>): Promise<T> {
  let body = ''
  for await (const chunk of request) body += chunk
  const read = schema.safeParse(withoutNulls(parseJson(body)))
  if (!read.success) throw xapiFailure(500, `Could not read JSON: ${z.prettifyError(read.error)}`)
  return read.data
}

export function xapiFailure(status: number, message: string): HttpFailure {
  return new HttpFailure(status, message, { voice: message === '' ? 'empty' : 'plain' })
}

/** An exception without a handler of its own (XapiRestControllerAdvice.java handleThrowable). */
export function requestFailure(status: number, message: string): HttpFailure {
  return xapiFailure(status, `There was an error in the request : ${message}`)
}

/** A whole number in a path; anything else is a failed conversion, which is 500. */
export function pathNumber({ params }: Exchange, name: string): number {
  const text = params[name] ?? ''
  if (!/^-?\d+$/.test(text)) throw requestFailure(500, `For input string: "${text}"`)
  return Number(text)
}

/** The user who asks. A guest gets here on an open site only. */
export function requireUser({ user }: Exchange): User {
  if (user === undefined) throw forbidden()
  return user
}

export function requireAdmin(exchange: Exchange): User {
  const user = requireUser(exchange)
  if (!isAdmin(user)) throw forbidden()
  return user
}

/** 403 with an empty body, or with the default of the handler's primitive return type: `false`, `0`. */
export function forbidden(body = ''): HttpFailure {
  return xapiFailure(403, body)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw xapiFailure(500, `Could not read JSON: ${error.message}`)
    throw error
  }
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]: [string, unknown]) =>
      each === null ? [] : [[key, withoutNulls(each)]],
    ),
  )
}
