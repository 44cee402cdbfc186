import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { ImportError } from '../../lib/errors.ts'
import type { ImportMessage } from '../../lib/imports/messages.ts'
import { deleteProject } from '../../lib/services/delete-project.ts'
import { importCohort } from '../../lib/services/import-cohort.ts'
import { type ImportRun, questions, startImportRun } from '../support/import-run.ts'
import { memoryQueue } from '../support/memory-queue.ts'

let run: ImportRun
beforeEach(async () => {
  run = await startImportRun()
  run.declare(3)
})
afterEach(() => run.stop())

const cohort = ['ACC000001', 'ACC000002', 'ACC000003']
const signal = new AbortController().signal
const remove = (projectId = 'P1') => deleteProject({ xnat: run.xnat, state: run.state, signal }, projectId)

async function name(): Promise<void> {
  const body = { accession_numbers: cohort }
  expect((await run.ask({ method: 'POST', path: '/retrieval/imports/P1', body })).status).toBe(202)
}

/** What is kept in the state bucket, but for the one object that all projects share. */
async function records(): Promise<string[]> {
  const { objects } = await run.state.list('')
  return objects.map(({ key }) => key).filter((key) => key !== 'import-gate.json')
}

describe('a project that is deleted while its import is under way', () => {
  it('leaves no records, whatever message of it comes afterwards', async () => {
    await name()
    await run.settle()
    await name()
    await run.step('imports')
    await name()
    await run.sweep()
    expect(await records()).not.toEqual([])
    await remove()
    expect(await run.settle()).toBe(0)

    expect(await records()).toEqual([])
    expect(run.letters()).toEqual([])
    expect(run.standIn.state.dqr.queue.all()).toEqual([])
  })

  it('is not asked for by orders that lie in the queue: XNAT would take them, and put the studies where nobody looks', async () => {
    run.standIn.state.dqr.preferences.put({ name: 'allowAllProjectsToUseDqr', value: 'true' })
    await name()
    await run.step('imports')
    await remove()
    run.standIn.requests.clear()
    expect(await run.settle()).toBe(0)

    expect(run.asked(questions)).toEqual([])
    expect(run.standIn.state.dqr.queue.all()).toEqual([])
    expect([await records(), run.letters()]).toEqual([[], []])
  })

  it('gives the room back that was promised to it', async () => {
    await name()
    await run.step('imports')
    expect(JSON.parse((await run.state.readText('import-gate.json'))!.text).reservations).toHaveLength(1)
    await remove()
    await run.settle()

    expect(JSON.parse((await run.state.readText('import-gate.json'))!.text).reservations).toEqual([])
  })

  it.each<[string, (projectId: string) => ImportMessage]>([
    ['a look', (projectId) => ({ kind: 'look', projectId, cause: 'asked' })],
    ['numbers by name', (projectId) => ({ kind: 'name', projectId, accessionNumbers: cohort })],
  ])('leaves no records when the planner is in the middle of %s, at any of its writes', async (_, messageOf) => {
    const { wired, now } = run
    const { importing, imaging } = wired.config
    const studies = memoryQueue()
    for (let fatal = 1; ; fatal += 1) {
      const projectId = `D${fatal}`
      await run.addProject(projectId)
      let writes = 0
      const state: ObjectStore = {
        ...run.state,
        async writeText(...args) {
          writes += 1
          if (writes === fatal) await remove(projectId)
          return run.state.writeText(...args)
        },
      }
      const deps = { ...run, log: wired.log, importing, imaging, state, studies, signal, now }
      await untilDone(() => importCohort(deps, messageOf(projectId)))
      if (writes < fatal) break
      expect(await records(), `deleted at write ${fatal}`).toEqual([])
    }
    expect(await records()).not.toEqual([])
  })
})

/** As SQS hands a message in again. */
async function untilDone(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act()
      return
    } catch (error) {
      if (!(error instanceof ImportError) || error.retry !== 'later') throw error
    }
  }
}
