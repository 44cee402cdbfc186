import { describe, expect } from 'vitest'
import { type Case, test, testFacts, testStandInOnly } from './facts.ts'

const ada = { username: '{ada}', email: '{ada}@example.org', firstName: 'Ada', lastName: 'Lovelace' }
const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })
const createAda = {
  send: 'POST /xapi/users',
  ...json({ ...ada, password: 'enchantress', enabled: true, verified: true }),
  status: 201,
}

const facts: Case[] = [
  {
    fact: 'auth-users-import 4.2: every username is listed, to anybody who is logged in',
    steps: [{ send: 'GET /xapi/users', as: 'outsider', status: 200, text: /(?=.*"{admin}").*"{outsider}"/ }],
  },
  {
    fact: 'auth-users-import 4.2: a switch closes the lists to all but administrators, /data/users too',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/restrictUserListAccessToAdmins', body: 'true', status: 200 },
      { send: 'GET /xapi/users', as: 'outsider', status: 403, text: '' },
      { send: 'GET /xapi/users/profiles', as: 'outsider', status: 403, text: '' },
      { send: 'GET /xapi/users/profile/{outsider}', as: 'outsider', status: 200 },
      { send: 'GET /data/users', as: 'outsider', status: 403 },
      { send: 'GET /xapi/users', status: 200 },
    ],
  },
  {
    fact: 'auth-users-import 4.2: profile/{username} is 404 for an unknown name, and 400 for what is none',
    steps: [
      { send: 'GET /xapi/users/profile/nobody', status: 404, text: /^Unable to find requested file or resource: / },
      { send: 'GET /xapi/users/profile/4711', status: 400, text: /^Invalid username/ },
    ],
  },
  {
    fact: 'auth-users-import 4.2: an unknown name is 500 in users/{username}, and 403 for who may not ask',
    steps: [
      { send: 'GET /xapi/users/nobody', status: 500 },
      { send: 'GET /xapi/users/nobody', as: 'outsider', status: 403, text: '' },
    ],
  },
  {
    fact: 'auth-users-import 4.3: a new user is 201, the same name again 409, another case of it another user',
    ownUsers: true,
    steps: [
      createAda,
      { ...createAda, status: 409, text: 'The resource of type user with the name {ada} already exists.' },
      { send: 'POST /xapi/users', ...json({ ...ada, username: '{Ada}' }), status: 201 },
    ],
  },
  {
    fact: 'auth-users-import 4.3: what is missing or malformed is listed in a text',
    ownUsers: true,
    steps: [
      {
        send: 'POST /xapi/users',
        ...json({ username: '{ada}', email: 'nowhere', lastName: 'a<b' }),
        status: 400,
        text: 'There was an error with the submitted data\n * Missing fields: firstName\n * Invalid fields:\n    - email: Invalid email format\n    - lastName: Invalid lastName format\n',
      },
    ],
  },
  {
    fact: 'auth-users-import 4.3: only administrators create users, and unreadable JSON is 500',
    ownUsers: true,
    steps: [
      { send: 'POST /xapi/users', ...json(ada), as: 'owner', status: 403, text: '' },
      { send: 'POST /xapi/users', body: '{', status: 500 },
    ],
  },
  {
    fact: 'auth-users-import 4.3: "verified" without "enabled" is not looked at',
    ownUsers: true,
    steps: [
      { send: 'POST /xapi/users', ...json({ ...ada, verified: true }), status: 201 },
      { send: 'GET /xapi/users/{ada}/verified', status: 200, text: 'false' },
      { send: 'GET /xapi/users/{ada}/enabled', status: 200, text: 'false' },
    ],
  },
  {
    fact: 'auth-users-import 4.3: a weak password is 500, in a change as in a new account',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/passwordComplexity', body: '^.{8,}$', status: 200 },
      { send: 'POST /xapi/users', ...json({ ...ada, password: 'short' }), status: 500 },
      createAda,
      { send: 'PUT /xapi/users/{ada}', ...json({ password: 'short' }), status: 500 },
    ],
  },
  {
    fact: 'auth-users-import 4.4: a change is 200, the same again 304',
    ownUsers: true,
    steps: [
      createAda,
      { send: 'PUT /xapi/users/{ada}', ...json({ lastName: 'King' }), status: 200, text: /"lastName":"King"/ },
      { send: 'PUT /xapi/users/{ada}', ...json({ lastName: 'King' }), status: 304, text: '' },
      { send: 'PUT /xapi/users/{ada}', ...json({ firstName: ' ', email: null }), status: 304 },
      { send: 'PUT /xapi/users/{ada}', ...json({ username: '{Ada}', lastName: 'X' }), status: 400 },
      { send: 'PUT /xapi/users/{ada}', ...json({ email: 'nowhere' }), status: 400 },
      {
        send: 'PUT /xapi/users/nobody',
        ...json({ lastName: 'X' }),
        status: 404,
        text: 'There was an error in the request : Invalid username and/or password',
      },
    ],
  },
  {
    fact: 'auth-users-import 4.2: one’s own password needs the present one; an address waits for confirmation',
    ownUsers: true,
    steps: [
      { send: 'PUT /xapi/users/update', as: 'outsider', ...json({ password: 'New-{outsiderPassword}' }), status: 500 },
      {
        send: 'PUT /xapi/users/update',
        as: 'outsider',
        ...json({ password: 'New-{outsiderPassword}', currentPassword: '{outsiderPassword}', firstName: 'ignored' }),
        status: 200,
        text: /"firstName":"outsider"/,
      },
      { send: 'PUT /xapi/users/update', as: 'outsider', ...json({ email: '{owner}@example.org' }), status: 500 },
      {
        send: 'PUT /xapi/users/update',
        as: 'outsider',
        ...json({ email: 'new-{outsider}@example.org' }),
        status: 200,
        text: /"email":"{outsider}@example.org"/,
      },
      {
        send: 'GET /xapi/users/profile',
        as: 'outsider',
        status: 200,
        text: /"pendingEmail":"new-{outsider}@example.org"/,
      },
    ],
  },
  {
    fact: 'auth-users-import 4.2: a flag is set without an answer, and setting it again is no error',
    ownUsers: true,
    steps: [
      createAda,
      { send: 'PUT /xapi/users/{ada}/enabled/false', status: 200, text: '' },
      { send: 'PUT /xapi/users/{ada}/enabled/false', status: 200, text: '' },
      { send: 'GET /xapi/users/{ada}/enabled', status: 200, text: 'false' },
      { send: 'GET /xapi/users/{ada}/enabled', as: 'outsider', status: 403, text: 'false' },
      { send: 'PUT /xapi/users/{ada}/enabled/maybe', status: 500 },
    ],
  },
  {
    fact: 'auth-users-import 4.2: groups that do not exist are answered with 202 and their names',
    ownUsers: true,
    steps: [
      createAda,
      {
        send: 'PUT /xapi/users/{ada}/groups',
        ...json(['ALL_DATA_ADMIN', 'NONE_owner']),
        status: 202,
        text: '["NONE_owner"]',
      },
      { send: 'GET /xapi/users/{ada}/groups', status: 200, text: '["ALL_DATA_ADMIN"]' },
      { send: 'PUT /xapi/users/{ada}/groups/NONE_owner', status: 500 },
      { send: 'DELETE /xapi/users/{ada}/groups', ...json(['ALL_DATA_ADMIN']), status: 200, text: '[]' },
      { send: 'GET /xapi/users/{ada}/groups', status: 200, text: '[]' },
    ],
  },
  {
    fact: 'auth-users-import 4.2: a second group of one project takes the first one’s place',
    steps: [
      { send: 'PUT /xapi/users/{outsider}/groups/{P1}_member', status: 200, text: '' },
      { send: 'PUT /xapi/users/{outsider}/groups/{P1}_collaborator', status: 200 },
      { send: 'GET /xapi/users/{outsider}/groups', status: 200, text: '["{P1}_collaborator"]' },
    ],
  },
  {
    fact: 'auth-users-import 4.2: a project’s owner adds others to its groups, but cannot remove them here',
    steps: [
      { send: 'PUT /xapi/users/{outsider}/groups/{P1}_member', as: 'owner', status: 200 },
      { send: 'PUT /xapi/users/{outsider}/groups/ALL_DATA_ADMIN', as: 'owner', status: 403 },
      { send: 'DELETE /xapi/users/{outsider}/groups/{P1}_member', as: 'owner', status: 403 },
      { send: 'PUT /xapi/users/{owner}/groups/{P1}_owner', as: 'member', status: 403 },
    ],
  },
  {
    fact: 'auth-users-import 4.2: roles are given and taken, and the last administrator stays one',
    standInOnly: 'counts on an empty site',
    steps: [
      { send: 'PUT /xapi/users/{outsider}/roles/Dqr', status: 200, text: '' },
      { send: 'GET /xapi/users/{outsider}/roles', as: 'outsider', status: 200, text: '["Dqr"]' },
      { send: 'GET /xapi/users/roles/Dqr', status: 200, text: '["{outsider}"]' },
      { send: 'PUT /xapi/users/{outsider}/roles/Administrator', as: 'outsider', status: 403 },
      { send: 'DELETE /xapi/users/{admin}/roles/Administrator', status: 409, text: /no other enabled verified users/ },
      { send: 'DELETE /xapi/users/{outsider}/roles', ...json(['Dqr']), status: 200, text: '[]' },
      { send: 'GET /xapi/users/rolemap', status: 200, text: /"Dqr":\[\]/ },
    ],
  },
  {
    fact: 'auth-users-import 4.2: /data/users lists enabled accounts, all values as texts',
    ownUsers: true,
    steps: [
      { send: 'GET /data/auth', as: 'outsider', status: 200 },
      { send: 'PUT /xapi/users/{member}/enabled/false', status: 200 },
      {
        send: 'GET /data/users',
        status: 200,
        text: /"totalRecords":"\d+"/,
        among: { login: '{outsider}', firstname: 'outsider', xdat_user_id: /^\d+$/ },
        lacks: { login: '{member}' },
      },
    ],
  },
  {
    fact: 'auth-users-import 4.2: /data/users is ordered by last name',
    standInOnly: 'counts on an empty site',
    steps: [
      { send: 'GET /data/auth', as: 'owner', status: 200 },
      { send: 'GET /data/auth', as: 'collaborator', status: 200 },
      {
        send: 'GET /data/users',
        status: 200,
        rows: [{ login: '{admin}' }, { login: '{collaborator}' }, { login: '{owner}' }],
        inOrder: true,
      },
    ],
  },
  {
    fact: 'auth-users-import 4.2: the projects one can edit',
    steps: [
      { send: 'GET /xapi/users/projects', as: 'member', status: 200, text: '["{P1}"]' },
      { send: 'GET /xapi/users/projects', as: 'collaborator', status: 200, text: '[]' },
    ],
  },
]

describe('users', () => {
  testFacts(facts)

  test('auth-users-import 4.1: a user is shown with epoch times, its last login only among profiles', async ({
    site,
  }) => {
    await site.send('GET /data/auth', { as: 'owner' })
    const shown = (await site.send('GET /xapi/users/{owner}')).json()
    expect(shown).toEqual({
      id: expect.any(Number),
      username: site.name('owner'),
      firstName: 'owner',
      lastName: expect.stringContaining('owner'),
      email: site.fill('{owner}@example.org'),
      secured: true,
      lastModified: expect.any(Number),
      enabled: true,
      verified: true,
    })
    const profile = (await site.send('GET /xapi/users/profile/{owner}')).json()
    expect(profile).toMatchObject({ lastSuccessfulLogin: expect.any(Number) })
  })

  testStandInOnly(
    'auth-users-import 4.2: current users are the enabled ones and those seen within a year [stand-in only: moves the clock]',
    async ({ site, standIn }) => {
      const names = async () => {
        // Signed in anew each time: a session does not live that long.
        const users = (await site.send('GET /xapi/users/current', { basic: 'admin' })).json() as { username: string }[]
        return users.map(({ username }) => username)
      }
      await site.send('GET /data/auth', { as: 'owner' })
      await site.send('PUT /xapi/users/{member}/enabled/false')
      expect(await names()).toContain(site.name('member'))
      await standIn.server.clock.advance(366 * 24 * 60 * 60_000)
      expect(await names()).not.toContain(site.name('member'))
      expect(await names()).toContain(site.name('owner'))
    },
  )
})
