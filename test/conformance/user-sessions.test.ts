import { describe, expect } from 'vitest'
import { type Case, testFacts, testStandInOnly, testWithOwnUsers } from './facts.ts'
import type { Site } from './site.ts'

const hourMs = 60 * 60_000

const facts: Case[] = [
  {
    fact: 'auth-users-import 3.8: only administrators see who is active; one sees one’s own sessions',
    steps: [
      { send: 'GET /xapi/users/active', as: 'owner', status: 403, text: '' },
      { send: 'GET /xapi/users/active', status: 200, text: /"{owner}":\{"sessions":\[/ },
      { send: 'GET /xapi/users/active/{owner}', as: 'owner', status: 200, text: /^\["[0-9A-F]{32}"\]$/ },
      { send: 'GET /xapi/users/active/{admin}', as: 'owner', status: 403 },
    ],
    ownUsers: true,
  },
  {
    fact: 'auth-users-import 3.8: a user without sessions is 304 to read and 404 to end',
    ownUsers: true,
    steps: [
      { send: 'GET /xapi/users/active/{outsider}', status: 304, text: '' },
      { send: 'DELETE /xapi/users/active/{outsider}', status: 404 },
      { send: 'DELETE /data/user/{outsider}/sessions', status: 404 },
    ],
  },
  {
    fact: 'auth-users-import 3.8: sessions are counted in JSON for one user and as a bare number by the service',
    ownUsers: true,
    steps: [
      { send: 'GET /data/auth', as: 'owner', status: 200 },
      { send: 'GET /data/user/{owner}/sessions', status: 200, text: '{"{owner}":1}' },
      { send: 'GET /data/services/sessions/{owner}', status: 200, text: '1' },
      { send: 'GET /data/services/sessions', as: 'owner', status: 200, text: '1' },
      { send: 'GET /data/services/sessions/{owner}', as: 'member', status: 403 },
      { send: 'GET /data/services/sessions/nobody', status: 400 },
    ],
  },
  {
    fact: 'auth-users-import 3.8: an ended session is a login lost, and ending it twice is 304',
    ownUsers: true,
    steps: [
      { send: 'GET /data/JSESSION', basic: 'outsider', status: 200, keep: 'LOGIN' },
      { send: 'DELETE /xapi/users/active/{outsider}', status: 200, text: '["{LOGIN}"]' },
      { send: 'DELETE /xapi/users/active/{outsider}', status: 304 },
      { send: 'GET /data/auth', login: '{LOGIN}', status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 3.8: one’s own present session is not in the answer, but ended all the same',
    ownUsers: true,
    steps: [
      { send: 'GET /data/JSESSION', basic: 'outsider', status: 200, keep: 'OTHER' },
      { send: 'DELETE /xapi/users/active/{outsider}', as: 'outsider', status: 200, text: '["{OTHER}"]' },
      { send: 'GET /data/auth', as: 'outsider', status: 401 },
    ],
  },
]

async function fail(site: Site, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) await site.send('GET /data/auth', { basic: ['{outsider}', 'wrong'] })
}

const signIn = async (site: Site) => (await site.send('GET /data/auth', { basic: 'outsider' })).status

describe('sessions of users', () => {
  testFacts(facts)

  testStandInOnly(
    'auth-users-import 3.6: a lockout ends at the first full hour after an hour [stand-in only: moves the clock]',
    async ({ site, standIn }) => {
      await fail(site, 20)
      expect(await signIn(site)).toBe(401)
      await standIn.server.clock.advance(hourMs - 5000)
      expect(await signIn(site)).toBe(401)
      await standIn.server.clock.advance(2 * hourMs)
      expect(await signIn(site)).toBe(200)
    },
  )

  testWithOwnUsers('auth-users-import 3.6: a new password ends a lockout', async ({ site }) => {
    await fail(site, 20)
    expect(await signIn(site)).toBe(401)
    await site.send('PUT /xapi/users/{outsider}', { body: '{"password":"{outsiderPassword}"}' })
    expect(await signIn(site)).toBe(200)
  })
})
