import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { containerPage, type HttpFailure, statusPage } from './http-failure.ts'

export interface Reply {
  status: number
  headers: Record<string, string>
  cookies?: readonly string[]
  /** A function opens its stream only when the body is really sent, so that HEAD opens nothing. */
  body?: string | Buffer | (() => Readable)
}

export function emptyReply(status = 200): Reply {
  return { status, headers: { 'Content-Length': '0' } }
}

/** XNAT answers uploads and project changes with an empty entity typed as text. */
export function emptyTextReply(): Reply {
  return { status: 200, headers: { 'Content-Type': 'text/plain', 'Content-Length': '0' } }
}

// Restlet: string bodies are ISO-8859-1 unless told otherwise (org/restlet/resource/StringRepresentation.java).
export function textReply(text: string, status = 200): Reply {
  const body = Buffer.from(text, 'latin1')
  return {
    status,
    headers: { 'Content-Type': 'text/plain;charset=ISO-8859-1', 'Content-Length': String(body.length) },
    body,
  }
}

/** A generated document. XNAT streams these, so there is no Content-Length. */
export function documentReply(contentType: string, body: string): Reply {
  return { status: 200, headers: { 'Content-Type': contentType }, body }
}

export function jsonReply(value: unknown): Reply {
  return documentReply('application/json', JSON.stringify(value))
}

export function failureReply(failure: HttpFailure): Reply {
  if (failure.voice === 'empty')
    return { ...emptyReply(failure.status), headers: { ...failure.headers, 'Content-Length': '0' } }
  const [contentType, body] =
    failure.voice === 'restlet'
      ? ['text/html;charset=ISO-8859-1', statusPage(failure.status, failure.message)]
      : failure.voice === 'container'
        ? ['text/html;charset=utf-8', containerPage(failure.status, failure.message)]
        : ['text/plain;charset=UTF-8', failure.message]
  return { status: failure.status, headers: { 'Content-Type': contentType, ...failure.headers }, body }
}

/** Sends head and body. A source that breaks half-way breaks the connection, as in a servlet container. */
export async function sendReply(response: ServerResponse, reply: Reply, options: { head: boolean }): Promise<void> {
  for (const [name, value] of Object.entries(reply.headers)) response.setHeader(name, value)
  if (reply.cookies !== undefined && reply.cookies.length > 0) response.setHeader('Set-Cookie', [...reply.cookies])
  response.writeHead(reply.status)
  if (options.head || reply.body === undefined) {
    response.end()
  } else if (typeof reply.body === 'function') {
    await pipeline(reply.body(), response)
  } else {
    response.end(reply.body)
  }
}
