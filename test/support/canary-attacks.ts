// Requests that are wrong in every field, and errors that nobody foresaw, full of markers.
import type { Wired } from '../../lib/wire.ts'
import { type ApiRequest, documented, fieldsOf, Parts, replaced, requestOf } from './api-requests.ts'
import { partsWith } from './canary-labels.ts'
import type { Site } from './canary-scenarios.ts'

/** XNAT's IDs of projects may be told. */
const isTold = (field: unknown) => field === 'project_id' || field === 'projectId'

/** Each documented route with each field holding what it cannot mean, or what is nowhere; and with no key, or no JSON. */
export function* wrongRequests({ rig, labels, projectId }: Site): Generator<{ route: string; request: ApiRequest }> {
  const { stray } = labels
  const headers = rig.keyHeaders
  const values = [stray, `${stray}../%00<&">\n${stray}`, `${stray}@example.org`, stray.repeat(1_000)]
  const kinds = [[stray], { [stray]: stray }, 17]
  const envelope = { v: 1, kid: stray, iv: stray, ct: stray }
  for (const route of documented) {
    const parts = partsWith(route, labels, { projectId, run: 0 })
    const request = requestOf(route, parts)
    const named = (wrong: ApiRequest) => ({ route: route.operationId, request: wrong })
    yield named({ ...request, headers: {} })
    yield named({ ...request, headers: { 'x-trust-internal-service-key': stray } })
    if (request.body !== undefined) {
      yield named({ ...request, headers, body: `{"${stray}": ${stray}` })
      yield named({ ...request, headers, body: JSON.stringify(stray) })
      yield named({ ...request, headers, body: JSON.stringify({ [stray]: stray }) })
      yield named({ ...request, headers, body: JSON.stringify(stray.repeat(200_000)) })
    }
    for (const place of fieldsOf(parts)) {
      const field = place.findLast((step) => typeof step === 'string')
      const sealedWrongly = Buffer.from(JSON.stringify(envelope)).toString('base64')
      const texts = [...values, ...(field === 'encrypted_central_hub_project_id' ? [sealedWrongly] : [])]
      for (const value of place[0] === 'body' ? [...texts, ...kinds] : texts) {
        if (isTold(field) && value === stray) continue
        yield named({ ...requestOf(route, Parts.parse(replaced(parts, place, value))), headers })
      }
    }
    // What is made twice is in its own way.
    if (route.method === 'POST') yield* [named({ ...request, headers }), named({ ...request, headers })]
  }
  for (const method of ['GET', 'PATCH']) {
    yield { route: 'none', request: { method, path: `/${stray}`, headers } }
    yield { route: 'none', request: { method, path: `/projects/${projectId}/experiment/${stray}`, headers } }
    yield { route: 'none', request: { method, path: `/projects/${projectId}/${stray}`, query: { a: stray }, headers } }
  }
}

/** Errors as they come from code that is not ours. */
export const unforeseen: Readonly<Record<string, (words: string) => unknown>> = {
  'a type error': (words) => new TypeError(`Cannot read properties of undefined (reading '${words}')`),
  'an error with fields': (words) => Object.assign(new Error(words), { detail: words, input: words, path: words }),
  'an error that is called by what a server said': (words) =>
    Object.assign(new Error('x'), { name: words.slice(0, 200) }),
  'an error with causes': (words) => new AggregateError([new Error(words)], words, { cause: new Error(words) }),
  'an error whose message was changed': (words) => Object.assign(new Error(words), { message: 'another' }),
  'no error at all': (words) => ({ message: words, toString: () => words }),
  'a text': (words) => words,
}

/** Parts of which each throws at whatever it is asked to do. */
export function brokenParts(wired: Wired, makeError: () => unknown): Wired {
  const part = new Proxy(Object.create(null), {
    get: () => () => {
      throw makeError()
    },
  })
  const source = { queue: part, deadLetters: part }
  return {
    ...wired,
    ...{ xnat: part, incoming: part, state: part, images: part, dataAccess: part },
    ...{ uploads: source, deliveries: source, imports: source, studies: source, exports: source },
    deadLetters: { uploads: part, deliveries: part, imports: part, studies: part, exports: part },
  }
}
