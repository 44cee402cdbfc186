import { describe, expect } from 'vitest'
import { basic, type Case, type Site, test, testFacts } from './site.ts'

const facts: Case[] = [
  {
    fact: 'sessions 3.8: only administrators see who is active; one sees one’s own sessions',
    steps: [
      { send: 'GET /xapi/users/active', as: 'owner', status: 403, text: '' },
      { send: 'GET /xapi/users/active/owner', as: 'owner', status: 200, text: /^\["[0-9A-F]{32}"\]$/ },
      { send: 'GET /xapi/users/active/admin', as: 'owner', status: 403 },
    ],
  },
  {
    fact: 'sessions 3.8: a user without sessions is 304 to read and 404 to end',
    steps: [
      { send: 'GET /xapi/users/active/member', status: 304, text: '' },
      { send: 'DELETE /xapi/users/active/member', status: 404 },
      { send: 'DELETE /data/user/member/sessions', status: 404 },
    ],
  },
  {
    fact: 'sessions 3.8: sessions are counted in JSON for one user and as a bare number by the service',
    steps: [
      { send: 'GET /data/auth', as: 'owner', status: 200 },
      { send: 'GET /data/user/owner/sessions', status: 200, text: '{"owner":1}' },
      { send: 'GET /data/services/sessions/owner', status: 200, text: '1' },
      { send: 'GET /data/services/sessions', as: 'owner', status: 200, text: '1' },
      { send: 'GET /data/services/sessions/owner', as: 'member', status: 403 },
      { send: 'GET /data/services/sessions/nobody', status: 400 },
    ],
  },
]

const hourMs = 60 * 60_000

async function fail(site: Site, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) {
    await site.send('GET /data/auth', { as: 'nobody', headers: basic('owner', 'wrong') })
  }
}

const signIn = async (site: Site) =>
  (await site.send('GET /data/auth', { as: 'nobody', headers: basic('owner', 'owner') })).status

describe('sessions of users', () => {
  testFacts(facts)

  test('sessions 3.8: an ended session is a login lost, and ending it twice is 304', async ({ site }) => {
    await site.send('GET /data/auth', { as: 'owner' })
    expect((await site.send('DELETE /xapi/users/active/owner')).json()).toHaveLength(1)
    expect((await site.send('DELETE /xapi/users/active/owner')).status).toBe(304)
    expect((await site.send('GET /data/auth', { as: 'owner' })).status).toBe(401)
  })

  test('sessions 3.8: one’s own present session is not in the answer, but ended all the same', async ({ site }) => {
    await site.send('GET /data/JSESSION', { as: 'nobody', headers: basic('owner', 'owner') })
    expect((await site.send('DELETE /xapi/users/active/owner', { as: 'owner' })).json()).toHaveLength(1)
    expect((await site.send('GET /data/auth', { as: 'owner' })).status).toBe(401)
  })

  test('auth 3.6: a disabled account is sent to a page about it, with a live session', async ({ site }) => {
    await site.send('GET /data/auth', { as: 'owner' })
    await site.send('PUT /xapi/users/owner/enabled/false')
    const { status, headers } = await site.send('GET /data/auth', { as: 'owner' })
    expect(status).toBe(302)
    expect(headers.location).toMatch(/\/app\/template\/InactiveAccount\.vm$/)
  })

  test('auth 3.6: a lockout ends at the first full hour after an hour', async ({ site }) => {
    await fail(site, 20)
    expect(await signIn(site)).toBe(401)
    await site.server.clock.advance(hourMs - 5000)
    expect(await signIn(site)).toBe(401)
    await site.server.clock.advance(2 * hourMs)
    expect(await signIn(site)).toBe(200)
  })

  test('auth 3.6: a new password ends a lockout', async ({ site }) => {
    await fail(site, 20)
    await site.send('PUT /xapi/users/owner', { body: '{"password":"owner"}' })
    expect(await signIn(site)).toBe(200)
  })

  test('auth 4.3: a password of 64 characters is taken for a hash and signs nobody in', async ({ site }) => {
    const password = 'a'.repeat(64)
    await site.send('PUT /xapi/users/owner', { body: JSON.stringify({ password }) })
    const answer = await site.send('GET /data/auth', { as: 'nobody', headers: basic('owner', password) })
    expect(answer.status).toBe(401)
  })

  test('auth 3.6: an unverified account signs in once e-mail verification is off', async ({ site }) => {
    await site.send('PUT /xapi/users/owner/verified/false')
    expect(await signIn(site)).toBe(401)
    await site.send('POST /xapi/siteConfig/emailVerification', { body: 'false' })
    expect(await signIn(site)).toBe(200)
  })
})
