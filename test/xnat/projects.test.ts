import { expect, it } from 'vitest'
import {
  createProject,
  deleteProject,
  findProject,
  findProjectBySecondaryId,
  getAccessibility,
  getPrearchiveCode,
  listMembers,
  listProjects,
  putProject,
  removeMember,
  setAccessibility,
  setMember,
  setPrearchiveCode,
} from '../../lib/xnat/projects.ts'
import { clientOf, misbehaveNext, startStandIn } from './stand-in.ts'

it('creates a project with all it was told and finds it by ID', async () => {
  const { client } = await startStandIn()
  const outcome = await createProject(client, {
    projectId: 'P1',
    secondaryId: '5d1a0f5e-hub',
    name: 'Brains & <more>',
    description: 'about "brains"',
    principalInvestigator: { firstName: 'Ada', lastName: 'Ölmez' },
  })
  expect(outcome).toEqual({ kind: 'created' })
  expect(await findProject(client, 'P1')).toEqual({
    projectId: 'P1',
    secondaryId: '5d1a0f5e-hub',
    name: 'Brains & <more>',
    description: 'about "brains"',
    piFirstName: 'Ada',
    piLastName: 'Ölmez',
  })
})

it('reports a project that is there already and leaves it alone', async () => {
  const { client } = await startStandIn()
  await createProject(client, { projectId: 'P1', description: 'first' })
  expect(await createProject(client, { projectId: 'P1', description: 'second' })).toEqual({ kind: 'already-there' })
  expect((await findProject(client, 'P1'))?.description).toBe('first')
})

it('creates private projects unless told otherwise', async () => {
  const { client } = await startStandIn()
  await createProject(client, { projectId: 'P1' })
  await createProject(client, { projectId: 'P2', accessibility: 'public' })
  expect(await getAccessibility(client, 'P1')).toBe('private')
  expect(await getAccessibility(client, 'P2')).toBe('public')
  await setAccessibility(client, 'P1', 'protected')
  expect(await getAccessibility(client, 'P1')).toBe('protected')
})

it.each([{ name: 'Taken' }, { secondaryId: 'TAKEN-2' }])(
  'calls it a conflict when another project has %j, which XNAT answers with 500',
  async (clash) => {
    const { client } = await startStandIn()
    await createProject(client, { projectId: 'P1', name: 'taken', secondaryId: 'taken-2' })
    await expect(createProject(client, { projectId: 'P2', ...clash })).rejects.toMatchObject({
      code: 'XNAT_CONFLICT',
      retry: 'never',
    })
  },
)

it('leaves a 500 without such a reason for later', async () => {
  const { xnat, client } = await startStandIn()
  misbehaveNext(xnat, 'status', { when: { method: 'POST', path: /projects/ }, status: 500 })
  await expect(createProject(client, { projectId: 'P2' })).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
})

it('finds a project by its secondary ID without listing the site', async () => {
  const { xnat, client } = await startStandIn()
  for (const n of [1, 2, 3]) await createProject(client, { projectId: `P${n}`, secondaryId: `hub-${n}` })
  xnat.requests.clear()
  expect((await findProjectBySecondaryId(client, 'hub-2'))?.projectId).toBe('P2')
  expect(await findProjectBySecondaryId(client, 'hub-4')).toBe(undefined)
  expect(xnat.requests.list().map(({ path }) => path)).toEqual([
    '/data/projects?format=json&secondary_ID=hub-2',
    '/data/projects?format=json&secondary_ID=hub-4',
  ])
})

it.each(['*', 'hub-%', 'a,b', "o'x", ''])(
  'refuses to search for %j, which XNAT would not take for itself',
  async (id) => {
    const { client } = await startStandIn()
    await expect(findProjectBySecondaryId(client, id)).rejects.toMatchObject({ code: 'FILTER_NOT_EXACT' })
  },
)

it('takes an alias for no ID', async () => {
  const { client } = await startStandIn()
  await createProject(client, { projectId: 'P1', aliases: ['other'] })
  expect(await findProject(client, 'other')).toBe(undefined)
})

it('shows a private project to its members only', async () => {
  const { xnat, client } = await startStandIn()
  xnat.state.addUser({ username: 'bob' })
  const bob = clientOf(xnat, { user: 'bob' })
  await createProject(client, { projectId: 'P1' })
  expect(await findProject(bob, 'P1')).toBe(undefined)
  expect(await listProjects(bob)).toEqual([])
  await setMember(client, { projectId: 'P1', role: 'collaborator', login: 'bob' })
  expect((await findProject(bob, 'P1'))?.projectId).toBe('P1')
  const members = await listMembers(client, 'P1')
  expect(members.map(({ login, groupId }) => [login, groupId])).toContainEqual(['bob', 'P1_collaborator'])
  await removeMember(client, { projectId: 'P1', role: 'collaborator', login: 'bob' })
  expect(await findProject(bob, 'P1')).toBe(undefined)
})

it('lists what the account may edit', async () => {
  const { xnat, client } = await startStandIn()
  xnat.state.addUser({ username: 'bob' })
  const bob = clientOf(xnat, { user: 'bob' })
  await createProject(client, { projectId: 'P1', accessibility: 'public' })
  await createProject(bob, { projectId: 'P2' })
  expect((await listProjects(bob)).map(({ projectId }) => projectId).sort()).toEqual(['P1', 'P2'])
  expect((await listProjects(bob, { restrict: 'edit' })).map(({ projectId }) => projectId)).toEqual(['P2'])
})

it('changes a project by putting it again', async () => {
  const { client } = await startStandIn()
  await putProject(client, { projectId: 'P1', description: 'first' })
  await putProject(client, { projectId: 'P1', description: 'second' })
  expect((await findProject(client, 'P1'))?.description).toBe('second')
})

it('reads and sets the prearchive code', async () => {
  const { client } = await startStandIn()
  await createProject(client, { projectId: 'P1' })
  expect(await getPrearchiveCode(client, 'P1')).toBe(4)
  await setPrearchiveCode(client, 'P1', 0)
  expect(await getPrearchiveCode(client, 'P1')).toBe(0)
})

it('deletes a project once and for all', async () => {
  const { client } = await startStandIn()
  await createProject(client, { projectId: 'P1' })
  expect(await deleteProject(client, 'P1', { removeFiles: true })).toEqual({ kind: 'deleted' })
  expect(await findProject(client, 'P1')).toBe(undefined)
  expect(await deleteProject(client, 'P1')).toEqual({ kind: 'not-there' })
})

it.each(['../P2', 'P1/subjects', 'P 1', ''])('sends nothing for a project called %j', async (projectId) => {
  const { xnat, client } = await startStandIn()
  await expect(findProject(client, projectId)).rejects.toMatchObject({ code: 'UNSAFE_PATH_VALUE' })
  expect(xnat.requests.count()).toBe(0)
})
