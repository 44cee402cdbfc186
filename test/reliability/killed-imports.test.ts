import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImportMessage } from '../../lib/imports/messages.ts'
import { type Death, moments, type RequestCount } from '../support/dying-function.ts'
import { age, type EndState, endState } from '../support/end-of-import.ts'
import { type KillableImports, startKillableImports, type Trial } from '../support/killable-imports.ts'
import { receivedSession } from '../support/received-session.ts'

let rig: KillableImports
beforeAll(async () => {
  rig = await startKillableImports({
    STUDY_CHOICE: 'all',
    RETRY_PLAN: '1x1h,5x7d',
    STALL_AFTER: '1h',
    PACS_FINDS_PER_SECOND: '1000',
  })
  // DQR: a study that cannot be moved is given up at once, and not after five tries and twenty minutes.
  rig.standIn.state.dqr.preferences.put({ name: 'dqrMaxPacsRequestAttempts', value: '1' })
}, 30_000)
afterAll(() => rig.stop())

type Step = 'plan' | 'requests' | 'outcomes' | 'look'

/** Which run of a function is tried, how it dies, and whether XNAT goes on meanwhile. */
interface Accident {
  at: Step
  death?: Death
  isMoving?: boolean
}

describe('import-cohort, killed at any of its requests and invoked again', () => {
  for (const step of ['plan', 'outcomes', 'look'] as const) {
    it(`imports a cohort as without a death (${step})`, () => expectAlike(step, importFirst), 300_000)
  }
  for (const step of ['plan', 'outcomes', 'look'] as const) {
    it(`clears away what failed and imports it as without a death (${step})`, () => expectAlike(step, retry), 300_000)
  }
})

describe('import-studies, killed at any of its requests and invoked again', () => {
  it('requests each study of a first attempt once', () => expectAlike('requests', importFirst), 300_000)
  it('requests each study of a retry once', () => expectAlike('requests', retry), 300_000)
})

type Scenario = (projectId: string, accident: Accident) => Promise<Ending>
type Ending = { requests: RequestCount; end: EndState }

async function expectAlike(step: Step, scenario: Scenario): Promise<void> {
  const clean = await scenario(`${step}-clean-${scenario.name}`, { at: step })
  const { all, writes } = clean.requests
  expect(writes).toBeGreaterThan(1)
  for (const moment of moments) {
    for (let at = 1; at <= (moment === 'before' ? all : writes); at += 1) {
      for (const isMoving of moment === 'after' && step === 'requests' ? [false, true] : [false]) {
        const name = `${step}-${moment}-${at}${isMoving ? '-moving' : ''}-${scenario.name}`
        const killed = await scenario(name, { at: step, death: { at, moment }, isMoving })
        expect(killed.end, name).toEqual(clean.end)
        expect(killed.requests.all, name).toBeLessThanOrEqual(2 * all)
      }
    }
  }
}

/** A cohort that nobody has asked for yet. */
async function importFirst(projectId: string, accident: Accident): Promise<Ending> {
  const number = (name: string) => `${projectId}-${name}`
  await rig.addProject(projectId)
  rig.standIn.pacs.add(
    { accessionNumber: number('whole') },
    { accessionNumber: number('shell'), fate: { kind: 'empty-shell', without: 'files' } },
    { accessionNumber: number('two'), studyInstanceUid: `${uidOf(projectId)}.1`, studyDate: '20240301' },
    { accessionNumber: number('two'), studyInstanceUid: `${uidOf(projectId)}.2`, studyDate: '20240201' },
  )
  const accessionNumbers = [...['whole', 'shell', 'two', 'missing'].map(number), `${projectId}*`]
  return tried(projectId, { kind: 'name', projectId, accessionNumbers }, accident)
}

/** A cohort in which each study failed in its own way, and would go well now. */
async function retry(projectId: string, accident: Accident): Promise<Ending> {
  const number = (name: string) => `${projectId}-${name}`
  const names = ['shell', 'building', 'hanging', 'failing', 'late'].map(number)
  await rig.addProject(projectId)
  rig.standIn.pacs.add(
    { accessionNumber: number('shell'), fate: { kind: 'empty-shell', without: 'scans' } },
    { accessionNumber: number('building'), fate: { kind: 'gets-stuck', in: 'BUILDING' } },
    { accessionNumber: number('hanging'), fate: { kind: 'move-hangs', losesThread: true } },
    { accessionNumber: number('failing'), fate: { kind: 'move-fails' } },
  )
  await rig.plan({ kind: 'name', projectId, accessionNumbers: names })
  await rig.settle()
  await rig.advance(10 * 60_000)
  addFailedDirectArchive(projectId, number('failing'))
  await rig.plan({ kind: 'look', projectId, cause: 'asked' })
  await age(rig, projectId, 2 * hourMs)
  rig.standIn.pacs.decree({ kind: 'arrives' }, ['failing', 'hanging'].map(number))
  rig.standIn.pacs.add({ accessionNumber: number('late') })
  return tried(projectId, { kind: 'name', projectId, accessionNumbers: names.slice(0, 1) }, accident)
}

const hourMs = 60 * 60_000
const minuteMs = 60_000

const uidOf = (name: string) => `2.25.${BigInt(`0x${Buffer.from(name).toString('hex').slice(-28)}`)}`

/** Plans, asks, hears what came of it and looks at it in the end; one of these by a process, which may die. */
async function tried(projectId: string, message: ImportMessage, { at, death, isMoving }: Accident): Promise<Ending> {
  const requests: RequestCount = { all: 0, writes: 0 }
  const trial: Trial = {
    death,
    onEnd: ({ all, writes }) => {
      requests.all += all
      requests.writes += writes
    },
    ...(isMoving === true && { meanwhile: () => rig.advance(10 * minuteMs) }),
  }
  const trialOf = (step: Step) => (at === step ? trial : undefined)
  await rig.plan(message, trialOf('plan'))
  await rig.ask(await rig.takeOrders(), trialOf('requests'))
  for (const outcomes of await rig.takeMessages()) await rig.plan(outcomes, trialOf('outcomes'))
  await rig.advance(10 * minuteMs)
  await rig.plan({ kind: 'look', projectId, cause: 'asked' }, trialOf('look'))
  await rig.settle()
  return { requests, end: await endState(rig, projectId) }
}

/** XNAT keeps such a row when it could not even move the session into the prearchive. */
function addFailedDirectArchive(projectId: string, name: string): void {
  const { state, clock } = rig.standIn
  const [study] = state.dqr.pacsStudiesByAccession.get(name.toLowerCase())
  const studyInstanceUid = study?.studyInstanceUid ?? ''
  const atMs = clock.now().getTime()
  state.directArchive.put(receivedSession(rig.standIn, { projectId, name, studyInstanceUid, status: 'ERROR', atMs }))
}
