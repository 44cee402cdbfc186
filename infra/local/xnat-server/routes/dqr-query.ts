// Queries by DQR (D:rest/DicomQueryRetrieveApi.java, D:dicom/converters, D:services/impl/DimsePacsClientService.java).
import * as z from 'zod'
import { requireDqrUser } from '../dqr/access.ts'
import { pacsNotFound, pacsNotQueryable } from '../dqr/failures.ts'
import type { Pacs } from '../dqr/records.ts'
import { type FindKeys, type FoundSeries, type FoundStudy, PacsFailure } from '../dqr/remote-pacs.ts'
import { findKeys, SearchCriteria } from '../dqr/search-criteria.ts'
import { isoDate, patientJson, shownName, studyJson, withoutBlanks } from '../dqr/study-json.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { bareReply, readJson, requestFailure, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

export const dqrQueryXapiRoutes = [
  xapiRoute('/dqr/query/studies', { POST: queryStudies }),
  xapiRoute('/dqr/query/patients', { POST: queryPatients }),
  xapiRoute('/dqr/query/series', { POST: querySeries }),
]

// DQR: what is beyond is dropped without a word (Dcm4cheeResultSetLimitStrategy.java).
const mostStudies = 500
const mostPatients = 50

async function queryStudies(exchange: Exchange): Promise<Reply> {
  requireDqrUser(exchange)
  const studies = await find(exchange, await readJson(exchange, SearchCriteria))
  return studies.length === 0 ? bareReply(204) : xapiJson(studies.slice(0, mostStudies).map(studyJson))
}

async function queryPatients(exchange: Exchange): Promise<Reply> {
  requireDqrUser(exchange)
  const studies = await find(exchange, await readJson(exchange, SearchCriteria))
  const patients = [...Map.groupBy(studies, ({ patientId }) => patientId).values()].flatMap((own) => {
    const [first] = own
    return first === undefined ? [] : [{ ...patientJson(first), birthDate: isoDate(first.patientBirthDate) }]
  })
  if (patients.length === 0) return bareReply(204)
  const limits = { hasLimitedResultSetSize: patients.length > mostPatients, studyDateRangeLimitResults: {} }
  return xapiJson({ ...limits, results: patients.slice(0, mostPatients) })
}

const SeriesQuery = z.object({ pacsId: z.number().default(0), studyInstanceUids: z.array(z.string()).default([]) })

async function querySeries(exchange: Exchange): Promise<Reply> {
  requireDqrUser(exchange)
  const { pacsId, studyInstanceUids } = await readJson(exchange, SeriesQuery)
  if (studyInstanceUids.length === 0) return bareReply(204)
  // DQR: here an unknown PACS is a null pointer.
  if (exchange.xnat.state.dqr.pacs.get(String(pacsId)) === undefined) throw requestFailure(500, 'null')
  requireQueryable(exchange, pacsId)
  const bySeries: Record<string, unknown> = {}
  for (const uid of studyInstanceUids) {
    const [study] = await ask(() => exchange.xnat.pacs.findStudies({ studyInstanceUid: uid }), {})
    const series = await ask(() => exchange.xnat.pacs.findSeries(uid), {})
    const results = series.map((each) => seriesJson(each, study))
    // DQR: results are left out when there are none.
    const limits = { hasLimitedResultSetSize: false, studyDateRangeLimitResults: {} }
    bySeries[uid] = { ...limits, ...(results.length > 0 && { results }) }
  }
  return xapiJson(bySeries)
}

async function find(exchange: Exchange, criteria: SearchCriteria): Promise<FoundStudy[]> {
  requireQueryable(exchange, criteria.pacsId)
  const keys = findKeys(criteria, exchange.xnat.now())
  return ask(() => exchange.xnat.pacs.findStudies(keys), keys)
}

/** The one that is named, else the default one. */
function requireQueryable({ xnat }: Exchange, pacsId: number): Pacs {
  const { pacs } = xnat.state.dqr
  const found = pacsId === 0 ? pacs.find((each) => each.defaultQueryRetrievePacs) : pacs.get(String(pacsId))
  if (found === undefined) throw pacsNotFound()
  if (!found.queryable) throw pacsNotQueryable(found.id)
  return found
}

/** @throws {HttpFailure} 400 when the PACS does not answer. */
async function ask<T>(question: () => Promise<T>, keys: FindKeys): Promise<T> {
  try {
    return await question()
  } catch (error) {
    if (!(error instanceof PacsFailure)) throw error
    throw xapiFailure(
      400,
      `A DQR run-time exception occurred, which usually indicates a problem performing a query to the PACS: ${error.message}\n\nThe search criteria for this query is: ${JSON.stringify(keys)}\n`,
    )
  }
}

function seriesJson(series: FoundSeries, study: FoundStudy | undefined) {
  const { seriesInstanceUid, seriesNumber, modality, seriesDescription } = series
  return {
    uniqueIdentifier: seriesInstanceUid,
    ...withoutBlanks({ seriesInstanceUid, modality, seriesDescription }),
    ...(seriesNumber !== '' && { seriesNumber: Number(seriesNumber) }),
    ...(study !== undefined &&
      withoutBlanks({
        studyDate: isoDate(study.studyDate),
        studyId: study.studyId,
        accessionNumber: study.accessionNumber,
        patientId: study.patientId,
        patientName: shownName(study.patientName),
      })),
  }
}
