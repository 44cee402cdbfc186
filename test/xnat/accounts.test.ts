import { expect, it } from 'vitest'
import { createProject, findProject } from '../../lib/xnat/projects.ts'
import { invalidateToken, issueToken, validateToken } from '../../lib/xnat/tokens.ts'
import {
  addToGroups,
  createUser,
  findUser,
  findUsersByEmail,
  listGroups,
  listUsernames,
  removeFromGroups,
  updateUser,
} from '../../lib/xnat/users.ts'
import { clientOf, startStandIn } from './stand-in.ts'

const cleo = {
  username: 'cleo',
  email: 'Cleo@example.org',
  firstName: 'Cleo',
  lastName: 'Doe',
  password: 'Str0ng-enough!',
}

it('creates a user who can sign in, finds them by name and address, and leaves a second attempt alone', async () => {
  const { xnat, client } = await startStandIn()
  expect(await createUser(client, cleo)).toEqual({ kind: 'created' })
  expect(await createUser(client, { ...cleo, firstName: 'Other' })).toEqual({ kind: 'already-there' })
  expect(await findUser(client, 'cleo')).toMatchObject({ firstName: 'Cleo', enabled: true, verified: true })
  expect(await findUser(client, 'Cleo')).toBe(undefined)
  expect((await findUsersByEmail(client, 'cleo@EXAMPLE.org')).map(({ username }) => username)).toEqual(['cleo'])
  expect(await listUsernames(client)).toContain('cleo')
  const credentials = { kind: 'password', user: 'cleo', password: cleo.password } as const
  expect(await clientOf(xnat, { credentials }).whoAmI()).toBe('cleo')
})

it('locks a user out by disabling the account', async () => {
  const { xnat, client } = await startStandIn()
  await createUser(client, cleo)
  expect(await updateUser(client, 'cleo', { enabled: false })).toEqual({ kind: 'changed' })
  expect(await updateUser(client, 'cleo', { enabled: false })).toEqual({ kind: 'unchanged' })
  const credentials = { kind: 'password', user: 'cleo', password: cleo.password } as const
  await expect(clientOf(xnat, { credentials }).whoAmI()).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED' })
})

it('gives and takes rights in a project by its groups', async () => {
  const { xnat, client } = await startStandIn()
  await createProject(client, { projectId: 'P' })
  await createUser(client, cleo)
  const theirs = clientOf(xnat, { credentials: { kind: 'password', user: 'cleo', password: cleo.password } })
  expect(await findProject(theirs, 'P')).toBe(undefined)
  expect(await addToGroups(client, 'cleo', ['P_member'])).toEqual({ failed: [] })
  expect(await listGroups(client, 'cleo')).toEqual(['P_member'])
  expect((await findProject(theirs, 'P'))?.projectId).toBe('P')
  expect(await removeFromGroups(client, 'cleo', ['P_member'])).toEqual({ failed: [] })
  expect(await findProject(theirs, 'P')).toBe(undefined)
})

it('signs in with an alias token until it is revoked', async () => {
  const { xnat, client } = await startStandIn()
  const token = await issueToken(client)
  const credentials = { kind: 'alias-token', alias: token.alias, secret: token.secret } as const
  expect(await clientOf(xnat, { credentials }).whoAmI()).toBe(xnat.user)
  expect(await validateToken(client, token)).toBe(xnat.user)
  expect(await validateToken(client, { ...token, secret: 'wrong' })).toBe(undefined)
  expect(await invalidateToken(client, token.alias)).toEqual({ kind: 'invalidated' })
  expect(await invalidateToken(client, token.alias)).toEqual({ kind: 'not-there' })
  await expect(clientOf(xnat, { credentials }).whoAmI()).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED' })
})
