import { describe, expect } from 'vitest'
import { type Case, test, testFacts, testStandInOnly } from './facts.ts'

const facts: Case[] = [
  {
    fact: 'auth-users-import 5: build info is open as a whole and needs a login below',
    steps: [
      { send: 'GET /xapi/siteConfig/buildInfo', as: 'nobody', status: 200, text: /"isDirty":"false"/ },
      { send: 'GET /xapi/siteConfig/buildInfo/version', as: 'nobody', status: 401 },
      { send: 'GET /xapi/siteConfig/buildInfo/version', as: 'outsider', status: 200, text: /^\d+\.\d+\.\d+$/ },
    ],
  },
  {
    fact: 'auth-users-import 5: /data/version does not exist',
    steps: [{ send: 'GET /data/version', status: 404 }],
  },
  {
    fact: 'auth-users-import 5: who may read what depends on the property; unknown ones are 403, and 404 for administrators',
    steps: [
      { send: 'GET /xapi/siteConfig/siteId', as: 'nobody', status: 200, text: /^\w+/ },
      { send: 'GET /xapi/siteConfig/checksums', as: 'nobody', status: 401, text: '' },
      { send: 'GET /xapi/siteConfig/checksums', as: 'outsider', status: 200, text: /^(true|false)$/ },
      { send: 'GET /xapi/siteConfig/sessionTimeout', as: 'outsider', status: 403, text: '' },
      { send: 'GET /xapi/siteConfig/sessionTimeout', status: 200, text: /\d/ },
      { send: 'GET /xapi/siteConfig/nonsense', as: 'outsider', status: 403, text: '' },
      { send: 'GET /xapi/siteConfig/nonsense', status: 404, text: /^Unable to find requested file or resource: / },
    ],
  },
  {
    fact: 'auth-users-import 5: several are asked at once, all or none',
    steps: [
      {
        send: 'GET /xapi/siteConfig/values/checksums,siteId',
        as: 'outsider',
        status: 200,
        text: /(?=.*"siteId":")(?=.*"checksums":)/,
      },
      { send: 'GET /xapi/siteConfig/values/checksums,sessionTimeout', as: 'outsider', status: 403 },
    ],
  },
  {
    fact: 'auth-users-import 5: administrators set one or several; unknown names are added',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/siteId', as: 'owner', body: 'X', status: 403, text: '' },
      { send: 'POST /xapi/siteConfig/siteId', body: 'X', status: 200, text: '' },
      { send: 'POST /xapi/siteConfig', body: '{"concurrentMaxSessions":7,"nonsense":"kept"}', status: 200 },
      { send: 'GET /xapi/siteConfig/siteId', as: 'nobody', status: 200, text: 'X' },
      { send: 'GET /xapi/siteConfig/concurrentMaxSessions', status: 200, text: '7' },
      { send: 'GET /xapi/siteConfig/nonsense', status: 200, text: 'kept' },
      { send: 'POST /xapi/siteConfig', body: 'no JSON', status: 500 },
    ],
  },
]

describe('site configuration', () => {
  testFacts(facts)

  test('auth-users-import 5: the whole list holds what its reader may see', async ({ site }) => {
    const seen = (await site.send('GET /xapi/siteConfig', { as: 'outsider' })).json()
    expect(seen).toMatchObject({ siteId: expect.any(String), checksums: expect.any(Boolean) })
    expect(seen).not.toHaveProperty('sessionTimeout')
    expect((await site.send('GET /xapi/siteConfig')).json()).toHaveProperty('sessionTimeout')
  })

  testStandInOnly(
    'auth-users-import 3.1: what is set at the beginning [stand-in only: counts on an empty site]',
    async ({ site, standIn }) => {
      expect((await site.send('GET /xapi/siteConfig')).json()).toMatchObject({
        siteUrl: standIn.url,
        requireLogin: true,
        sessionTimeout: '15 minutes',
        concurrentMaxSessions: 1000,
        maxFailedLogins: 20,
        aliasTokenTimeout: '2 days',
        emailVerification: true,
        enableCsrfToken: true,
        restrictUserListAccessToAdmins: false,
        projectAllowAutoArchive: true,
        checksums: true,
      })
    },
  )

  testStandInOnly(
    'auth-users-import 3.1: a session timeout set here is the one that counts [stand-in only: changes the site]',
    async ({ site, standIn }) => {
      await site.send('POST /xapi/siteConfig/sessionTimeout', { body: '2 minutes' })
      await site.send('GET /data/auth', { as: 'outsider' })
      await standIn.server.clock.advance(121_000)
      expect((await site.send('GET /data/auth', { as: 'outsider' })).status).toBe(401)
    },
  )

  testStandInOnly(
    'auth-users-import 5: uptime is told in parts and as a sentence [stand-in only: moves the clock]',
    async ({ site, standIn }) => {
      await standIn.server.clock.advance((2 * 24 * 60 + 61) * 60_000)
      const parts = await site.send('GET /xapi/siteConfig/uptime', { basic: 'admin' })
      expect(parts.json()).toMatchObject({ days: '2', hours: '1', minutes: '1' })
      const sentence = await site.send('GET /xapi/siteConfig/uptime/display', { basic: 'admin' })
      expect(sentence.text).toMatch(/^2 days, 1 hours, 1 minutes, \d+\.\d+ seconds$/)
    },
  )
})
