import { describe, expect } from 'vitest'
import { type Case, test, testFacts, testStandInOnly, testWithOwnUsers } from './facts.ts'
import type { Site } from './site.ts'

interface Token {
  id: number
  alias: string
  secret: string
}

const facts: Case[] = [
  {
    fact: 'auth-users-import 3.7: an administrator issues for others, a user for nobody else',
    steps: [
      { send: 'GET /data/services/tokens/issue/user/{owner}', status: 200, text: /"xdatUserId":"{owner}"/ },
      { send: 'GET /data/services/tokens/issue/user/{owner}', as: 'owner', status: 200 },
      { send: 'GET /data/services/tokens/issue/user/{owner}', as: 'member', status: 403, text: /Non-admin users/ },
      { send: 'GET /data/services/tokens/issue/user/{P3}', status: 400 },
    ],
  },
  {
    fact: 'auth-users-import 3.7: a guest gets none, and on a closed site has to sign in first',
    standInOnly: 'changes the site',
    steps: [
      { send: 'GET /data/services/tokens/issue', as: 'nobody', status: 401 },
      { send: 'POST /xapi/siteConfig/requireLogin', body: 'false', status: 200 },
      { send: 'GET /data/services/tokens/issue', as: 'nobody', status: 403, text: /guest user can't request/ },
    ],
  },
  {
    fact: 'auth-users-import 3.7: unknown ones are 404, an unknown operation 400, anything but GET 405',
    steps: [
      { send: 'GET /data/services/tokens/invalidate/none', status: 404, text: /with the ID none/ },
      {
        send: 'GET /data/services/tokens/validate/00000000-0000-0000-0000-000000000000/x',
        status: 404,
        text: /with the alias 0000/,
      },
      { send: 'GET /data/services/tokens/frobnicate', status: 400, text: /Unknown operation: frobnicate/ },
      { send: 'POST /data/services/tokens/issue', status: 405 },
    ],
  },
]

async function issue(site: Site, as: 'owner' | 'admin' = 'owner'): Promise<Token> {
  return (await site.send('GET /data/services/tokens/issue', { as })).json() as Token
}

const whoAmI = (site: Site, { alias, secret }: Token) => site.send('GET /data/auth', { basic: [alias, secret] })

const hourMs = 60 * 60_000

describe('alias tokens', () => {
  testFacts(facts)

  test('auth-users-import 3.7: a token has an alias, a secret of 64 characters and its owner’s username', async ({
    site,
  }) => {
    const token = await issue(site)
    expect(token).toMatchObject({
      id: expect.any(Number),
      enabled: true,
      disabled: 0,
      alias: expect.stringMatching(/^[0-9a-f-]{36}$/),
      secret: expect.stringMatching(/^[A-Za-z0-9]{64}$/),
      singleUse: false,
      xdatUserId: site.name('owner'),
    })
    const shown = (await site.send('GET /data/services/tokens/show', { as: 'owner' })).json()
    expect(shown).toContainEqual(token)
  })

  test('auth-users-import 3.7: alias and secret sign in as the owner; another secret does not', async ({ site }) => {
    const token = await issue(site)
    expect((await whoAmI(site, token)).text).toBe(site.fill("User '{owner}' is logged in"))
    expect((await whoAmI(site, { ...token, secret: 'x' })).status).toBe(401)
  })

  test('auth-users-import 3.7: validating names the owner, or answers {} for a wrong secret', async ({ site }) => {
    const { alias, secret } = await issue(site)
    expect((await site.send(`GET /data/services/tokens/validate/${alias}/${secret}`)).text).toBe(
      site.fill('{"valid":"{owner}"}'),
    )
    expect((await site.send(`GET /data/services/tokens/validate/${alias}/wrong`)).text).toBe('{}')
  })

  test('auth-users-import 3.7: an invalidated token, named by alias or number, does not sign in', async ({ site }) => {
    for (const name of ['alias', 'id'] as const) {
      const token = await issue(site)
      const answer = await site.send(`GET /data/services/tokens/invalidate/${token[name]}`, { as: 'owner' })
      expect(answer.text).toBe('{"result": "OK"}')
      expect((await whoAmI(site, token)).status).toBe(401)
    }
  })

  test('auth-users-import 3.7: another user’s token is no business of a user', async ({ site }) => {
    const { alias } = await issue(site)
    expect((await site.send(`GET /data/services/tokens/invalidate/${alias}`, { as: 'member' })).status).toBe(403)
  })

  testStandInOnly(
    'auth-users-import 3.7: a token works until the first full hour after its two days [stand-in only: moves the clock]',
    async ({ site, standIn }) => {
      const token = await issue(site)
      const toNextHour = hourMs - (standIn.server.clock.now().getTime() % hourMs)
      await standIn.server.clock.advance(48 * hourMs + toNextHour - 5000)
      expect((await whoAmI(site, token)).status).toBe(200)
      await standIn.server.clock.advance(10_000)
      expect((await whoAmI(site, token)).status).toBe(401)
    },
  )

  testWithOwnUsers(
    'auth-users-import 3.7: disabling a user by PUT users/{u} ends their tokens, by enabled/false it does not',
    async ({ site }) => {
      const token = await issue(site)
      await site.send('PUT /xapi/users/{owner}/enabled/false')
      await site.send('PUT /xapi/users/{owner}/enabled/true')
      expect((await whoAmI(site, token)).status).toBe(200)
      for (const enabled of [false, true]) {
        await site.send('PUT /xapi/users/{owner}', { body: JSON.stringify({ enabled }) })
      }
      expect((await whoAmI(site, token)).status).toBe(401)
    },
  )

  test('auth-users-import 3.3: with the owner’s session the secret is not looked at', async ({ site }) => {
    const token = await issue(site)
    const { text } = await site.send('GET /data/JSESSION', { as: 'owner' })
    const answer = await site.send('GET /data/auth', { login: text, basic: [token.alias, 'wrong'] })
    expect(answer.status).toBe(200)
  })
})
