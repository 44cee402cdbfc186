import { describe, expect } from 'vitest'
import { type Case, test, testFacts, testStandInOnly } from './facts.ts'

const minuteMs = 60_000

const facts: Case[] = [
  {
    fact: 'auth-users-import 3.2: a longer path below JSESSION is not open',
    steps: [{ send: 'DELETE /data/JSESSION/abc', as: 'nobody', status: 401 }],
  },
  {
    fact: 'auth-users-import 3.2: PUT of JSESSION is 405',
    steps: [{ send: 'PUT /data/JSESSION', status: 405 }],
  },
  {
    fact: 'auth-users-import 3.2: DELETE of JSESSION with an id behind it ends the session of who sends it',
    steps: [
      { send: 'GET /data/JSESSION', basic: 'member', status: 200, keep: 'MINE' },
      { send: 'GET /data/JSESSION', basic: 'owner', status: 200, keep: 'OTHER' },
      { send: 'DELETE /data/JSESSION/{OTHER}', login: '{MINE}', status: 200 },
      { send: 'GET /data/auth', login: '{OTHER}', status: 200 },
      { send: 'GET /data/auth', login: '{MINE}', status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 3.3: wrong basic credentials are 401 even where no login is needed, and without a realm',
    steps: [
      {
        send: 'GET /data/JSESSION',
        basic: ['{outsider}', 'wrong'],
        status: 401,
        text: /Your login attempt failed/,
        replyHeaders: { 'www-authenticate': undefined },
      },
    ],
  },
  {
    fact: 'auth-users-import 3.3: a browser is not sent to the login page for wrong credentials',
    steps: [
      {
        send: 'GET /data/projects',
        basic: ['{outsider}', 'wrong'],
        headers: { 'user-agent': 'Mozilla/5.0' },
        status: 401,
      },
    ],
  },
  {
    fact: 'auth-users-import 3.3: a basic token without a colon is 500',
    steps: [{ send: 'GET /data/JSESSION', as: 'nobody', headers: { authorization: 'Basic YWRtaW4=' }, status: 500 }],
  },
  {
    fact: 'auth-users-import 3.3: a username may carry the name of its provider',
    steps: [
      {
        send: 'GET /data/auth',
        basic: ['localdb/{outsider}', '{outsiderPassword}'],
        status: 200,
        text: "User '{outsider}' is logged in",
      },
    ],
  },
  {
    fact: 'auth-users-import 3.3: the cookie of another user is replaced by a new session',
    steps: [
      { send: 'GET /data/JSESSION', basic: 'member', status: 200, keep: 'MEMBER' },
      {
        send: 'GET /data/auth',
        login: '{MEMBER}',
        basic: 'owner',
        status: 200,
        text: "User '{owner}' is logged in",
        keepLogin: 'OWNER',
      },
      { send: 'GET /data/auth', login: '{OWNER}', status: 200, text: "User '{owner}' is logged in" },
      { send: 'GET /data/auth', login: '{MEMBER}', status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 4.5: usernames are case sensitive',
    steps: [{ send: 'GET /data/auth', basic: ['{OUTSIDER}', '{outsiderPassword}'], status: 401 }],
  },
  {
    fact: 'auth-users-import 3.2: services/auth signs in by form, whatever the type of its body',
    steps: ['username={outsider}&password={outsiderPassword}', 'j_username={outsider}&j_password={outsiderPassword}']
      .flatMap((body) => [
        { send: 'PUT /data/services/auth', body },
        { send: 'POST /data/services/auth', body, headers: { 'content-type': 'text/plain' } },
      ])
      .flatMap((form) => [
        { ...form, as: 'nobody' as const, status: 200, text: /^[0-9A-F]{32}$/, keep: 'LOGIN' },
        { send: 'GET /data/auth', login: '{LOGIN}', status: 200, text: "User '{outsider}' is logged in" },
      ]),
  },
  {
    fact: 'auth-users-import 3.2: GET of services/auth is no way in',
    steps: [{ send: 'GET /data/services/auth', as: 'nobody', status: 404 }],
  },
  {
    fact: 'auth-users-import 3.2: wrong credentials at services/auth say "Authentication failed."',
    steps: [
      {
        send: 'PUT /data/services/auth',
        as: 'nobody',
        body: 'username={outsider}&password=wrong',
        status: 401,
        text: /<h3>Authentication failed\.<\/h3>/,
      },
    ],
  },
  {
    fact: 'auth-users-import 3.2: an unknown authenticator is 400',
    steps: [
      {
        send: 'POST /data/services/auth',
        as: 'nobody',
        body: 'username={outsider}&password={outsiderPassword}&authenticatorId=ldap9',
        status: 400,
        text: /No authentication provider identified by id ldap9 found/,
      },
    ],
  },
  {
    fact: 'auth-users-import 3.4: a script in a browser gets 401 instead of the login page',
    steps: [
      {
        send: 'GET /data/projects',
        as: 'nobody',
        headers: { 'user-agent': 'Mozilla/5.0', 'x-requested-with': 'XMLHttpRequest' },
        status: 401,
      },
    ],
  },
  {
    fact: 'data-api 6.2: a desktop client with a browser-like agent gets 401',
    steps: [
      {
        send: 'GET /data/projects',
        as: 'nobody',
        headers: { 'user-agent': 'Mozilla/5.0 XNATDesktopClient/1' },
        status: 401,
      },
    ],
  },
  {
    fact: 'data-api 6.2: auth names the user, and JSESSION is a way to sign in',
    steps: [
      { send: 'GET /data/auth', as: 'member', status: 200, text: "User '{member}' is logged in" },
      { send: 'POST /data/JSESSION', basic: 'member', status: 200, keep: 'LOGIN' },
      { send: 'GET /data/auth', login: '{LOGIN}', status: 200, text: "User '{member}' is logged in" },
    ],
  },
  {
    fact: 'data-api 6.2: DELETE JSESSION logs out',
    steps: [
      { send: 'GET /data/JSESSION', basic: 'member', status: 200, keep: 'LOGIN' },
      { send: 'DELETE /data/JSESSION', login: '{LOGIN}', status: 200 },
      { send: 'GET /data/auth', login: '{LOGIN}', status: 401 },
    ],
  },
  {
    fact: "auth-users-import 3.2: /xapi/users/username is one's own name",
    steps: [{ send: 'GET /xapi/users/username', as: 'owner', status: 200, text: '{owner}' }],
  },
  {
    fact: 'auth-users-import 2.2: /xapi refuses someone who is not logged in with 401 and an empty body',
    steps: [
      { send: 'GET /xapi/users', as: 'nobody', status: 401, text: '', replyHeaders: { 'www-authenticate': /Basic/ } },
    ],
  },
  {
    fact: 'auth-users-import 3.6: a disabled account cannot sign in',
    ownUsers: true,
    steps: [
      { send: 'GET /data/auth', basic: 'outsider', status: 200 },
      { send: 'PUT /xapi/users/{outsider}/enabled/false', status: 200 },
      { send: 'GET /data/auth', basic: 'outsider', status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 3.6: a disabled account is sent to a page about it, with a live session',
    ownUsers: true,
    steps: [
      { send: 'GET /data/auth', as: 'outsider', status: 200 },
      { send: 'PUT /xapi/users/{outsider}/enabled/false', status: 200 },
      {
        send: 'GET /data/auth',
        as: 'outsider',
        status: 302,
        replyHeaders: { location: /\/app\/template\/InactiveAccount\.vm$/ },
      },
    ],
  },
  {
    fact: 'auth-users-import 4.3: a password of 64 characters is taken for a hash and signs nobody in',
    ownUsers: true,
    steps: [
      { send: 'GET /data/auth', basic: 'outsider', status: 200 },
      { send: 'PUT /xapi/users/{outsider}', body: JSON.stringify({ password: 'a'.repeat(64) }), status: 200 },
      { send: 'GET /data/auth', basic: ['{outsider}', 'a'.repeat(64)], status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 3.6: an unverified account signs in once e-mail verification is off',
    standInOnly: 'changes the site',
    steps: [
      { send: 'PUT /xapi/users/{outsider}/verified/false', status: 200 },
      { send: 'GET /data/auth', basic: 'outsider', status: 401 },
      { send: 'POST /xapi/siteConfig/emailVerification', body: 'false', status: 200 },
      { send: 'GET /data/auth', basic: 'outsider', status: 200 },
    ],
  },
  {
    fact: 'auth-users-import 3.4: an open site answers everyone as guest, with less to see',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/requireLogin', body: 'false', status: 200 },
      { send: 'PUT /data/projects/{P2}?accessibility=public', status: 200 },
      { send: 'GET /data/projects', as: 'nobody', status: 200, rows: [{ ID: '{P2}' }] },
      { send: 'GET /data/projects/{P1}?format=json', as: 'nobody', status: 404 },
    ],
  },
]

describe('sign-in', () => {
  testFacts(facts)

  test('auth-users-import 3.5: every response carries the quoted expiry cookie, a refusal too', async ({ site }) => {
    for (const what of ['GET /data/projects', 'GET /data/nothing', 'GET /data/JSESSION']) {
      const answer = await site.send(what, { as: 'nobody' })
      const cookies = answer.headers['set-cookie'] ?? []
      expect(cookies, what).toContainEqual(
        expect.stringMatching(/^SESSION_EXPIRATION_TIME="\d{13},\d+"; Version=1; Path=\/[^;]*$/),
      )
      expect(cookies, what).toContainEqual(expect.stringMatching(/^JSESSIONID=[0-9A-F]{32}; Path=\/[^;]*; HttpOnly$/))
    }
  })

  test('data-api 6.3: the CSRF token comes with ?CSRF=true and is taken as a query parameter', async ({ site }) => {
    const headers = {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0',
    }
    const { text } = await site.send('GET /data/JSESSION?CSRF=true', { headers })
    const token = /^[0-9A-F]{32}; XNAT_CSRF=(\S+)$/.exec(text)?.[1]
    expect((await site.send(`PUT /data/projects/{P2}?XNAT_CSRF=${token}`, { headers })).status).toBe(200)
    expect((await site.send('GET /data/projects/{P2}?format=json', { headers })).status).toBe(200)
    expect((await site.send('PUT /data/projects/{P3}?XNAT_CSRF=wrong', { headers })).status).toBe(500)
  })

  testStandInOnly(
    'auth-users-import 3.2: sessions of services/auth do not count against the limit [stand-in only: changes the site]',
    async ({ site, standIn }) => {
      await site.send('GET /data/auth', { as: 'outsider' })
      standIn.server.state.configure({ concurrentMaxSessions: 1 })
      for (let turn = 0; turn < 3; turn += 1) {
        const body = 'username={outsider}&password={outsiderPassword}'
        const login = await site.send('PUT /data/services/auth', { as: 'nobody', body })
        expect((await site.send('GET /data/auth', { login: login.text })).status).toBe(200)
      }
    },
  )

  testStandInOnly(
    'auth-users-import 3.5: a session ends when it was idle too long, and any request renews it [stand-in only: moves the clock]',
    async ({ site, standIn }) => {
      expect((await site.send('GET /data/auth')).status).toBe(200)
      await standIn.server.clock.advance(14 * minuteMs)
      expect((await site.send('GET /data/JSESSION')).status).toBe(200)
      await standIn.server.clock.advance(14 * minuteMs)
      expect((await site.send('GET /data/auth')).status).toBe(200)
      await standIn.server.clock.advance(16 * minuteMs)
      expect((await site.send('GET /data/auth')).status).toBe(401)
    },
  )

  testStandInOnly(
    'auth-users-import 3.6: after too many failures the right password fails as well [stand-in only: changes the site]',
    async ({ site, standIn }) => {
      standIn.server.state.configure({ maxFailedLogins: 2 })
      for (const password of ['wrong', 'wrong', '{outsiderPassword}']) {
        expect((await site.send('GET /data/auth', { basic: ['{outsider}', password] })).status).toBe(401)
      }
    },
  )
})
