// What a POST says: in its query, in a form, or in a JSON object (SecureResource.java loadBodyVariables, loadParams).
import type { Exchange } from './exchange.ts'
import { HttpFailure } from './http-failure.ts'
import { parseJson } from './json.ts'
import { Query } from './query.ts'
import { mediaType } from './upload-body.ts'

export type Parameters = Query

const maxBodyBytes = 1024 * 1024

/** Of two the query's is read, which XNAT reads last. */
export async function readParameters({ request, query }: Exchange): Promise<Parameters> {
  const body = await readText(request)
  const fields = body === '' ? [] : mediaType(request) === 'application/json' ? jsonFields(body) : formFields(body)
  const search = request.url?.split('?')[1] ?? ''
  return fields.length === 0 ? query : new Query(`${search}&${new URLSearchParams(fields)}`)
}

async function readText(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > maxBodyBytes) throw new HttpFailure(413)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8').trim()
}

function formFields(body: string): [string, string][] {
  return body.startsWith('{') ? jsonFields(body) : [...new URLSearchParams(body)]
}

// XNAT: what is no JSON is noted in its log and passed over.
function jsonFields(body: string): [string, string][] {
  const value = parseJson(body)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).map(([name, each]) => [name, String(each)])
}
