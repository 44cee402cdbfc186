import { describe, expect } from 'vitest'
import { basic, type Case, test, testFacts } from './site.ts'

const facts: Case[] = [
  {
    fact: 'site 5: build info is open as a whole and needs a login below',
    steps: [
      { send: 'GET /xapi/siteConfig/buildInfo', as: 'nobody', status: 200, text: /"isDirty":"false"/ },
      { send: 'GET /xapi/siteConfig/buildInfo/version', as: 'nobody', status: 401 },
      { send: 'GET /xapi/siteConfig/buildInfo/version', as: 'outsider', status: 200, text: /^\d+\.\d+\.\d+$/ },
    ],
  },
  {
    fact: 'site 5: /data/version does not exist',
    steps: [{ send: 'GET /data/version', status: 404 }],
  },
  {
    fact: 'site 5: who may read what depends on the property; unknown ones are 403, and 404 for administrators',
    steps: [
      { send: 'GET /xapi/siteConfig/siteId', as: 'nobody', status: 200, text: 'XNAT' },
      { send: 'GET /xapi/siteConfig/checksums', as: 'nobody', status: 401, text: '' },
      { send: 'GET /xapi/siteConfig/checksums', as: 'outsider', status: 200, text: 'true' },
      { send: 'GET /xapi/siteConfig/sessionTimeout', as: 'outsider', status: 403, text: '' },
      { send: 'GET /xapi/siteConfig/sessionTimeout', status: 200, text: '15 minutes' },
      { send: 'GET /xapi/siteConfig/nonsense', as: 'outsider', status: 403, text: '' },
      { send: 'GET /xapi/siteConfig/nonsense', status: 404, text: /^Unable to find requested file or resource: / },
    ],
  },
  {
    fact: 'site 5: several are asked at once, all or none',
    steps: [
      {
        send: 'GET /xapi/siteConfig/values/checksums,siteId',
        as: 'outsider',
        status: 200,
        text: '{"siteId":"XNAT","checksums":true}',
      },
      { send: 'GET /xapi/siteConfig/values/checksums,sessionTimeout', as: 'outsider', status: 403 },
    ],
  },
  {
    fact: 'site 5: administrators set one or several; unknown names are added',
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

  test('site 5: the whole list holds what its reader may see', async ({ site }) => {
    const seen = (await site.send('GET /xapi/siteConfig', { as: 'outsider' })).json()
    expect(seen).toMatchObject({ siteId: 'XNAT', siteUrl: site.server.url, checksums: true })
    expect(seen).not.toHaveProperty('sessionTimeout')
    expect((await site.send('GET /xapi/siteConfig')).json()).toMatchObject({ sessionTimeout: '15 minutes' })
  })

  test('auth 3.1: a session timeout set here is the one that counts', async ({ site }) => {
    await site.send('POST /xapi/siteConfig/sessionTimeout', { body: '2 minutes' })
    await site.send('GET /data/auth', { as: 'owner' })
    await site.server.clock.advance(121_000)
    expect((await site.send('GET /data/auth', { as: 'owner' })).status).toBe(401)
  })

  test('site 5: uptime is told in parts and as a sentence', async ({ site }) => {
    await site.server.clock.advance((2 * 24 * 60 + 61) * 60_000)
    const headers = basic('admin', site.server.password)
    const parts = await site.send('GET /xapi/siteConfig/uptime', { as: 'nobody', headers })
    expect(parts.json()).toMatchObject({ days: '2', hours: '1', minutes: '1' })
    const sentence = await site.send('GET /xapi/siteConfig/uptime/display', { as: 'nobody', headers })
    expect(sentence.text).toMatch(/^2 days, 1 hours, 1 minutes, \d+\.\d+ seconds$/)
  })
})
