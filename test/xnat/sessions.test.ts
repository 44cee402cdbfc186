import { expect, it } from 'vitest'
import { createProject, findProject, listProjects } from '../../lib/xnat/projects.ts'
import { clientOf, misbehaveNext, startStandIn } from './stand-in.ts'

it('knows who it is and what it talks to', async () => {
  const { client } = await startStandIn()
  expect(await client.whoAmI()).toBe('admin')
  expect((await client.buildInfo()).version).toMatch(/^\d/)
})

it('opens one session in XNAT for fifty simultaneous first calls', async () => {
  const { xnat, client } = await startStandIn()
  await Promise.all(Array.from({ length: 50 }, () => client.whoAmI()))
  const signIns = xnat.requests.list().filter(({ path }) => path === '/data/JSESSION')
  expect(signIns).toHaveLength(1)
})

it('works on as if nothing had happened when its session has expired', async () => {
  let time = new Date('2026-03-01T10:00:00Z').getTime()
  const { xnat, client } = await startStandIn({ now: () => new Date(time) })
  await createProject(client, { projectId: 'P' })
  time += 16 * 60_000
  xnat.requests.clear()
  expect((await findProject(client, 'P'))?.projectId).toBe('P')
  expect(xnat.requests.list().map(({ method, status }) => `${method} ${status}`)).toEqual([
    'GET 401',
    'POST 200',
    'GET 200',
  ])
})

it('keeps its session by keepAlive, and notices when it is gone', async () => {
  let time = new Date('2026-03-01T10:00:00Z').getTime()
  const { xnat, client } = await startStandIn({ now: () => new Date(time) })
  await client.whoAmI()
  xnat.requests.clear()
  for (let n = 0; n < 4; n += 1) {
    time += 10 * 60_000
    await client.keepAlive()
  }
  await client.whoAmI()
  expect(xnat.requests.list().every(({ status }) => status === 200)).toBe(true)
  time += 20 * 60_000
  await client.keepAlive()
  expect(
    xnat.requests
      .list()
      .slice(-3)
      .map(({ status }) => status),
  ).toEqual([401, 200, 200])
})

it('is not fooled by a site that answers strangers as guests', async () => {
  let time = new Date('2026-03-01T10:00:00Z').getTime()
  const { xnat, client } = await startStandIn({ now: () => new Date(time) })
  await createProject(client, { projectId: 'P' })
  xnat.state.configure({ requireLogin: false })
  time += 16 * 60_000
  expect((await findProject(client, 'P'))?.projectId).toBe('P')
  time += 16 * 60_000
  expect(await listProjects(client)).toHaveLength(1)
})

it.each(['unauthorized', 'login-page', 'redirect-to-login'] as const)('recovers from %s', async (fault) => {
  const { xnat, client } = await startStandIn()
  await createProject(client, { projectId: 'P' })
  misbehaveNext(xnat, fault, { when: { path: /projects/ } })
  expect((await findProject(client, 'P'))?.projectId).toBe('P')
})

it('ends its session in XNAT when it closes', async () => {
  const { xnat, client } = await startStandIn()
  const other = clientOf(xnat)
  await other.whoAmI()
  await other.close()
  expect(xnat.requests.list().at(-1)).toMatchObject({ method: 'DELETE', path: '/data/JSESSION', status: 200 })
  expect(await client.whoAmI()).toBe('admin')
})

it('signs in with an account of its own, and fails with a wrong password', async () => {
  const { xnat } = await startStandIn()
  xnat.state.addUser({ username: 'bob', password: 'p:w ü' })
  const right = clientOf(xnat, { credentials: { kind: 'password', user: 'bob', password: 'p:w ü' } })
  expect(await right.whoAmI()).toBe('bob')
  const wrong = clientOf(xnat, { credentials: { kind: 'password', user: 'bob', password: 'no' } })
  await expect(wrong.whoAmI()).rejects.toMatchObject({
    code: 'XNAT_UNAUTHORIZED',
    detail: expect.stringContaining('login attempt failed'),
  })
})

it.each(['status', 'cut-before', 'cut-during-reply'] as const)('asks again after %s', async (fault) => {
  const { xnat, client } = await startStandIn()
  await createProject(client, { projectId: 'P' })
  misbehaveNext(xnat, fault, { when: { path: /projects/ }, times: 2 })
  expect(await listProjects(client)).toHaveLength(1)
})
