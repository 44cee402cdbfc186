import { XnatError, type XnatErrorCode } from '../errors.ts'
import { retryAfterMs } from '../retry.ts'
import { type Call, headerValue, type ReplyHeaders } from './call.ts'
import type { Login } from './login.ts'

const maxDetailLength = 200

/** What is known of an answer before its body is of interest. `html` is set when the body turned out to be a page. */
export interface AnswerHead {
  status: number
  headers: ReplyHeaders
  html: string | undefined
}

/**
 * Whether XNAT answered someone who is not signed in. It says so in five ways: 401; a redirect to its own pages; the
 * login page as a success; and, on sites open to guests, a guest's answer, which brings a session of its own.
 */
export function isNotLoggedIn(answer: AnswerHead, login: Login | undefined): boolean {
  if (answer.status === 401) return !isLackOfRight(answer)
  // XNAT: browsers are sent to Login.vm; an expired password or a disabled account to other pages of the same folder
  // (WEB/security/XnatAuthenticationEntryPoint.java, WEB/security/XnatExpiredPasswordFilter.java).
  if (answer.status === 302 && (headerValue(answer.headers, 'location') ?? '').includes('/app/template/')) return true
  if (isSuccess(answer.status) && answer.html !== undefined && isLoginPage(answer.html)) return true
  // XNAT: an answer sets JSESSIONID only when the request came without a valid one
  // (W/security/XnatExpiredPasswordFilter.java), so a new one means that ours was not honoured.
  const given = sessionCookie(answer.headers)
  return login !== undefined && given !== undefined && given !== login.jsessionId
}

// XNAT: Container and Event Service answer 401 with a sentence to those who are signed in and lack a right, and without
// WWW-Authenticate, which comes with every 401 for want of a session (ContainerServicePermissionUtils.java,
// EventServiceImpl.java).
function isLackOfRight({ status, headers }: Pick<AnswerHead, 'status' | 'headers'>): boolean {
  const contentType = headerValue(headers, 'content-type') ?? ''
  return status === 401 && headers['www-authenticate'] === undefined && contentType.startsWith('text/plain')
}

// XNAT: the login page carries the comment `BEGIN xnat-templates/screens/Login.vm` and asks for `username`/`password`.
function isLoginPage(html: string): boolean {
  return /screens\/Login\.vm|\bname="?(?:j_)?username\b/i.test(html)
}

export function sessionCookie(headers: ReplyHeaders): string | undefined {
  const cookies = headers['set-cookie']
  for (const cookie of typeof cookies === 'string' ? [cookies] : (cookies ?? [])) {
    const value = /^JSESSIONID=([^;]+)/.exec(cookie)?.[1]
    if (value !== undefined) return value.replaceAll('"', '')
  }
  return undefined
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** Whether a body may be a page meant for people, to be looked at before it is handed on. Attached files are files. */
export function mayBePage({ status, headers }: { status: number; headers: ReplyHeaders }): boolean {
  return (
    isSuccess(status) &&
    (headerValue(headers, 'content-type') ?? '').toLowerCase().startsWith('text/html') &&
    headerValue(headers, 'content-disposition') === undefined
  )
}

export function looksLikeHtml(text: string): boolean {
  return /^\s*<(?:!doctype|html|head|body|!--)/i.test(text)
}

/** The error that an answer stands for. `body` is what XNAT wrote under it. */
export function errorFromAnswer(
  call: Call,
  answer: { status: number; headers: ReplyHeaders },
  body: string,
  now: number,
): XnatError {
  return new XnatError({
    code: isLackOfRight(answer) ? 'XNAT_FORBIDDEN' : codeOf(answer.status),
    method: call.method,
    pathTemplate: call.path.template,
    status: answer.status,
    detail: detailOf(body),
    retryAfterMs: retryAfterMs(headerValue(answer.headers, 'retry-after'), now),
  })
}

const codes: Readonly<Record<number, XnatErrorCode>> = {
  401: 'XNAT_UNAUTHORIZED',
  403: 'XNAT_FORBIDDEN',
  404: 'XNAT_NOT_FOUND',
  409: 'XNAT_CONFLICT',
  429: 'XNAT_BUSY',
  503: 'XNAT_BUSY',
}

function codeOf(status: number): XnatErrorCode {
  const code = codes[status]
  if (code !== undefined) return code
  if (status >= 500) return 'XNAT_UNREACHABLE'
  return status >= 400 ? 'XNAT_REFUSED' : 'XNAT_UNEXPECTED_REPLY'
}

/**
 * XNAT's own words: what stands in `<h3>` of its status page, or a short plain text.
 */
export function detailOf(body: string): string | undefined {
  const heading = /<h3>([\s\S]*?)<\/h3>/i.exec(body)?.[1]
  const words = heading ?? (looksLikeHtml(body) ? body.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ') : body)
  const text = words.replace(/\s+/g, ' ').trim()
  if (text === '') return undefined
  return text.length <= maxDetailLength ? text : `${text.slice(0, maxDetailLength - 1)}…`
}
