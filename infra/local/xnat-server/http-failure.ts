import { STATUS_CODES } from 'node:http'

/** Which part of the server speaks: XNAT's REST layer, the servlet container in front of it, or this stand-in. */
type Voice = 'restlet' | 'container' | 'plain' | 'empty'

/** Thrown anywhere below a route; the server turns it into the page XNAT would send. */
export class HttpFailure extends Error {
  readonly status: number
  readonly voice: Voice
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    message?: string,
    options: { voice?: Voice; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message ?? defaultSentence(status), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HttpFailure'
    this.status = status
    this.voice = options.voice ?? 'restlet'
    this.headers = options.headers ?? {}
  }
}

/** The stand-in does not know this request: refused, so that no test passes by accident. */
export function notCovered(method: string, path: string): HttpFailure {
  return new HttpFailure(501, `The stand-in XNAT does not cover ${method} ${path}`, { voice: 'plain' })
}

// Restlet: StatusFilter makes this page for every error without a body of its own (com/noelios/restlet/StatusFilter.java).
export function statusPage(status: number, message: string): string {
  return (
    `<html>\n<head>\n   <title>Status page</title>\n</head>\n<body>\n<h3>${message}</h3>` +
    `<p>You can get technical details <a href="${detailsLink(status)}">here</a>.<br>\n` +
    'Please continue your visit at our <a href="/">home page</a>.\n</p>\n</body>\n</html>\n'
  )
}

export function containerPage(status: number, message: string): string {
  const title = `HTTP Status ${status} – ${STATUS_CODES[status] ?? 'Unknown'}`
  return (
    `<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1>` +
    `<p><b>Type</b> Status Report</p><p><b>Message</b> ${message}</p></body></html>`
  )
}

const sentences: Record<number, string> = {
  400: 'The request could not be understood by the server due to malformed syntax',
  401: 'The request requires user authentication',
  403: 'The server understood the request, but is refusing to fulfill it',
  404: 'The server has not found anything matching the request URI',
  405: 'The method specified in the request is not allowed for the resource identified by the request URI',
  406: 'The resource identified by the request is only capable of generating response entities which have content characteristics not acceptable according to the accept headers sent in the request',
  409: 'The request could not be completed due to a conflict with the current state of the resource',
  415: 'The server is refusing to service the request because the entity of the request is in a format not supported by the requested resource for the requested method',
  417: 'The expectation given in the request header could not be met by this server',
  422: 'The server understands the content type of the request entity and the syntax of the request entity is correct but was unable to process the contained instructions',
  500: 'The server encountered an unexpected condition which prevented it from fulfilling the request',
  501: 'The server does not support the functionality required to fulfill the request',
}

function defaultSentence(status: number): string {
  return sentences[status] ?? STATUS_CODES[status] ?? `Status ${status}`
}

function detailsLink(status: number): string {
  if (status === 422) return 'http://www.webdav.org/specs/rfc2518.html#STATUS_422'
  const section = `10.${Math.floor(status / 100)}.${(status % 100) + 1}`
  return `http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec${section}`
}
