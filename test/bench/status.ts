// How long the status of 10,000 studies takes while their import is in full swing, and what XNAT is asked for it; beside
// it, what asking XNAT for each accession number would take.
import { setTimeout as sleep } from 'node:timers/promises'
import type { PacsStudy } from '../../infra/local/xnat-server/dqr/pacs-study.ts'
import type { SessionStatus } from '../../infra/local/xnat-server/prearchive/entry.ts'
import { forgetLedger } from '../../lib/imports/ledger.ts'
import { findExperiment } from '../../lib/xnat/archive.ts'
import { apiEvent } from '../support/api-requests.ts'
import { receivedSession } from '../support/received-session.ts'
import { startLambda } from './lambda.ts'
import { type LargeImport, minuteMs, startLargeImport } from './large-import.ts'

const studies = 10_000
const historyRows = 20_000

export async function run(): Promise<void> {
  const site = await startLargeImport(6 * 60 * minuteMs)
  try {
    const expected = await fill(site)
    console.log(`${studies} studies, ${historyRows} rows in DQR's history`)
    await measure(site, 'as the planner left them', expected)
    await perAccession(site)
    await forgetLedger(site.state, site.projectId)
    await measure(site, 'with the ledger lost: the whole history is read, and sessions are counted in part')
  } finally {
    await site.stop()
  }
}

type Counts = Readonly<Record<string, number>>

async function measure(site: LargeImport, what: string, expected?: Counts): Promise<void> {
  const event = apiEvent({
    method: 'GET',
    path: `/retrieval/import_status_count/${site.projectId}`,
    pathParameters: { project_id: site.projectId },
    query: { encoded_query: 'U0VMRUNUIDE' },
  })
  const retrieval = await startLambda('api/retrieval', { ...site.environment, STATUS_CACHE_SECONDS: '2' })
  try {
    console.log(what)
    for (const name of ['cold', 'warm', 'asked again at once']) {
      site.standIn.requests.clear()
      const { result, ms, peakRssBytes } = await retrieval.invoke(event)
      const requests = site.standIn.requests.count()
      const answer = JSON.parse((result as { body: string }).body)
      check(answer.import_status, expected)
      console.log(
        `  ${name.padEnd(20)} ${(ms / 1000).toFixed(2).padStart(6)} s  ${String(requests).padStart(4)} requests to XNAT  ${(peakRssBytes / 1024 ** 2).toFixed(0)} MiB RSS`,
      )
      // Until what was answered is no longer kept.
      if (name === 'cold') await sleep(2_500)
    }
  } finally {
    await retrieval.stop()
  }
}

function check(counts: Counts, expected: Counts | undefined): void {
  const sum = Object.values(counts).reduce((total, count) => total + count, 0)
  if (sum !== studies) throw new Error(`the counts add up to ${sum}`)
  for (const [name, count] of Object.entries(expected ?? {})) {
    if (counts[name] !== count) throw new Error(`${name} is ${counts[name]}, not ${count}`)
  }
}

const sample = 300

/** One GET of its session for each accession number: what a service must do that asks XNAT study by study. */
async function perAccession(site: LargeImport): Promise<void> {
  const { xnat, projectId } = site
  const labels = Array.from({ length: sample }, (_, index) => labelOf(Math.floor((index * studies) / sample)))
  for (const atATime of [1, 8]) {
    const waiting = [...labels]
    const startedAt = performance.now()
    const work = async () => {
      for (let label = waiting.pop(); label !== undefined; label = waiting.pop()) {
        await findExperiment(xnat, { projectId, experiment: label })
      }
    }
    await Promise.all(Array.from({ length: atATime }, work))
    const seconds = ((performance.now() - startedAt) / 1000) * (studies / sample)
    console.log(
      `  one GET per accession number, ${atATime} at a time: ${seconds.toFixed(0)} s, ${studies} requests (from ${sample}, extrapolated; tells archived ones only)`,
    )
  }
}

const labelOf = (index: number) => `ACC${String(index + 1).padStart(6, '0')}`

/** Some of everything, and what the status has to say of it. */
async function fill(site: LargeImport): Promise<Counts> {
  const declared = site.declare(studies)
  const waiting = [...declared]
  const take = (count: number): PacsStudy[] => waiting.splice(0, count)
  const { state } = site.standIn
  const nowMs = site.now().getTime()
  const recent = { executedTimeMs: nowMs - 10 * minuteMs, queuedTimeMs: nowMs - 20 * minuteMs }

  const verified = take(8_000)
  const arrived = take(100)
  const shells = take(250)
  site.archive([...verified, ...arrived])
  site.archive(shells, { without: 'files' })
  const ids = new Map(state.experiments.group(site.projectId).map(({ label, experimentId }) => [label, experimentId]))
  const failed = take(300)
  for (const study of verified) {
    site.remember(study, { code: 'VERIFIED', verified: [ids.get(study.accessionNumber) ?? ''] })
    site.executed(study, 'RECEIVED')
  }
  for (const study of failed) {
    const { id } = site.executed(study, 'FAILED')
    site.remember(study, {
      code: 'REQUESTED',
      seen: [[study.studyInstanceUid, id, 'FAILED', nowMs - 360 * minuteMs, false]],
    })
  }
  for (const study of take(300)) site.remember(study, { code: 'NOT_ON_PACS' })
  for (const study of take(100)) site.remember(study, { code: 'SEVERAL_STUDIES' })
  // What other projects had retrieved; all of it so long ago that it is known.
  const others = { projectId: 'other', accessionNumber: 'other', requestId: 'other', studyInstanceUid: '1.2.3' }
  const before = state.dqr.history.all().length
  const [any] = verified
  for (let rows = before; any !== undefined && rows < historyRows - 500; rows += 1) {
    site.executed(any, 'RECEIVED', others)
  }
  site.ledger.historyReadTo = state.dqr.history.all().at(-1)?.id ?? 0

  for (const study of [...arrived, ...shells]) {
    site.remember(study, { code: 'REQUESTED' })
    site.executed(study, 'RECEIVED', recent)
  }
  const inPrearchive: [number, SessionStatus][] = [
    [40, 'ERROR'],
    [20, 'CONFLICT'],
    [40, 'BUILDING'],
  ]
  for (const [count, status] of inPrearchive) {
    for (const study of take(count)) {
      site.remember(study, { code: 'REQUESTED' })
      site.executed(study, 'RECEIVED', recent)
      state.prearchive.put({ ...received(site, study, status), logs: [] })
    }
  }
  for (const status of ['ERROR', 'RECEIVING'] as const) {
    for (const study of take(status === 'ERROR' ? 10 : 40)) {
      site.remember(study, { code: 'REQUESTED' })
      site.executed(study, 'RECEIVED', recent)
      state.directArchive.put(received(site, study, status))
    }
  }
  for (const [index, study] of take(500).entries()) {
    site.remember(study, { code: 'REQUESTED' })
    site.queued(study, index < 4 ? 'PROCESSING' : 'QUEUED', { queuedTimeMs: recent.queuedTimeMs })
  }
  await site.write(declared.map(({ accessionNumber }) => accessionNumber))
  return {
    successful_count: 8_100,
    failed_count: 250 + 300 + 40 + 20 + 10,
    processing_count: 40 + 40 + 4,
    queued_count: 496,
    queue_failed_count: 300 + 100 + 300,
  }
}

function received({ standIn, projectId, now }: LargeImport, study: PacsStudy, status: SessionStatus) {
  const { accessionNumber: name, studyInstanceUid } = study
  return receivedSession(standIn, { projectId, name, studyInstanceUid, status, atMs: now().getTime() })
}
