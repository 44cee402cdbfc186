// The ten things that surprise clients, auth-users-import.md section 1. From the sixth on they are about received
// sessions: import.test.ts, prearchive.test.ts, archive-service.test.ts and direct-archive.test.ts.
import { describe, expect } from 'vitest'
import { instance } from '../support/dicom-studies.ts'
import { imported } from '../support/imports.ts'
import { type Case, test, testFacts, testStandInOnly } from './facts.ts'
import { test as testWithProjects } from './named-site.ts'
import { session } from './site.ts'

const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0' }
const json = { 'content-type': 'application/json' }
const sessionId = /^[0-9A-F]{32}$/

const facts: Case[] = [
  {
    fact: 'auth-users-import 1, surprise 1: JSESSION gives whoever asks the session id of a guest, which opens nothing',
    steps: [
      { send: 'GET /data/JSESSION', as: 'nobody', status: 200, text: sessionId, keep: 'GUEST' },
      { send: 'GET /data/auth', login: '{GUEST}', status: 401 },
      { send: 'GET /data/projects', login: '{GUEST}', status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 1: an ended login at JSESSION is 200 with another, worthless session id',
    steps: [
      { send: 'GET /data/JSESSION', basic: 'outsider', status: 200, keep: 'ENDED' },
      { send: 'DELETE /data/JSESSION', login: '{ENDED}', status: 200 },
      { send: 'GET /data/JSESSION', login: '{ENDED}', status: 200, text: /^(?!{ENDED})[0-9A-F]{32}$/, keep: 'OTHER' },
      { send: 'GET /data/auth', login: '{OTHER}', status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 1: auth and users/username tell who is logged in',
    steps: [
      { send: 'GET /data/auth', as: 'outsider', status: 200, text: "User '{outsider}' is logged in" },
      { send: 'GET /xapi/users/username', as: 'outsider', status: 200, text: '{outsider}' },
      { send: 'GET /xapi/users/username', as: 'nobody', status: 401 },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 2: with the cookie of the same user the password is not looked at',
    steps: [
      { send: 'GET /data/JSESSION', basic: 'outsider', status: 200, keep: 'LOGIN' },
      { send: 'GET /data/auth', login: '{LOGIN}', basic: ['{outsider}', 'wrong'], status: 200 },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 3: without a login a tool gets 401 and WWW-Authenticate, a browser 302',
    steps: [
      { send: 'GET /data/projects', as: 'nobody', status: 401, replyHeaders: { 'www-authenticate': /^Basic realm=/ } },
      ...['MSIE 6', 'Mozilla/5.0', 'AppleWebKit/537.36', 'Opera/9.80'].map((agent) => ({
        send: 'GET /data/projects',
        as: 'nobody' as const,
        headers: { 'user-agent': agent },
        status: 302,
        replyHeaders: { location: /\/app\/template\/Login\.vm/ },
      })),
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 3: a browser needs the CSRF token to write, any other agent does not',
    steps: [
      { send: 'PUT /data/projects/{P2}', headers: browser, status: 500 },
      { send: 'DELETE /data/projects/{P1}', headers: browser, status: 500 },
      { send: 'PUT /data/projects/{P2}', headers: { 'user-agent': 'a-tool/1' }, status: 200 },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 4: an error under /data is a page with its message in h3, whatever was asked for',
    steps: [
      {
        send: 'GET /data/projects/{P3}?format=json',
        headers: { accept: '*/*' },
        status: 404,
        text: /<title>Status page<\/title>[\s\S]*<h3>[^<]+<\/h3>/,
        replyHeaders: { 'content-type': /^text\/html/ },
      },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 4: an error under /xapi is a text or nothing',
    steps: [
      { send: 'GET /xapi/users', as: 'nobody', status: 401, text: '' },
      { send: 'POST /xapi/users', as: 'outsider', body: '{}', headers: json, status: 403, text: '' },
      {
        send: 'GET /xapi/users/profile/{P3}',
        status: 404,
        text: /^Unable to find requested file or resource:/,
        replyHeaders: { 'content-type': /^text\/plain/ },
      },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 4: /xapi answers 500 for JSON it cannot read, and for a user it does not know',
    steps: [
      { send: 'POST /xapi/users', body: '{', headers: json, status: 500 },
      { send: 'GET /xapi/users/{P3}', status: 500 },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 4: a failed login is a page of the container',
    steps: [
      {
        send: 'GET /data/projects',
        basic: ['{outsider}', 'wrong'],
        status: 401,
        text: /<html[\s\S]*401/,
        replyHeaders: { 'content-type': /^text\/html/ },
      },
    ],
  },
  {
    fact: 'auth-users-import 1, surprise 5: a table holds texts only, its totalRecords too',
    steps: [
      { send: `PUT ${session}/resources/R`, status: 200 },
      {
        send: `GET ${session}/resources`,
        status: 200,
        text: /^(?!.*:(\d|true|false|null)).*"totalRecords":"1"/,
        rows: [{ file_count: '0', tags: '', xnat_abstractresource_id: /^\d+$/ }],
      },
    ],
  },
  {
    fact: 'auth-users-import 1, runner-up: /data/version does not exist',
    steps: [{ send: 'GET /data/version', status: 404 }],
  },
]

describe('auth-users-import 1: ten things that surprise clients', () => {
  testFacts(facts)

  test('auth-users-import 1, surprise 2: every request that signs in without a cookie starts a session', async ({
    site,
  }) => {
    const ids = []
    for (let turn = 0; turn < 3; turn += 1) {
      ids.push((await site.send('GET /data/auth', { basic: 'outsider' })).cookie('JSESSIONID'))
    }
    expect(new Set(ids).size).toBe(3)
    const open = (await site.send('GET /xapi/users/active/{outsider}')).json()
    expect(open).toEqual(expect.arrayContaining(ids))
  })

  testStandInOnly(
    'auth-users-import 1, surprise 2: one session too many is refused like a wrong password [stand-in only: changes the site]',
    async ({ site, standIn }) => {
      await site.send('GET /data/auth', { basic: 'outsider' })
      standIn.server.state.configure({ concurrentMaxSessions: 2 })
      expect((await site.send('GET /data/auth', { basic: 'outsider' })).status).toBe(200)
      const refused = await site.send('GET /data/auth', { basic: 'outsider' })
      expect(refused.status).toBe(401)
      expect(refused.text).toBe((await site.send('GET /data/auth', { basic: ['{outsider}', 'wrong'] })).text)
    },
  )

  testWithProjects(
    'auth-users-import 1, surprise 5: a table of the prearchive has no totalRecords',
    async ({ site }) => {
      await imported(site, 'project={MANUAL}&session=E1', [instance()])
      const { text } = await site.send('GET /data/prearchive/projects/{MANUAL}?format=json')
      expect(text).toMatch(/"ResultSet":\{"Result":\[\{/)
      expect(text).not.toContain('totalRecords')
    },
  )
})
