// Sends studies to XNAT's import service, and looks what was made of them.
import { expect } from 'vitest'
import type { Role } from '../conformance/accounts.ts'
import { type SentFile, study, zipped } from './dicom-studies.ts'
import type { Answer, SendOptions } from './plain-http.ts'

export interface SendAs extends SendOptions {
  as?: Role
}

export interface ImportOptions extends SendAs {
  type?: string
}

/** An XNAT that is spoken to as this or that user. */
export interface Sender {
  send(what: string, options?: SendAs): Promise<Answer>
}

/** Sends an archive to the import service. `query` comes after the handler. */
export async function importing(
  site: Sender,
  query: string,
  body: Buffer | readonly SentFile[],
  { type = 'application/zip', ...options }: ImportOptions = {},
): Promise<Answer> {
  const bytes = Buffer.isBuffer(body) ? body : await zipped(body)
  const handler = query.includes('import-handler=') ? '' : 'import-handler=DICOM-zip&'
  const headers = { 'content-type': type, ...options.headers }
  return site.send(`POST /data/services/import?${handler}${query}`, { ...options, body: bytes, headers })
}

/** Imports and returns the one address of the answer, without its line end. */
export async function imported(
  site: Sender,
  query: string,
  body: Buffer | readonly SentFile[] = study(),
): Promise<string> {
  const answer = await importing(site, query, body)
  expect(answer.status, answer.text).toBe(200)
  expect(answer.text).toMatch(/^\S+\r\n$/)
  return answer.text.trim()
}

export async function prearchived(site: Sender, project: string): Promise<Record<string, string>[]> {
  const rows = (await site.send(`GET /data/prearchive/projects/${project}?format=json`)).rows()
  return rows.filter((row) => row['project'] === project)
}

/** How many files each scan of an archived session holds, by scan ID. */
export async function scanFiles(site: Sender, project: string, label: string): Promise<Record<string, number>> {
  const session = `/data/projects/${project}/experiments/${label}`
  const item = (await site.send(`GET ${session}?format=json`)).json() as { items: { data_fields: { ID: string } }[] }
  const scans = `/data/experiments/${item.items[0]?.data_fields.ID}/scans`
  const counts: Record<string, number> = {}
  for (const { ID = '' } of (await site.send(`GET ${scans}?format=json`)).rows()) {
    counts[ID] = (await site.send(`GET ${scans}/${ID}/files?format=json`)).rows().length
  }
  return counts
}
