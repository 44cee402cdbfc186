// Many queries in one request (D:rest/DicomQueryRetrieveApi.java queryBatch).
import { text } from 'node:stream/consumers'
import { requireDqrUser } from '../dqr/access.ts'
import { type BatchRow, batchRows, ShortRowError } from '../dqr/batch-rows.ts'
import { type FoundStudy, PacsFailure } from '../dqr/remote-pacs.ts'
import { findKeys } from '../dqr/search-criteria.ts'
import { requireQueryable } from '../dqr/study-import.ts'
import { studyJson } from '../dqr/study-json.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { readMultipart } from '../upload-body.ts'
import { requestFailure, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

export const dqrBatchXapiRoutes = [xapiRoute('/dqr/query/batch', { POST: queryBatch })]

const mostRows = 1000

/** The PACS is asked row by row. Rows it fails at are left out, so that the answer need not match the sheet. */
async function queryBatch(exchange: Exchange): Promise<Reply> {
  requireDqrUser(exchange)
  const { query } = exchange
  const pacsId = Number(query.get('pacsId') ?? Number.NaN)
  if (Number.isNaN(pacsId)) throw requestFailure(500, "Required long parameter 'pacsId' is not present")
  requireQueryable(exchange, pacsId)
  const rows = readRows(await readSheet(exchange))
  if (rows.length > mostRows) throw xapiFailure(400, `The maximum number of rows is ${mostRows}.\n`)
  const hasCriteria = ({ criteria }: BatchRow) => Object.keys(criteria).length > 0
  const answers = []
  for (const row of rows) {
    if (!hasCriteria(row) && !query.isTrue('allowRowThatGetsAllStudiesOnPacs')) continue
    const studies = await findStudies(exchange, { pacsId, ...row.criteria })
    if (studies !== undefined) answers.push({ ...row, studies: studies.map(studyJson) })
  }
  const isRelabelled = rows.some(({ relabelMap }) => Object.keys(relabelMap).length > 0)
  const reply = xapiJson(answers)
  if (isRelabelled) return reply
  return { ...reply, headers: { ...reply.headers, Warning: 'The generated JSON has no anon script.' } }
}

async function readSheet(exchange: Exchange): Promise<string> {
  const { files, dispose } = await readMultipart(exchange)
  try {
    const [file] = files
    return file === undefined ? '' : await text(file.open())
  } finally {
    await dispose()
  }
}

function readRows(sheet: string): BatchRow[] {
  try {
    return batchRows(sheet)
  } catch (error) {
    if (error instanceof ShortRowError || error instanceof RangeError) throw requestFailure(500, error.message)
    throw error
  }
}

async function findStudies(
  { xnat }: Exchange,
  criteria: Parameters<typeof findKeys>[0],
): Promise<FoundStudy[] | undefined> {
  try {
    return await xnat.pacs.findStudies(findKeys(criteria, xnat.now()))
  } catch (error) {
    if (error instanceof PacsFailure) return undefined
    throw error
  }
}
