// What XNAT, S3 and the data-access-api answer when they are in trouble: everything that they were told, and more.
import type { Mishap } from './fault-proxy.ts'
import type { Markers } from './markers.ts'

/** Makes the mishap of one request; `echo` holds every marker. */
type Fault = (echo: string) => Mishap

const json = { 'content-type': 'application/json' }
const html = { 'content-type': 'text/html;charset=UTF-8' }
const text = { 'content-type': 'text/plain' }
const answer = (status: number, headers: Record<string, string>, body: string): Mishap => ({
  kind: 'answer',
  status,
  headers,
  body,
})
const page = (words: string) => `<html><head><title>Status page</title></head><body><h3>${words}</h3></body></html>`
/** As Java prints it, and as a message that has lines like those of our own stacks. */
const stack = (echo: string) =>
  `java.lang.IllegalStateException: ${echo}\n\tat org.nrg.xnat.${echo}.run(Archive.java:1)\n    at ${echo} (a.ts:1:1)`
/** A header holds no more than the beginning of it. */
const short = (echo: string) => echo.slice(0, 4_000)

export const xnatFaults: Readonly<Record<string, Fault>> = {
  '401 for want of a right': (echo) => answer(401, text, echo),
  '401 for want of a session': (echo) =>
    answer(401, { ...html, 'www-authenticate': `Basic realm="${short(echo)}"` }, page(echo)),
  '403 page': (echo) => answer(403, html, page(`The user is not allowed to see ${echo}`)),
  '404 page': (echo) => answer(404, html, page(`No such ${echo}`)),
  '409 text': (echo) => answer(409, text, `Session already exists: ${echo}`),
  '400 text': (echo) => answer(400, text, `Illegal label ${echo}`),
  '500 stack trace': (echo) => answer(500, html, page(stack(echo))),
  '503 with advice': (echo) => answer(503, { ...text, 'retry-after': short(echo) }, echo),
  'redirect with a token': (echo) =>
    answer(302, { location: `http://127.0.0.1:9/app/template/Login.vm?a=${short(echo)}&s=${short(echo)}` }, ''),
  'sign-in page': (echo) =>
    answer(200, html, `<!DOCTYPE html><!-- BEGIN screens/Login.vm --><input name="username" value="${echo}">`),
  'JSON of another shape': (echo) =>
    answer(200, json, JSON.stringify({ [echo]: echo, ResultSet: { Result: [{ [echo]: { [echo]: echo } }, echo] } })),
  'JSON that breaks off': (echo) => answer(200, json, `{"ResultSet": {"Result": [${echo}`),
  'no JSON': (echo) => answer(200, text, `${echo}\n    at ${echo} (a.ts:1:1)`),
  'cut connection': () => ({ kind: 'cut-answer' }),
}

const s3Error = (code: string, echo: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${echo}</Message><Key>${echo}</Key></Error>`
const xml = { 'content-type': 'application/xml' }

export const s3Faults: Readonly<Record<string, Fault>> = {
  'no such key': (echo) => answer(404, xml, s3Error('NoSuchKey', echo)),
  'access denied': (echo) => answer(403, xml, s3Error('AccessDenied', echo)),
  'wrong signature': (echo) => answer(403, xml, s3Error('SignatureDoesNotMatch', `AWS4-HMAC-SHA256 ${echo}`)),
  'internal error': (echo) => answer(500, xml, s3Error('InternalError', echo)),
  'an error of its own kind': (echo) => answer(400, xml, s3Error(echo.slice(0, 10), echo)),
  'no XML': (echo) => answer(400, xml, `<${echo}`),
  'a record that is no JSON': (echo) =>
    answer(200, { ...text, etag: '"0123456789abcdef0123456789abcdef"' }, `${echo}\n    at ${echo} (a.ts:1:1)`),
  'a record of another shape': (echo) =>
    answer(
      200,
      { ...json, etag: '"0123456789abcdef0123456789abcdef"' },
      JSON.stringify({ [echo]: echo, projectId: 7 }),
    ),
  'cut connection': () => ({ kind: 'cut-answer' }),
}

export const dataAccessFaults: Readonly<Record<string, Fault>> = {
  '400 that quotes the query': (echo) =>
    answer(400, json, JSON.stringify({ detail: `syntax error at or near ${echo}` })),
  '401 that quotes the key': (echo) => answer(401, json, JSON.stringify({ detail: echo })),
  '403 that quotes the query': (echo) =>
    answer(403, json, JSON.stringify({ detail: `Too few rows: ${echo}`.slice(0, 500) })),
  '422 that quotes the query': (echo) =>
    answer(422, json, JSON.stringify({ detail: [{ loc: ['body', 'query'], msg: echo, input: echo }] })),
  '500 with a traceback': (echo) => answer(500, json, JSON.stringify({ detail: stack(echo) })),
  '503 with advice': (echo) => answer(503, { ...text, 'retry-after': short(echo) }, echo),
  'JSON of another shape': (echo) => answer(200, json, JSON.stringify({ accession_ids: { [echo]: echo } })),
  'no JSON': (echo) => answer(200, json, echo),
  'cut connection': () => ({ kind: 'cut-answer' }),
}

/** A text that holds every marker there is, also where only its beginning is kept. */
export const echoOf = (markers: Markers) => markers.values().join(' ')
