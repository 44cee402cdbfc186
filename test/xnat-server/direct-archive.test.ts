import { describe, expect } from 'vitest'
import { type Site, test } from './site.ts'
import { addProjects, imported, instance, minuteMs, prearchived, scanFiles } from './studies.ts'

const direct = 'project=MANUAL&subject=S1&session=E1&Direct-Archive=true'
const rowPath = '/xapi/direct-archive/MANUAL/2.25.100/E1'

type Row = Record<string, unknown> & { id: number }

async function rows(
  site: Site,
  order: object = {},
  as: 'admin' | 'collaborator' | 'outsider' = 'admin',
): Promise<Row[]> {
  const headers = { 'content-type': 'application/json' }
  const answer = await site.send('POST /xapi/direct-archive', { as, body: JSON.stringify(order), headers })
  expect(answer.status, answer.text).toBe(200)
  return answer.json() as Row[]
}

const eq = (value: string) => ({ backend: 'hibernate', operator: 'eq', value })

describe('direct archive', () => {
  test('auth-users-import 8.2: after five minutes it is archived, and the row is gone', async ({ site }) => {
    await addProjects(site)
    await imported(site, direct)
    await site.server.clock.advance(4.9 * minuteMs)
    expect(await rows(site)).toHaveLength(1)
    await site.server.clock.advance(0.1 * minuteMs)
    expect(await rows(site)).toEqual([])
    expect((await site.send(`GET ${rowPath}`)).status).toBe(404)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 2, 2: 2 })
    expect(await prearchived(site, 'MANUAL')).toEqual([])
  })

  test('auth-users-import 8.2: on its way it passes QUEUED_BUILDING, BUILDING, QUEUED_ARCHIVING and ARCHIVING', async ({
    site,
  }) => {
    await addProjects(site)
    site.server.state.arrange({ sessionStepMs: 1000 })
    await imported(site, direct)
    await site.server.clock.advance(5 * minuteMs)
    const passed: unknown[] = []
    for (let second = 0; second < 5; second += 1) {
      passed.push(...(await rows(site)).map(({ status }) => status))
      await site.server.clock.advance(1000)
    }
    expect(passed).toEqual(['QUEUED_BUILDING', 'BUILDING', 'QUEUED_ARCHIVING', 'ARCHIVING'])
  })

  test('auth-users-import 8.2: into a session that is there, or a row that no longer receives, it silently goes to the prearchive', async ({
    site,
  }) => {
    await addProjects(site)
    await imported(site, direct)
    expect(await imported(site, direct, [instance('3.dcm')])).toBe(rowPath)
    site.server.state.arrange({ sessionStepMs: minuteMs })
    await site.send(`POST ${rowPath}`)
    expect(await imported(site, direct, [instance('4.dcm')])).toMatch(/^\/data\/prearchive\/projects\/MANUAL\//)
    await site.server.clock.advance(5 * minuteMs)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 3, 2: 2 })
    expect(await imported(site, direct, [instance('5.dcm')])).toMatch(/^\/data\/prearchive\/projects\/MANUAL\//)
  })

  test('auth-users-import 8.2: a failure moves it to the prearchive: ERROR, auto-archive, and the reason in the log', async ({
    site,
  }) => {
    await addProjects(site)
    site.server.state.arrange({ directArchiveFails: 'moved' })
    await imported(site, direct)
    await site.server.clock.advance(5 * minuteMs)
    expect(await rows(site)).toEqual([])
    const [row] = await prearchived(site, 'MANUAL')
    expect(row).toMatchObject({ name: 'E1', status: 'ERROR', autoarchive: 'AutoArchive' })
    expect((await site.send(`GET /data${row?.['url']}/logs/last`)).text).toMatch(/^Attempt to direct-archive failed\n/)
    site.server.state.arrange({ directArchiveFails: 'never' })
    expect((await site.send(`POST /data${row?.['url']}?action=commit`)).status).toBe(301)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 8.2: a session archived in the meantime is such a failure', async ({ site }) => {
    await addProjects(site)
    await imported(site, direct)
    await imported(site, 'dest=/archive/projects/MANUAL/subjects/S1/experiments/E1')
    await site.server.clock.advance(5 * minuteMs)
    expect(await rows(site)).toEqual([])
    const [row] = await prearchived(site, 'MANUAL')
    expect((await site.send(`GET /data${row?.['url']}/logs/last`)).text).toContain('Session already exists')
  })

  test('auth-users-import 8.2: only when that move fails too the row stays, ERROR, with a message', async ({
    site,
  }) => {
    await addProjects(site)
    site.server.state.arrange({ directArchiveFails: 'left' })
    await imported(site, direct)
    await site.server.clock.advance(5 * minuteMs)
    expect(await rows(site)).toMatchObject([{ status: 'ERROR', message: 'Unable to save session' }])
    expect(await prearchived(site, 'MANUAL')).toEqual([])
  })

  for (const place of ['RECEIVING', 'BUILDING'] as const) {
    test(`a switch keeps rows ${place}`, async ({ site }) => {
      await addProjects(site)
      site.server.state.arrange({ directArchiveHangsIn: place })
      await imported(site, direct)
      await site.server.clock.advance(10 * minuteMs)
      expect(await rows(site)).toMatchObject([{ status: place }])
    })
  }
})

describe('lists of direct-archive rows', () => {
  async function receiveThree(site: Site): Promise<void> {
    await addProjects(site)
    for (const label of ['A1', 'A2', 'B1']) {
      await imported(site, `project=MANUAL&session=${label}&Direct-Archive=true`, [instance()])
      await site.server.clock.advance(1000)
    }
  }
  const names = async (site: Site, order: object) => (await rows(site, order)).map(({ name }) => name)

  test('auth-users-import 8.1: last built first, unless told otherwise; pages of a size', async ({ site }) => {
    await receiveThree(site)
    expect(await names(site, {})).toEqual(['B1', 'A2', 'A1'])
    expect(await names(site, { sort_col: 'name', sort_dir: 'asc' })).toEqual(['A1', 'A2', 'B1'])
    expect(await names(site, { sort_col: 'name', sort_dir: 'asc', page: 2, size: 2 })).toEqual(['B1'])
    expect(await names(site, { sort_col: 'name', sort_dir: 'asc', page: 0, size: 0 })).toHaveLength(3)
  })

  test('auth-users-import 8.1: filters by operator: eq, like as a part of the text, in, not, or', async ({ site }) => {
    await receiveThree(site)
    expect(await names(site, { filters: { project: eq('MANUAL'), name: eq('A2') } })).toEqual(['A2'])
    expect(await names(site, { filters: { project: eq('AUTO') } })).toEqual([])
    expect(await names(site, { filters: { name: { operator: 'like', value: 'A' } } })).toEqual(['A2', 'A1'])
    expect(await names(site, { filters: { name: { operator: 'in', values: ['A1', 'B1'] } } })).toEqual(['B1', 'A1'])
    expect(await names(site, { filters: { name: { ...eq('A1'), not: true } } })).toEqual(['B1', 'A2'])
    expect(await names(site, { filters: { name: { orFilters: [eq('A1'), eq('B1')] } } })).toEqual(['B1', 'A1'])
  })

  test('HibernateFilter: a status cannot be filtered by its name, which is 500', async ({ site }) => {
    const body = JSON.stringify({ filters: { status: eq('RECEIVING') } })
    expect((await site.send('POST /xapi/direct-archive', { body })).status).toBe(500)
  })

  test('auth-users-import 8.1: rows are limited to projects that may be read; a body is needed', async ({ site }) => {
    await receiveThree(site)
    await site.send('PUT /data/projects/MANUAL/accessibility/private')
    expect(await rows(site, {}, 'collaborator')).toHaveLength(3)
    expect(await rows(site, {}, 'outsider')).toEqual([])
    expect((await site.send('POST /xapi/direct-archive')).status).toBe(500)
  })
})
