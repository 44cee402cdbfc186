// What the calls on subjects, experiments, scans and assessors have in common.
import type * as z from 'zod'
import { XnatError } from '../errors.ts'
import type { Call } from './call.ts'
import type { XnatClient } from './client.ts'
import { type Item, ItemReply } from './item.ts'
import type { XnatPath } from './path.ts'

export type EnsureOutcome = 'created' | 'already-there'

// XNAT: PUT of a subject, experiment or assessor is 201 when new and 200 when it was there; the body is its ID
// (RES/SubjectResource.java, RES/SubjAssessmentResource.java).
export async function putRecord(client: XnatClient, call: Call): Promise<{ kind: EnsureOutcome; id: string }> {
  const { status, text } = await client.send(call)
  const id = text.trim().split('/').at(-1) ?? ''
  if (id === '') throw unexpected(call.method, call.path, status)
  return { kind: status === 201 ? 'created' : 'already-there', id }
}

/**
 * A listing below records that may not exist, outermost first.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when one of them does not.
 */
export async function listBelow<S extends z.ZodType>(
  client: XnatClient,
  records: readonly XnatPath[],
  schema: S,
  call: Call,
): Promise<z.output<S>> {
  try {
    return await client.json(schema, { ...call, idempotent: false })
  } catch (error) {
    if (!(error instanceof XnatError) || error.retry === 'never') throw error
    // XNAT: below an experiment or scan that is not there listings fail with 500 (RES/ScanList.java,
    // RES/files/FileList.java), so each is asked for by itself before the listing is tried again.
    if (error.status === 500) {
      for (const path of records) {
        await client.json(ItemReply, { method: 'GET', path, query: { format: 'json' }, signal: call.signal })
      }
    }
    return client.json(schema, call)
  }
}

/** A field without which a record is none. */
export function required(item: Item, field: string, path: XnatPath): string {
  const value = item.fields[field]
  if (value === undefined) throw unexpected('GET', path, 200)
  return value
}

function unexpected(method: string, path: XnatPath, status: number): XnatError {
  return new XnatError({ code: 'XNAT_UNEXPECTED_REPLY', method, pathTemplate: path.template, status })
}
