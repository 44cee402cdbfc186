// Several studies that are downloaded for one request: which they are. How each stands is told by its own job.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { InvalidInputError } from '../errors.ts'
import { StudyPart } from './tree.ts'

export const ExportId = z.string().regex(/^[0-9a-f]{32}$/)

const ExportRecord = z.object({
  net: z.string(),
  hubProjectId: z.string(),
  part: StudyPart,
  accessions: z.array(z.string()).min(1),
})
export type ExportRecord = z.infer<typeof ExportRecord>

interface ExportDeps {
  state: ObjectStore
  signal: AbortSignal
}

const keyOf = (exportId: string) => `exports/${exportId}.json`

/** Entered again, it is the same export. */
export async function writeExport(deps: ExportDeps, exportId: string, record: ExportRecord): Promise<void> {
  const contentType = 'application/json'
  await deps.state.writeText(keyOf(exportId), JSON.stringify(record), { contentType, signal: deps.signal })
}

/** @throws {InvalidInputError} EXPORT_NOT_FOUND for what was never asked for, or long ago. */
export async function readExport({ state, signal }: ExportDeps, exportId: string): Promise<ExportRecord> {
  const found = await state.readText(keyOf(exportId), { signal })
  if (found === undefined) throw new InvalidInputError('There is no export of this id.', { code: 'EXPORT_NOT_FOUND' })
  return ExportRecord.parse(JSON.parse(found.text))
}
