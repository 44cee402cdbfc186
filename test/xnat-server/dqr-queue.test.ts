import { describe, expect } from 'vitest'
import { type SendOptions, type Site, test } from './site.ts'

interface Row {
  id: number
  username: string
}

async function queueStudies(site: Site, count: number): Promise<string[]> {
  site.server.pacs.register({ projects: ['P1'] })
  const orders = Array.from({ length: count }, (_, index) => ({ accessionNumber: `A${index + 1}` }))
  const uids = site.server.pacs.add(...orders).map(({ studyInstanceUid }) => studyInstanceUid)
  await request(site, { studies: uids.map((studyInstanceUid) => ({ studyInstanceUid })) })
  return uids
}

function request(site: Site, body: Record<string, unknown>, options: SendOptions = {}) {
  const whole = { pacsId: 1, aeTitle: 'XNAT', port: 8104, projectId: 'P1', ...body }
  return site.send('POST /xapi/dqr/import', { body: JSON.stringify(whole), ...options })
}

const ids = async (site: Site, query = '', options: SendOptions = {}) =>
  ((await site.send(`GET /xapi/dqr/import/queue${query}`, options)).json() as Row[]).map(({ id }) => id)

describe('the queue of DQR', () => {
  test('dqr A6: rows come newest first, in pages, and without a total', async ({ site }) => {
    await queueStudies(site, 5)
    expect(await ids(site)).toEqual([5, 4, 3, 2, 1])
    expect(await ids(site, '?sort=asc&page=2&pageSize=2')).toEqual([3, 4])
    expect(await ids(site, '?page=0&pageSize=2')).toEqual([5, 4])
    expect(await ids(site, '?pageSize=0')).toHaveLength(5)
    expect((await site.send('GET /xapi/dqr/import/queue?sort=up')).status).toBe(400)
    expect((await site.send('GET /xapi/dqr/import/queue/count')).text).toBe('5')
  })

  test('dqr A6: one sees one’s own rows; all of them take all-data access', async ({ site }) => {
    const [studyInstanceUid] = await queueStudies(site, 1)
    await site.send('PUT /xapi/users/member/roles/Dqr')
    const as = 'member'
    expect((await request(site, { studies: [{ studyInstanceUid }] }, { as })).json()).toMatchObject([
      { id: 2, username: 'member' },
    ])
    expect(await ids(site, '', { as })).toEqual([2])
    expect(await ids(site)).toEqual([1])
    expect(await ids(site, '?all=true')).toEqual([2, 1])
    expect(await site.send('GET /xapi/dqr/import/queue?all=true', { as })).toMatchObject({ status: 403, text: '' })
    expect(await site.send('GET /xapi/dqr/import/queue/count?all=true', { as })).toMatchObject({
      status: 403,
      text: '0',
    })
    expect((await site.send('GET /xapi/dqr/import/queue/1', { as })).status).toBe(403)
    expect(await site.send('DELETE /xapi/dqr/import/queue/1', { as })).toMatchObject({ status: 403, text: 'false' })
    expect(await site.send('DELETE /xapi/dqr/import/queue/2')).toMatchObject({ status: 200, text: 'true' })
    expect((await site.send('DELETE /xapi/dqr/import/queue/2')).status).toBe(404)
  })

  test('dqr A6: POST to the queue deletes, and of unknown ids says how many it did', async ({ site }) => {
    await queueStudies(site, 3)
    const gone = await site.send('POST /xapi/dqr/import/queue', { body: '[1,9]' })
    expect(gone.status).toBe(404)
    expect(gone.text).toContain('Deleted 1 queued requests, but the remaining IDs were not found: 9')
    expect(await ids(site)).toEqual([3, 2])
    expect(await site.send('POST /xapi/dqr/import/queue', { body: '[2,3]' })).toMatchObject({
      status: 200,
      text: 'true',
    })
    expect(await ids(site)).toEqual([])
  })

  test('dqr A6: a history row lacks what only the queue knows', async ({ site }) => {
    await queueStudies(site, 1)
    const queued = (await site.send('GET /xapi/dqr/import/queue/1')).json()
    expect(queued).toMatchObject({
      patientId: 'PAT-A1',
      priority: 1,
      studyDate: '20240102',
      enabled: true,
      disabled: 0,
    })
    await site.server.clock.advance(60_000)
    const executed = (await site.send('GET /xapi/dqr/import/history/1')).json()
    expect(executed).toMatchObject({
      accessionNumber: 'A1',
      executedTime: expect.any(Number),
      queuedTime: expect.any(Number),
    })
    for (const key of ['patientId', 'priority', 'remappingScript', 'retries']) expect(executed).not.toHaveProperty(key)
    expect((await site.send('GET /xapi/dqr/import/history/9')).status).toBe(404)
  })

  test('dqr A5: a project without settings is 404, disabled 403, for administrators too', async ({ site }) => {
    const [, studyInstanceUid] = await queueStudies(site, 2)
    await site.send('DELETE /xapi/dqr/import/queue/2')
    const studies = [{ studyInstanceUid }]
    await site.send('PUT /xapi/dqr/settings/project/P1', { body: '{"enabled":false}' })
    expect(await request(site, { studies })).toMatchObject({ status: 403, text: '' })
    await site.send('DELETE /xapi/dqr/settings/project/P1')
    expect((await request(site, { studies })).status).toBe(404)
    expect((await request(site, { studies, projectId: '' })).text).toContain(
      "Can't search for a project with a blank ID",
    )
    expect((await request(site, { studies, projectId: 'NONE' })).text).toContain('Project NONE does not exist')
    await site.send('POST /xapi/dqr/settings', { body: '{"allowAllProjectsToUseDqr":true}' })
    expect((await request(site, { studies, projectId: 'NONE' })).status).toBe(200)
    await site.server.clock.advance(60_000)
    expect((await site.send('GET /data/prearchive/projects/Unassigned?format=json')).rows()).toHaveLength(1)
  })

  test('dqr A5: unknown PACS 404, not queryable 409; the same study twice, or none, 500', async ({ site }) => {
    const [studyInstanceUid] = await queueStudies(site, 1)
    const studies = [{ studyInstanceUid }]
    expect((await request(site, { studies, pacsId: 9 })).status).toBe(404)
    expect((await request(site, { studies: [...studies, ...studies] })).status).toBe(500)
    expect((await request(site, {})).status).toBe(500)
    expect((await request(site, { studies: [{ studyInstanceUid, relabelMap: { Label: 'X' } }] })).status).toBe(500)
    await site.send('PUT /xapi/pacs/1', { body: '{"queryable":false}' })
    expect((await request(site, { studies })).status).toBe(409)
  })

  test('dqr A5: relabelling needs a receiver that is there and does it, unless forced', async ({ site }) => {
    const [studyInstanceUid] = await queueStudies(site, 1)
    const studies = [{ studyInstanceUid, relabelMap: { Session: 'S' } }]
    expect((await request(site, { studies, port: 9 })).status).toBe(404)
    await site.send('PUT /xapi/dicomscp/1', { body: '{"customProcessing":false}' })
    expect((await request(site, { studies })).status).toBe(400)
    expect((await request(site, { studies, forceImport: true })).status).toBe(200)
    expect((await request(site, { studies: [{ studyInstanceUid }] })).status).toBe(200)
  })

  test('dqr A5: a level of STUDY goes with no series', async ({ site }) => {
    const [studyInstanceUid] = await queueStudies(site, 1)
    const named = { studyInstanceUid, seriesDescriptions: ['Series 1'] }
    expect((await request(site, { studies: [named], retrieveLevel: 'study' })).status).toBe(400)
    expect((await request(site, { studies: [{ studyInstanceUid }], retrieveLevel: 'study' })).json()).toMatchObject([
      { retrieveLevel: 'STUDY' },
    ])
  })
})
