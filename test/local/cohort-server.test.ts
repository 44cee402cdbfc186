import { afterEach, describe, expect, it } from 'vitest'
import { type CohortServer, startCohortServer } from '../../infra/local/cohort-server.ts'
import { createDataAccess, type DataAccess, fetchAccessionNumbers } from '../../lib/data-access/client.ts'
import { seal } from '../../lib/envelope.ts'

const keys = { shared: Buffer.alloc(32, 7) }
const serviceKey = { header: 'X-Service-Key', key: 'fake-key' }
const samples = Array.from({ length: 10 }, (_, index) => `A${index}`)
const query = 'SELECT accession_id FROM omop.image_occurrence'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function start(): Promise<CohortServer> {
  const server = await startCohortServer({ serviceKey, envelopeKeys: keys, sampleCohort: () => samples })
  ends.push(() => server.stop())
  return server
}

function clientOf(server: CohortServer, key = serviceKey.key): DataAccess {
  const client = createDataAccess({
    url: server.url,
    keyHeader: serviceKey.header,
    secrets: async () => ({ serviceKey: key, envelope: { kid: 'shared', keys } }),
    sealedProjectId: 'xnat',
    timeoutMs: 5_000,
    clock: { now: Date.now, random: () => 0, sleep: async () => undefined },
  })
  ends.push(() => client.agent.destroy())
  return client
}

const ask = (client: DataAccess, text = query) =>
  fetchAccessionNumbers(client, {
    projectIds: { xnat: 'P1', hub: 'H1' },
    query: text,
    signal: new AbortController().signal,
  })

async function post(server: CohortServer, path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(server.url + path, { method: 'POST', body: text, headers })
  return { status: response.status, body: JSON.parse((await response.text()) || 'null') }
}

describe('the stand-in for the data access service', () => {
  it('yields the sample cohort for a query that nobody arranged', async () => {
    const server = await start()
    expect(await ask(clientOf(server))).toEqual({ accessionNumbers: samples })
  })

  it('refuses a project whose cohort nobody approved, as the line of cohort snapshots does', async () => {
    const server = await start()
    await post(server, '/__stand-in/cohorts', { query, isApproved: false })
    await expect(ask(clientOf(server))).rejects.toMatchObject({
      code: 'COHORT_BELOW_THRESHOLD',
      detail: 'No approved cohort snapshot exists for this project.',
    })
  })

  it('yields what was arranged for a query, whatever surrounds it', async () => {
    const server = await start()
    await post(server, '/__stand-in/settings', { threshold: 2 })
    await post(server, '/__stand-in/cohorts', { query: `${query} `, accessionIds: ['B1', 'B1', null] })
    expect(await ask(clientOf(server), `\n${query}`)).toEqual({ accessionNumbers: ['B1', 'B1'] })
  })

  it('releases no cohort that is smaller than its threshold, nor an empty one', async () => {
    const server = await start()
    server.arrange({ query, accessionIds: samples.slice(1) })
    const tooSmall = {
      code: 'COHORT_BELOW_THRESHOLD',
      detail: 'Cohort is too small for row-level data to be released.',
    }
    await expect(ask(clientOf(server))).rejects.toMatchObject(tooSmall)
    server.configure({ threshold: 0 })
    expect((await ask(clientOf(server))).accessionNumbers).toHaveLength(9)
    server.arrange({ query, accessionIds: [] })
    await expect(ask(clientOf(server))).rejects.toMatchObject(tooSmall)
  })

  it.each(['DELETE FROM person', 'SELECT 1; SELECT 2', 'SELECT broken'])('refuses %s', async (text) => {
    const server = await start()
    server.arrange({ query: 'SELECT broken', invalidSql: 'no such column' })
    await expect(ask(clientOf(server), text)).rejects.toMatchObject({ code: 'COHORT_QUERY_REFUSED' })
  })

  it('refuses a wrong key, a foreign envelope and what it cannot read, in that order', async () => {
    const server = await start()
    const path = '/cohort/accession-ids'
    const key = { 'x-service-key': 'fake-key' }
    const sealed = (context: string) => seal('P1', { keys, kid: 'shared', context })
    await expect(ask(clientOf(server, 'wrong'))).rejects.toMatchObject({ code: 'COHORT_SOURCE_REFUSED', status: 401 })
    expect(await post(server, path, 'no json')).toMatchObject({ status: 422 })
    expect(await post(server, path, {})).toMatchObject({ status: 401 })
    expect(await post(server, path, {}, key)).toMatchObject({ status: 422 })
    expect(await post(server, path, { encrypted_project_id: 'P1', query }, key)).toEqual({
      status: 400,
      body: {
        detail: 'encrypted_project_id is not a valid envelope: Payload is not a FLIP encryption envelope',
      },
    })
    expect(await post(server, path, { encrypted_project_id: sealed('other'), query }, key)).toEqual({
      status: 400,
      body: { detail: 'encrypted_project_id failed authentication' },
    })
  })

  it('goes down and comes back', async () => {
    const server = await start()
    await post(server, '/__stand-in/settings', { isDown: true })
    await expect(ask(clientOf(server))).rejects.toMatchObject({ code: 'COHORT_SOURCE_UNAVAILABLE' })
    await post(server, '/__stand-in/settings', { isDown: false, answersAfterMs: 1 })
    expect(await ask(clientOf(server))).toEqual({ accessionNumbers: samples })
  })

  it('refuses settings that it does not know', async () => {
    const server = await start()
    expect(await post(server, '/__stand-in/settings', { treshold: 1 })).toMatchObject({ status: 422 })
    expect(await post(server, '/__stand-in/cohort', {})).toMatchObject({ status: 404 })
  })
})
