// A planned delivery, done: send what is missing, mark sessions as complete, and wait for the proof.
import type { ConduitApi } from '../conduit-api.ts'
import type { Terminal } from '../terminal.ts'
import type { Content } from './content.ts'
import { type Followed, followDeliveries } from './follow.ts'
import { isMarked, type MarkedSession, markedSessions } from './markers.ts'
import type { DeliveryPlan, PlannedFile } from './plan.ts'
import { readableBytes, showProgress } from './progress.ts'
import { findDeliveryProject } from './project.ts'
import { openReceiptBook, type ReceiptBook } from './receipt-book.ts'
import { type Outcome, sizeOf } from './report.ts'
import { type SendDeps, sendFiles } from './send.ts'
import { type Bucketed, type Finding, listBucket, sortOut } from './sort-out.ts'
import type { Standing, Version } from './standing.ts'

export interface DeliverDeps extends SendDeps {
  api: ConduitApi
  terminal: Terminal
}

/** What is to be done, once it is known what is there. */
export interface SortedPlan {
  plan: DeliveryPlan
  listed: Bucketed
  book: ReceiptBook
  findings: ReadonlyMap<PlannedFile, Finding>
  /** By the API's clock: versions that are put from now on are no older. */
  startedAt: Date
}

/**
 * Finds out what need not be sent. Nothing is changed.
 *
 * @throws {Failure} when there is no such project, or the API does not answer. @throws {StorageError}
 */
export async function sortPlan(
  { api, terminal, bucket, metadata, signal }: DeliverDeps,
  plan: DeliveryPlan,
  { isAgain }: { isAgain: boolean },
): Promise<SortedPlan> {
  const { projectName, prefix, files } = plan
  const { projectId, others, startedAt } = await findDeliveryProject(api, projectName, files)
  const book = openReceiptBook(api, { projectId, projectName, others })
  const listed = await listBucket(bucket, prefix, signal)
  const missing = new Map(files.map((file): [PlannedFile, Finding] => [file, { kind: 'missing' }]))
  const progress = showProgress(terminal)
  const onFile = (done: number) => progress.show('comparing', done / files.length, `${done} of ${files.length}`)
  const findings = isAgain ? missing : await sortOut({ bucket, book, metadata, signal, onFile }, files, listed)
  return { plan, listed, book, findings, startedAt }
}

export const missingOf = ({ plan, findings }: SortedPlan): PlannedFile[] =>
  plan.files.filter((file) => findings.get(file)?.kind === 'missing')

/**
 * Does what is left to do. Broken off anywhere, and planned and sorted anew, it goes on from there.
 *
 * @throws {Failure} @throws {StorageError}
 */
export async function deliverPlan(
  deps: DeliverDeps,
  sorted: SortedPlan,
  { isFollowed, patienceMs }: { isFollowed: boolean; patienceMs: number },
): Promise<Outcome> {
  const { plan, findings, startedAt } = sorted
  const sent = await sendMissing(deps, missingOf(sorted))
  const contentOf = (file: PlannedFile) => sent.get(file) ?? knownContent(findings.get(file))
  const markers = await mark(deps, sorted, { sent, sessions: markedSessions(plan.files, contentOf) })

  const standings = new Map<PlannedFile, Standing>()
  const followed: Followed[] = []
  for (const file of plan.files) {
    const [finding, content] = [findings.get(file), sent.get(file)]
    if (content !== undefined) followed.push(withMarker(file, { content, putAt: startedAt }, markers))
    else if (finding?.kind === 'there') followed.push(withMarker(file, finding.version, markers))
    else if (finding?.kind === 'ended') standings.set(file, finding.standing)
  }
  if (isFollowed) await follow(deps, sorted, { standings, followed, patienceMs })
  return { files: plan.files, sent: new Set(sent.keys()), standings }
}

const knownContent = (finding: Finding | undefined) =>
  finding?.kind === 'there' ? finding.version.content : finding?.kind === 'ended' ? finding.content : undefined

async function sendMissing(deps: DeliverDeps, files: readonly PlannedFile[]): Promise<Map<PlannedFile, Content>> {
  const sent = new Map<PlannedFile, Content>()
  const progress = showProgress(deps.terminal)
  const total = sizeOf(files)
  const startedMs = Date.now()
  let bytes = 0
  const show = () => {
    const perSecond = readableBytes(bytes / Math.max(1, (Date.now() - startedMs) / 1000))
    const text = `${sent.size} of ${files.length}, ${readableBytes(bytes)} of ${readableBytes(total)}, ${perSecond}/s`
    // Files without content count too.
    progress.show('sending', (bytes + sent.size) / (total + files.length), text)
  }
  await sendFiles(deps, files, {
    onBytes(some) {
      bytes += some
      show()
    },
    onFile(file, content) {
      sent.set(file, content)
      show()
    },
  })
  return sent
}

type Markers = ReadonlyMap<string, Version>

/** Puts the markers that are missing or about other files, when all else is there. Of a session that ended, none is. */
async function mark(
  { bucket, signal }: DeliverDeps,
  { listed, findings, startedAt }: SortedPlan,
  { sent, sessions }: { sent: ReadonlyMap<PlannedFile, Content>; sessions: readonly MarkedSession[] },
): Promise<Markers> {
  const markers = new Map<string, Version>()
  for (const session of sessions) {
    const { marker, body, content, files } = session
    if (files.every((file) => findings.get(file)?.kind === 'ended')) continue
    const there = listed.get(marker.key)
    if (there !== undefined && isMarked(session, listed) && !files.some((file) => sent.has(file))) {
      markers.set(marker.key, { content, putAt: there.modifiedAt })
      continue
    }
    await bucket.put(marker.key, body, { signal })
    markers.set(marker.key, { content, putAt: startedAt })
  }
  return markers
}

function withMarker(file: PlannedFile, version: Version, markers: Markers): Followed {
  return { file, versions: { file: version, ofMarker: markers.get(file.marker?.key ?? '') } }
}

async function follow(
  { terminal, signal }: DeliverDeps,
  { plan, book }: SortedPlan,
  {
    standings,
    followed,
    patienceMs,
  }: { standings: Map<PlannedFile, Standing>; followed: readonly Followed[]; patienceMs: number },
): Promise<void> {
  const progress = showProgress(terminal)
  let failed = 0
  const show = () => {
    const text = `${standings.size} of ${plan.files.length}${failed > 0 ? `, ${failed} failed` : ''}`
    progress.show('settled', standings.size / plan.files.length, text)
  }
  show()
  await followDeliveries(book, followed, {
    patienceMs,
    signal,
    onStanding(file, standing) {
      standings.set(file, standing)
      if (standing.kind === 'failed') failed += 1
      show()
    },
    onSilence: ({ message }) => terminal.tell(`${message} It is asked again.`),
  })
}
