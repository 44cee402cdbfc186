// The threads that take requests out of the queue (D:events/PacsThreadsChecker.java, PacsDequeueThread.java).
import type { Chore } from '../background.ts'
import type { Xnat } from '../exchange.ts'
import { receiveObject } from './arrival.ts'
import { availableNow } from './availability.ts'
import { newEntity } from './entity.ts'
import { zeroFilesStatus } from './fates.ts'
import { deletePartialSession, queueRebuild } from './prearchived.ts'
import { dqrSettings } from './preferences.ts'
import { findReceiver } from './receivers.ts'
import type { ExecutedRequest, QueuedRequest, Receiver } from './records.ts'
import { PacsFailure, PacsSilence } from './remote-pacs.ts'
import { routeStudy } from './study-routing.ts'

interface Attempt {
  queueId: number
  historyId: number
  receiver: Receiver
  objects: AsyncIterator<Buffer>
  /** What comes next: the first object, or all that follow it. */
  phase: 'first' | 'rest'
  beganMs: number
  stored: number
}

/** Lost in a restart, which leaves its request PROCESSING for ever: DQR has nothing that would find it. */
export interface DqrThread {
  pacsId: number
  attempt: Attempt | undefined
  /** When it goes on; undefined: never, but it keeps its place. */
  wakesAtMs: number | undefined
  /** DQR: after an attempt that will be made again it sleeps, and ends. */
  endsThen: boolean
}

/** Starts threads, at a fixed rhythm, while anything waits. */
export const startThreads: Chore = {
  dueAt(xnat) {
    const [oldest] = xnat.state.dqr.waitingByAge.line('')
    if (oldest === undefined) return undefined
    const startMs = xnat.startedAt.getTime()
    const { checkEveryMs } = dqrSettings(xnat)
    const after = Math.max(xnat.state.dqr.checkedAtMs, oldest.queuedTimeMs, startMs)
    return startMs + (Math.floor((after - startMs) / checkEveryMs) + 1) * checkEveryMs
  },
  async run(xnat) {
    const { dqr } = xnat.state
    dqr.checkedAtMs = xnat.now().getTime()
    for (const { id, queryable } of dqr.pacs.all()) {
      const free = (availableNow(xnat, id)?.threads ?? 0) - threadsOf(xnat, id)
      const waiting = dqr.waiting.line(String(id)).length
      if (!queryable || free <= 0 || waiting === 0 || !(await xnat.pacs.isUp())) continue
      for (let count = 0; count < Math.min(free, waiting); count += 1) {
        dqr.threads.push({ pacsId: id, attempt: undefined, wakesAtMs: xnat.now().getTime(), endsThen: false })
      }
    }
  },
}

export const runThreads: Chore = {
  dueAt: ({ state }) => nextThread(state.dqr.threads)?.wakesAtMs,
  async run(xnat) {
    const thread = nextThread(xnat.state.dqr.threads)
    if (thread === undefined) return
    if (thread.attempt !== undefined) await goOn(xnat, thread, thread.attempt)
    else if (thread.endsThen) end(xnat, thread)
    else await takeRequest(xnat, thread)
  },
}

function nextThread(threads: readonly DqrThread[]): DqrThread | undefined {
  const awake = threads.filter(({ wakesAtMs }) => wakesAtMs !== undefined)
  return awake.toSorted((one, other) => (one.wakesAtMs ?? 0) - (other.wakesAtMs ?? 0))[0]
}

function threadsOf({ state }: Xnat, pacsId: number): number {
  return state.dqr.threads.filter((thread) => thread.pacsId === pacsId).length
}

async function takeRequest(xnat: Xnat, thread: DqrThread): Promise<void> {
  const { state, now } = xnat
  const interval = availableNow(xnat, thread.pacsId)
  const isOneTooMany = interval !== undefined && threadsOf(xnat, thread.pacsId) > interval.threads
  const [request] = state.dqr.waiting.line(String(thread.pacsId))
  if (interval === undefined || isOneTooMany || request === undefined) return end(xnat, thread)
  state.dqr.queue.put({ ...request, status: 'PROCESSING', changedMs: now().getTime() })
  const executed = state.dqr.history.put(executedFrom(xnat, request))
  const refusal = refusalOf(xnat, request)
  if (refusal !== undefined) return fail(xnat, thread, { request, executed, beganMs: now().getTime(), ...refusal })
  const receiver = findReceiver(xnat, request.destinationAeTitle)
  if (receiver === undefined) return end(xnat, thread)
  routeStudy(xnat, request)
  const objects = xnat.pacs.retrieve(request.studyInstanceUid, request.seriesIds)[Symbol.asyncIterator]()
  const beganMs = now().getTime()
  thread.attempt = {
    queueId: request.id,
    historyId: executed.id,
    receiver,
    objects,
    phase: 'first',
    beganMs,
    stored: 0,
  }
  thread.wakesAtMs = beganMs + state.switches.retrieveStepMs
}

// DQR: the first is thrown without a message, which is what the history then holds (importFromPacsRequest).
function refusalOf({ state }: Xnat, { pacsId, destinationAeTitle }: QueuedRequest): { message?: string } | undefined {
  if (state.dqr.pacs.get(String(pacsId))?.queryable !== true) return {}
  const receiver = findReceiver({ state }, destinationAeTitle)
  return receiver?.enabled === true ? undefined : { message: `PACS ${destinationAeTitle} is not storable` }
}

// DQR: neither the patient's ID, the script nor the priority get here.
function executedFrom(xnat: Xnat, request: QueuedRequest): ExecutedRequest {
  const { patientId: _id, remappingScript: _script, priority: _priority, retries: _retries, ...kept } = request
  const entity = newEntity(xnat, xnat.state.next('dqrHistory'))
  return { ...kept, ...entity, status: 'ISSUED', executedTimeMs: xnat.now().getTime() }
}

async function goOn(xnat: Xnat, thread: DqrThread, attempt: Attempt): Promise<void> {
  const { state, now } = xnat
  try {
    let isMore = await receiveNext(xnat, attempt)
    if (isMore && attempt.phase === 'first') {
      attempt.phase = 'rest'
      thread.wakesAtMs = now().getTime() + state.switches.retrieveStepMs
      return
    }
    while (isMore) isMore = await receiveNext(xnat, attempt)
    succeed(xnat, thread, attempt)
  } catch (error) {
    if (error instanceof PacsSilence) {
      if (error.losesThread) return end(xnat, thread)
      thread.wakesAtMs = undefined
      return
    }
    if (!(error instanceof PacsFailure)) throw error
    failAttempt(xnat, thread, attempt, error)
  }
}

async function receiveNext(xnat: Xnat, attempt: Attempt): Promise<boolean> {
  const next = await attempt.objects.next()
  if (next.done === true) return false
  if (await receiveObject(xnat, attempt.receiver, next.value)) attempt.stored += 1
  return true
}

function succeed(xnat: Xnat, thread: DqrThread, { queueId, historyId, beganMs, stored }: Attempt): void {
  const { state, now } = xnat
  const executed = state.dqr.history.get(String(historyId))
  state.dqr.queue.delete(String(queueId))
  thread.attempt = undefined
  thread.wakesAtMs = now().getTime() + pauseMs(xnat, thread.pacsId, now().getTime() - beganMs)
  if (executed === undefined) return
  const { studyInstanceUid, projectId } = executed
  if (stored > 0) {
    queueRebuild(xnat, studyInstanceUid, projectId)
    return
  }
  if (zeroFilesStatus(state, studyInstanceUid) !== 'FAILED' || projectId === '') return
  const errorMessage = `Received zero files for study ${studyInstanceUid} in project ${projectId}`
  state.dqr.history.put({ ...executed, status: 'FAILED', errorMessage, changedMs: now().getTime() })
}

function failAttempt(xnat: Xnat, thread: DqrThread, attempt: Attempt, failure: PacsFailure): void {
  const { queue, history } = xnat.state.dqr
  const request = queue.get(String(attempt.queueId))
  const executed = history.get(String(attempt.historyId))
  thread.attempt = undefined
  // DQR: a request that was deleted meanwhile cannot be put back.
  if (request === undefined || executed === undefined) end(xnat, thread)
  else fail(xnat, thread, { request, executed, beganMs: attempt.beganMs, message: failure.message })
}

interface FailedAttempt {
  request: QueuedRequest
  executed: ExecutedRequest
  beganMs: number
  message?: string
}

function fail(xnat: Xnat, thread: DqrThread, failed: FailedAttempt): void {
  const { state, now } = xnat
  const { request, executed, message } = failed
  const { maxAttempts, waitToRetryMs } = dqrSettings(xnat)
  const changedMs = now().getTime()
  state.dqr.history.put({
    ...executed,
    status: 'FAILED',
    changedMs,
    ...(message !== undefined && { errorMessage: message }),
  })
  deletePartialSession(xnat, request.studyInstanceUid, request.projectId)
  const retries = (request.retries ?? 0) + 1
  const pause = pauseMs(xnat, thread.pacsId, changedMs - failed.beganMs)
  if (retries < maxAttempts) {
    state.dqr.queue.put({ ...request, status: 'QUEUED', retries, changedMs })
    thread.endsThen = true
    thread.wakesAtMs = changedMs + Math.max(pause, waitToRetryMs)
  } else {
    state.dqr.queue.delete(String(request.id))
    thread.wakesAtMs = changedMs + pause
  }
}

/** DQR: after a retrieve that took t the thread rests (100 / utilisation - 1) t. */
function pauseMs(xnat: Xnat, pacsId: number, tookMs: number): number {
  const percent = availableNow(xnat, pacsId)?.utilizationPercent ?? 100
  if (percent === 0) return 0
  return Math.min((100 / percent - 1) * tookMs, dqrSettings(xnat).maxThrottleMs)
}

function end({ state }: Xnat, thread: DqrThread): void {
  state.dqr.threads = state.dqr.threads.filter((other) => other !== thread)
}
