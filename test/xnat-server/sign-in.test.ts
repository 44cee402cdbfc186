import { describe, expect } from 'vitest'
import { basic, type Case, startSite, test, testFacts } from './site.ts'

const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36'
const agentOnly = { 'user-agent': chrome }

const facts: Case[] = [
  {
    fact: 'auth 1.1: JSESSION is open and gives a guest a session id',
    steps: [{ send: 'GET /data/JSESSION', as: 'nobody', status: 200, text: /^[0-9A-F]{32}$/ }],
  },
  {
    fact: 'auth 3.4: a longer path below JSESSION is not open',
    steps: [{ send: 'DELETE /data/JSESSION/abc', as: 'nobody', status: 401 }],
  },
  {
    fact: 'data-api 0.10: without a login a tool gets 401 with the realm',
    steps: [
      {
        send: 'GET /data/projects',
        as: 'nobody',
        status: 401,
        replyHeaders: { 'www-authenticate': 'Basic realm="XNAT"' },
      },
    ],
  },
  {
    fact: 'data-api 0.10: without a login a browser is sent to the login page',
    steps: [
      {
        send: 'GET /data/projects',
        as: 'nobody',
        headers: agentOnly,
        status: 302,
        replyHeaders: { location: /\/app\/template\/Login\.vm$/ },
      },
      {
        send: 'GET /app/template/Login.vm',
        as: 'nobody',
        status: 200,
        text: /<!-- BEGIN xnat-templates\/screens\/Login.vm -->/,
      },
    ],
  },
  {
    fact: 'auth 3.4: a script in a browser gets 401 all the same',
    steps: [
      {
        send: 'GET /data/projects',
        as: 'nobody',
        headers: { ...agentOnly, 'x-requested-with': 'XMLHttpRequest' },
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
        headers: { 'user-agent': `${chrome} XNATDesktopClient/1` },
        status: 401,
      },
    ],
  },
  {
    fact: 'auth 3.3: wrong basic credentials are 401 even where no login is needed, and without a realm',
    steps: [
      {
        send: 'GET /data/JSESSION',
        as: 'nobody',
        headers: basic('admin', 'wrong'),
        status: 401,
        text: /Your login attempt failed/,
      },
    ],
  },
  {
    fact: 'auth 3.3: a basic token without a colon is 500',
    steps: [{ send: 'GET /data/JSESSION', as: 'nobody', headers: { authorization: 'Basic YWRtaW4=' }, status: 500 }],
  },
  {
    fact: 'auth 4.5: usernames are case sensitive',
    steps: [{ send: 'GET /data/auth', as: 'nobody', headers: basic('Admin', 'stand-in-password'), status: 401 }],
  },
  {
    fact: 'data-api 6.2: auth names the user',
    steps: [{ send: 'GET /data/auth', as: 'member', status: 200, text: "User 'member' is logged in" }],
  },
  {
    fact: 'auth 3.2: GET of services/auth is no way in',
    steps: [{ send: 'GET /data/services/auth', as: 'nobody', status: 404 }],
  },
  {
    fact: 'auth 3.2: wrong credentials at services/auth say "Authentication failed."',
    steps: [
      {
        send: 'PUT /data/services/auth',
        as: 'nobody',
        body: 'username=admin&password=wrong',
        status: 401,
        text: /<h3>Authentication failed\.<\/h3>/,
      },
    ],
  },
  {
    fact: 'auth 3.2: an unknown authenticator is 400',
    steps: [
      {
        send: 'POST /data/services/auth',
        as: 'nobody',
        body: 'username=admin&password=stand-in-password&authenticatorId=ldap9',
        status: 400,
        text: /No authentication provider identified by id ldap9 found/,
      },
    ],
  },
  {
    fact: 'auth 5: buildInfo is open, a single property of it is not',
    steps: [
      { send: 'GET /xapi/siteConfig/buildInfo', as: 'nobody', status: 200, text: /"version":"/ },
      { send: 'GET /xapi/siteConfig/buildInfo/version', as: 'nobody', status: 401, text: '' },
      { send: 'GET /xapi/siteConfig/buildInfo/version', status: 200, text: /^\d+\.\d+/ },
    ],
  },
  {
    fact: "auth 3.2: /xapi/users/username is one's own name, /xapi/users the list of all",
    steps: [
      { send: 'GET /xapi/users/username', as: 'owner', status: 200, text: 'owner' },
      {
        send: 'GET /xapi/users',
        as: 'owner',
        status: 200,
        text: '["admin","owner","member","collaborator","outsider"]',
      },
    ],
  },
  {
    fact: 'auth 2.2: /xapi refuses someone who is not logged in with 401 and an empty body',
    steps: [
      { send: 'GET /xapi/users', as: 'nobody', status: 401, text: '', replyHeaders: { 'www-authenticate': /Basic/ } },
    ],
  },
  {
    fact: 'auth 1: /data/version does not exist',
    steps: [{ send: 'GET /data/version', status: 404 }],
  },
  {
    fact: 'data-api 6.3: a browser needs the CSRF token for a write, and fails with 500',
    steps: [
      { send: 'PUT /data/projects/P2', headers: agentOnly, status: 500 },
      { send: 'PUT /data/projects/P2', headers: { 'user-agent': 'a-tool/1' }, status: 200 },
    ],
  },
]

describe('sign-in', () => {
  testFacts(facts)

  test('auth 2: every basic request without a cookie starts a session, and too many are 401', async ({ site }) => {
    site.server.state.configure({ concurrentMaxSessions: 3 })
    const statuses = []
    for (let i = 0; i < 4; i += 1) {
      statuses.push((await site.send('GET /data/auth', { as: 'nobody', headers: basic('member', 'member') })).status)
    }
    expect(statuses).toEqual([200, 200, 200, 401])
  })

  test('auth 2: with the cookie of the same user the password is not looked at', async ({ site }) => {
    const first = await site.send('GET /data/auth', { as: 'nobody', headers: basic('member', 'member') })
    const cookie = first.headers['set-cookie']?.find((line) => line.startsWith('JSESSIONID='))?.split(';')[0] ?? ''
    const again = await site.send('GET /data/auth', { as: 'nobody', headers: { cookie, ...basic('member', 'wrong') } })
    expect(again.status).toBe(200)
    expect(again.headers['set-cookie']?.some((line) => line.startsWith('JSESSIONID='))).toBe(false)
  })

  test('auth 3.3: the cookie of another user is replaced by a new session', async ({ site }) => {
    const member = await site.send('GET /data/JSESSION', { as: 'nobody', headers: basic('member', 'member') })
    const cookie = `JSESSIONID=${member.text}`
    const owner = await site.send('GET /data/auth', { as: 'nobody', headers: { cookie, ...basic('owner', 'owner') } })
    expect(owner.text).toBe("User 'owner' is logged in")
    expect((await site.send('GET /data/auth', { as: 'nobody', headers: { cookie } })).status).toBe(401)
  })

  test('auth 3.5: every response carries the quoted expiry cookie, a refusal too', async ({ site }) => {
    for (const what of ['GET /data/projects', 'GET /data/nothing', 'GET /data/JSESSION']) {
      const { headers } = await site.send(what, { as: 'nobody' })
      const expiry = headers['set-cookie']?.find((line) => line.startsWith('SESSION_EXPIRATION_TIME='))
      expect(expiry, what).toMatch(/^SESSION_EXPIRATION_TIME="\d{13},900000"; Version=1; Path=\/$/)
      expect(headers['set-cookie']?.some((line) => /^JSESSIONID=[0-9A-F]{32}; Path=\/; HttpOnly$/.test(line))).toBe(
        true,
      )
    }
  })

  test('auth 3.2: services/auth logs in by form, and its session is good without counting', async ({ site }) => {
    site.server.state.configure({ concurrentMaxSessions: 1 })
    for (let i = 0; i < 3; i += 1) {
      const login = await site.send('PUT /data/services/auth', {
        as: 'nobody',
        body: 'username=member&password=member',
      })
      expect(login.status).toBe(200)
      const use = await site.send('GET /data/auth', { as: 'nobody', headers: { cookie: `JSESSIONID=${login.text}` } })
      expect(use.text).toBe("User 'member' is logged in")
    }
  })

  test('data-api 6.2: DELETE JSESSION logs out', async ({ site }) => {
    const login = await site.send('GET /data/JSESSION', { as: 'nobody', headers: basic('member', 'member') })
    const headers = { cookie: `JSESSIONID=${login.text}` }
    expect((await site.send('DELETE /data/JSESSION', { as: 'nobody', headers })).status).toBe(200)
    expect((await site.send('GET /data/auth', { as: 'nobody', headers })).status).toBe(401)
  })

  test('auth 1.1: an expired cookie at JSESSION is 200 with another, worthless session id', async ({ site }) => {
    const login = await site.send('GET /data/JSESSION', { as: 'nobody', headers: basic('member', 'member') })
    site.server.state.sessions.endAll('member')
    const again = await site.send('GET /data/JSESSION', {
      as: 'nobody',
      headers: { cookie: `JSESSIONID=${login.text}` },
    })
    expect(again.status).toBe(200)
    expect(again.text).not.toBe(login.text)
    const use = await site.send('GET /data/projects', { as: 'nobody', headers: { cookie: `JSESSIONID=${again.text}` } })
    expect(use.status).toBe(401)
  })

  test('auth 3.5: a session ends when it was idle too long, and any request renews it', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const site = await startSite({ now: () => new Date(now) })
    try {
      expect((await site.send('GET /data/auth')).status).toBe(200)
      now += 14 * 60_000
      expect((await site.send('GET /data/JSESSION')).status).toBe(200)
      now += 14 * 60_000
      expect((await site.send('GET /data/auth')).status).toBe(200)
      now += 16 * 60_000
      expect((await site.send('GET /data/auth')).status).toBe(401)
    } finally {
      await site.stop()
    }
  })

  test('auth 3.6: after too many failures the right password fails as well', async ({ site }) => {
    site.server.state.configure({ maxFailedLogins: 2 })
    for (const password of ['wrong', 'wrong', 'member']) {
      expect((await site.send('GET /data/auth', { as: 'nobody', headers: basic('member', password) })).status).toBe(401)
    }
  })

  test('auth 3.6: a disabled account cannot log in', async ({ site }) => {
    site.server.state.addUser({ username: 'gone', enabled: false })
    expect((await site.send('GET /data/auth', { as: 'nobody', headers: basic('gone', 'gone') })).status).toBe(401)
  })

  test('auth 3.4: an open site answers everyone as guest, with less to see', async ({ site }) => {
    site.server.state.configure({ requireLogin: false })
    await site.send('PUT /data/projects/OPEN?accessibility=public')
    const list = await site.send('GET /data/projects', { as: 'nobody' })
    expect(list.rows().map((row) => row['ID'])).toEqual(['OPEN'])
    expect((await site.send('GET /data/projects/P1?format=json', { as: 'nobody' })).status).toBe(404)
  })

  test('data-api 6.3: the CSRF token comes with ?CSRF=true and is taken as a query parameter', async ({ site }) => {
    const { text } = await site.send('GET /data/JSESSION?CSRF=true', { headers: agentOnly })
    const token = /^[0-9A-F]{32}; XNAT_CSRF=(\S+)$/.exec(text)?.[1] ?? ''
    expect((await site.send(`PUT /data/projects/P2?XNAT_CSRF=${token}`, { headers: agentOnly })).status).toBe(200)
    expect((await site.send(`GET /data/projects/P2?format=json`, { headers: agentOnly })).status).toBe(200)
  })
})
