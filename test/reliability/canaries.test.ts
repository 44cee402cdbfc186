// Values that stand for patient data and secrets are put wherever there may be some; none may come out of any function but
// by its work. XNAT's project IDs alone are no such values: they stand in logs and errors for operators to act on.
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { createHandler as createConsole } from '../../functions/api/console.ts'
import { createHandler as createDocumentation } from '../../functions/api/documentation.ts'
import { createHandler as createHealth } from '../../functions/api/health.ts'
import { createHandler as createSweep } from '../../functions/schedules/sweep-imports.ts'
import type { Wired } from '../../lib/wire.ts'
import { type ApiReply, apiEvent, ask } from '../support/api-requests.ts'
import { brokenParts, unforeseen, wrongRequests } from '../support/canary-attacks.ts'
import { dataAccessFaults, echoOf, s3Faults, xnatFaults } from '../support/canary-faults.ts'
import { furnish, plantLabels } from '../support/canary-labels.ts'
import { type CanaryRig, type Server, startCanaryRig } from '../support/canary-rig.ts'
import { type Scenario, type Site, scenarios } from '../support/canary-scenarios.ts'
import { createWatch, type Watch } from '../support/canary-watch.ts'
import { workers } from '../support/canary-workers.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { createMarkers, type Markers } from '../support/markers.ts'
import { keepPrinted } from '../support/printed.ts'

describe('a marker', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  it.each<[string, (marker: string) => string]>([
    ['as it is', (marker) => marker],
    ['in lower case', (marker) => marker.toLowerCase()],
    ['in upper case', (marker) => marker.toUpperCase()],
    ['percent-encoded', (marker) => marker.replaceAll(/./g, (each) => `%${Buffer.from(each).toString('hex')}`)],
    ['percent-encoded twice', (marker) => marker.replaceAll(/./g, (each) => `%25${Buffer.from(each).toString('hex')}`)],
    ['in escapes of JSON', (marker) => marker.replaceAll(/./g, (each) => `\\u00${Buffer.from(each).toString('hex')}`)],
    ['in hex', (marker) => Buffer.from(marker).toString('hex')],
    ['in base64', base64],
    ['in base64 after one letter', (marker) => base64(`x${marker}y`)],
    ['in base64 after two letters', (marker) => base64(`xx${marker}yy`)],
    ['in base64 and lower case', (marker) => base64(`a:${marker.toLowerCase()}`)],
    ['in base64url among other bytes', (marker) => Buffer.from(`ÿ>?${marker}ÿ>?`).toString('base64url')],
  ])('is found %s, and no other with it', (_, write) => {
    const markers = createMarkers()
    const [, second] = [markers.plant('first'), markers.plant('second'), markers.plant('third')]
    expect(markers.findIn(`before ${write(second)} after`)).toEqual(['second'])
    expect(markers.findIn(`before ${write('Qanary99Kz')} after`)).toEqual([])
  })
})

const faultsOf: Record<Server, typeof xnatFaults> = { xnat: xnatFaults, s3: s3Faults, dataAccess: dataAccessFaults }

let markers: Markers
let site: Site
let rig: CanaryRig
let watch: Watch
let all: Scenario[]
beforeAll(async () => {
  markers = createMarkers()
  const labels = plantLabels(markers)
  rig = await startCanaryRig(markers, [labels.accession])
  site = { rig, labels, ...(await furnish(rig, labels)) }
  all = scenarios(site)
}, 60_000)
afterAll(() => rig.stop())

/** What was written past the loggers. */
let printed: string[]
beforeEach(() => {
  watch = createWatch(markers)
  printed = keepPrinted()
})
afterEach(() => {
  vi.restoreAllMocks()
})

interface Outcome {
  hasFailed: boolean
  reply: ApiReply | undefined
}

let runs = 0
const outcomes = new Map<string, Set<'done' | 'failed'>>()
/** How many requests each scenario makes when all is well. */
const requests = new Map<string, Record<Server, number>>()

/** What a scenario lets out of the functions, and how it ended. */
async function perform(
  { name, act }: Pick<Scenario, 'name' | 'act'>,
  where: string,
  wired: Wired = rig.wired,
): Promise<Outcome> {
  const { lines, measured } = rig.wired
  for (const written of [lines, measured, printed, ...messages()]) written.length = 0
  const { reply, thrown } = await act(wired, runs).then(
    (answered) => ({ reply: answered, thrown: undefined }),
    (error: unknown) => ({ reply: undefined, thrown: error }),
  )
  const spot = `${name}, ${where}`
  // What a handler throws, Lambda logs with all its fields.
  if (thrown !== undefined) watch.look('thrown', spot, inspect(thrown, { showHidden: true }))
  if (reply !== undefined) watch.lookAtReply(spot, reply)
  for (const line of lines) watch.look('log', spot, JSON.stringify(line))
  for (const document of measured) watch.look('metrics', spot, JSON.stringify(document))
  for (const text of printed) watch.look('printed', spot, text)
  for (const message of messages().flat()) watch.lookAtMessage(spot, message)
  const hasFailed =
    thrown !== undefined || (reply?.status ?? 0) >= 400 || lines.some(({ message }) => message === 'message failed')
  outcomes.set(name, (outcomes.get(name) ?? new Set()).add(hasFailed ? 'failed' : 'done'))
  return { hasFailed, reply }
}

const messages = () => Object.values(rig.queues).flatMap(({ queue, deadLetters }) => [queue.sent, deadLetters.sent])

/** Everything is well until the scenario begins. */
async function arrange(scenario: Scenario): Promise<void> {
  runs += 1
  rig.heal()
  await scenario.arrange?.(runs)
  rig.heal()
  // Those of the first runs; the others are made alike.
  for (const { id } of runs < 20 ? rig.standIn.state.sessions.list() : []) markers.watch('XNAT session', id)
}

/** Each scenario with each of its requests to this server failing in so many ways, all ways in turn; how often each was met. */
async function failEachRequest(server: Server, ways: number): Promise<Map<string, number>> {
  const faults = Object.entries(faultsOf[server])
  const met = new Map(faults.map(([kind]) => [kind, 0]))
  let turn = 0
  for (const scenario of all) {
    for (let step = 0; step < ways * (requests.get(scenario.name)?.[server] ?? 0); step += 1) {
      const [kind, fault] = faults[turn % faults.length]!
      const nth = Math.floor(step / ways) + 1
      await arrange(scenario)
      const hits = rig.breakFrom(server, nth, fault(echoOf(markers)))
      await perform(scenario, `${server} request ${nth}: ${kind}`)
      met.set(kind, (met.get(kind) ?? 0) + hits())
      turn += 1
    }
  }
  return met
}

describe('what stands for patient data and secrets', () => {
  it('comes out of no function that does its work', async () => {
    const failed: string[] = []
    for (const scenario of all) {
      await arrange(scenario)
      const { hasFailed } = await perform(scenario, 'all well')
      requests.set(scenario.name, rig.asked())
      if (hasFailed && !scenario.name.endsWith('nonsense')) failed.push(scenario.name)
    }

    expect(failed).toEqual([])
    expect(watch.leaks()).toEqual([])
    const seen = Object.entries(watch.sizes()).filter(([, size]) => size > 0)
    expect(seen.map(([channel]) => channel)).toEqual(
      expect.arrayContaining(['log', 'metrics', 'queues', 'headers', 'answers', 'thrown']),
    )
  })

  // Few ask the data-access-api: each is answered in every way.
  it.each<[Server, number]>([
    ['xnat', 1],
    ['s3', 1],
    ['dataAccess', Object.keys(dataAccessFaults).length],
  ])(
    'comes out of none when %s fails at any request and answers with all that it knows',
    async (server, ways) => {
      const met = await failEachRequest(server, ways)

      expect([...met].filter(([, hits]) => hits === 0)).toEqual([])
      expect(watch.leaks()).toEqual([])
    },
    120_000,
  )

  it('comes out of none that XNAT does not let in', async () => {
    const some = all.filter(({ name }) => ['listProjects', 'provisionProject', 'deliverFiles'].includes(name))
    for (const [kind, fault] of Object.entries(xnatFaults)) {
      for (const scenario of some) {
        await arrange(scenario)
        rig.breakSignIns(fault(echoOf(markers)))
        const wired = { ...rig.wired, xnat: rig.newXnatClient() }
        const { hasFailed } = await perform(scenario, `sign-in: ${kind}`, wired)
        expect([scenario.name, kind, hasFailed]).toEqual([scenario.name, kind, true])
      }
    }

    expect(watch.leaks()).toEqual([])
  })

  it('comes out of no error about a request that is wrong, whatever field holds it', async () => {
    const statuses = new Map<number, number>()
    rig.heal()
    for (const { route, request } of wrongRequests(site)) {
      const act: Scenario['act'] = (wired) => ask(wired, request)
      const { reply } = await perform({ name: route, act }, JSON.stringify(request).slice(0, 300))
      statuses.set(reply?.status ?? 0, (statuses.get(reply?.status ?? 0) ?? 0) + 1)
    }

    expect([...statuses.keys()]).toEqual(expect.arrayContaining([400, 401, 404, 405, 409, 413, 422]))
    expect(watch.leaks()).toEqual([])
  })

  it('comes out of no function that meets an error which nobody foresaw', async () => {
    const words = `${echoOf(markers)}\n    at ${echoOf(markers)} (a.ts:1:1)`
    for (const scenario of all) {
      await arrange(scenario)
      for (const [kind, makeError] of Object.entries(unforeseen)) {
        await perform(
          scenario,
          kind,
          brokenParts(rig.wired, () => makeError(words)),
        )
      }
    }

    expect(watch.leaks()).toEqual([])
  })

  it('comes out of no function that cannot even begin', async () => {
    const wire = () => {
      throw new TypeError(echoOf(markers))
    }
    const ends: [string, unknown][] = []
    for (const [name, createHandler] of Object.entries(workers)) {
      ends.push([name, await createHandler(wire)(sqsEvent(['{}']), lambdaContext()).catch((error: unknown) => error)])
    }
    ends.push(['sweep', await createSweep(wire)({}, lambdaContext()).catch((error: unknown) => error)])
    for (const createHandler of [createHealth, createConsole, createDocumentation]) {
      ends.push(['api', await createHandler(wire)(apiEvent({ method: 'GET', path: '/health' }), lambdaContext())])
    }

    for (const [name, end] of ends) {
      expect(end instanceof Error || z.object({ statusCode: z.literal(500) }).safeParse(end).success).toBe(true)
      watch.look('thrown', name, inspect(end, { showHidden: true }))
    }
    expect(printed.length).toBe(ends.length)
    watch.look('printed', 'all', printed.join(''))
    expect(watch.leaks()).toEqual([])
  })

  it('was put before each function as it worked and as it failed', () => {
    const never = (end: 'done' | 'failed') => all.filter(({ name }) => outcomes.get(name)?.has(end) !== true)
    expect(never('done').map(({ name }) => name)).toEqual(
      all.map(({ name }) => name).filter((name) => /nonsense/.test(name)),
    )
    // It has nothing to fail at but its beginning, which was looked at above.
    expect(never('failed').map(({ name }) => name)).toEqual(['getHealth'])
  })
})
