import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type * as z from 'zod'
import { prepareSite } from '../../infra/local/prepare-site.ts'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import type { RouteDescription } from '../../lib/handler.ts'
import { documentedErrors, errorSchema } from '../../lib/openapi.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import {
  type ApiReply,
  ask,
  documented,
  exampleParts,
  fieldsOf,
  Parts,
  type RequestParts,
  replaced,
  requestOf,
  serviceKey,
} from '../support/api-requests.ts'
import { startLocalAws } from '../support/local-aws.ts'
import { type TestWired, testWired } from '../support/wired.ts'

interface Rig {
  standIn: XnatServer
  wired: TestWired
  stop(): Promise<void>
}

async function startRig(): Promise<Rig> {
  const [aws, standIn] = await Promise.all([startLocalAws(), startXnat()])
  await prepareSite(standIn)
  const { url, user, password } = standIn
  const [state, images] = [await aws.bucket('state'), await aws.bucket('images')]
  await images.writeText('default/upload/run-1/mask.nii.gz', 'of the examples')
  const xnat = new XnatClient({ url, credentials: { kind: 'password', user, password }, retry: { attempts: 1 } })
  return {
    standIn,
    wired: testWired({ xnat, state, images }, { ANSWER_WITHIN_SECONDS: '0' }),
    async stop() {
      await xnat.close()
      await Promise.all([standIn.stop(), aws.stop()])
    },
  }
}

/** What XNAT is asked when nobody means harm: methods, paths without their values, names of parameters. */
let innocent: Set<string>
beforeAll(async () => {
  const rig = await startRig()
  rig.standIn.requests.clear()
  innocent = await innocentRequests(rig)
  await rig.stop()
})

let rig: Rig
beforeEach(async () => {
  rig = await startRig()
})
afterEach(() => rig.stop())

const fixedValues = [
  '',
  ' ',
  '.',
  '..',
  '...',
  '../..',
  '..%2f..%2fxapi%2fusers',
  '%2e%2e',
  '%2e%2e%2fxapi',
  'a/b',
  'a\\b',
  '/xapi/users',
  '//127.0.0.1:9/x',
  'http://127.0.0.1:9/',
  'a?format=xml',
  'a#b',
  'a;jsessionid=1',
  'a&b=c',
  'a b',
  'a+b',
  '%',
  '%00',
  '%0d%0aX-Injected:1',
  'a\r\nX-Injected: 1',
  'a\nb',
  '\u0000',
  'a\u0000b',
  'a\u0085b',
  'a\u2028b',
  '\u202egnp.exe',
  '\ufeffadmin',
  'ɑdmin',
  'аdmin',
  'ＡＤＭＩＮ',
  'e\u0301',
  '..\uff0fxapi',
  '．．',
  '\ud800',
  'a\udc00b',
  '\uffff',
  '😀',
  '*',
  'XNAT_*',
  "' OR '1'='1",
  '"><script>alert(1)</script>',
  '</xnat:name><xnat:ID>admin</xnat:ID>',
  '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
  ']]>',
  '&amp;&#0;',
  '\u0024{jndi:ldap://127.0.0.1:9/x}',
  '{{7*7}}',
  '__proto__',
  'constructor',
  'null',
  'true',
  '-1',
  '0',
  '1e400',
  '9'.repeat(40),
  '0x10',
  'a@b@c.example',
  'a@b.example\r\nBcc: x@y.example',
  'x'.repeat(10 * 1024),
  '../'.repeat(3_500),
  'ü'.repeat(5 * 1024),
]

const pieces = fc.constantFrom(
  '..',
  '/',
  '%2f',
  '?',
  '#',
  '&',
  '=',
  '\r\n',
  '\u0000',
  '<',
  '>',
  '"',
  "'",
  ';',
  '*',
  'a',
  '@',
)
const generatedValues = fc.sample(
  fc.oneof(
    fc.array(pieces, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    fc.webPath(),
  ),
  { numRuns: 40, seed: 20260101 },
)

const values = [...fixedValues, ...generatedValues]
const strangeJson: unknown[] = [null, 0, 1.5, true, [], {}, [[]], { toString: 'x' }, { length: 1 }]

let counter = 0
/** The example with names of its own, so that what one request makes is not in the way of the next. */
function freshParts(route: RouteDescription): RequestParts {
  counter += 1
  const names: Readonly<Record<string, string>> = {
    P1: `Q${counter}`,
    '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b': randomUUID(),
    'study-1': `study-${counter}`,
    'First study': `Study ${counter}`,
    jbloggs: `u${counter}`,
  }
  const renamed = JSON.stringify(exampleParts(route), (_, value) => names[value] ?? value)
  return Parts.parse(JSON.parse(renamed))
}

const cases = documented.flatMap((route) =>
  fieldsOf(exampleParts(route)).map((place) => [`${route.operationId}: ${place.join('.')}`, route, place] as const),
)

/** Runs every example, in an order in which what is asked for exists; then again, when it does not. */
async function innocentRequests({ standIn, wired }: Rig): Promise<Set<string>> {
  const order = ['POST', 'PUT', 'GET', 'DELETE', 'GET', 'PUT']
  for (const method of order) {
    for (const route of documented.filter((each) => each.method === method)) {
      await ask(wired, requestOf(route, exampleParts(route)))
    }
  }
  return new Set(standIn.requests.list().map(shape))
}

function shape({ method, path }: { method: string; path: string }): string {
  const [pathname = '', query = ''] = path.split('?', 2)
  const parameters = [...new URLSearchParams(query).keys()].sort().join(',')
  return `${method} ${pathname.split('/').map(withoutValue).join('/')} ${parameters}`
}

const fixedSegments = new Set(
  'data,xapi,JSESSION,projects,subjects,experiments,users,profile,profiles,prearchive_code,roles,groups,pacs,dqr'
    .concat(',import,query,queue,studies,status,settings,commands,available,events,event,subscription,siteConfig,site')
    .split(','),
)
const withoutValue = (segment: string) => (segment === '' || fixedSegments.has(segment) ? segment : '{value}')

function expectSafe({ method, path }: { method: string; path: string }, told: string): void {
  expect(path.split('?')[0], told).toMatch(/^\/(?:data|xapi)\/[^\\;#]*$/)
  expect(path, told).not.toMatch(/[\r\n\0\s]/)
  for (const segment of path.split('?')[0]?.split('/').slice(1) ?? []) {
    const decoded = decodeURIComponent(segment)
    expect(decoded, told).not.toMatch(/^\.{0,2}$|[/\\?#;%\p{Cc}]/u)
  }
  expect(innocent, told).toContain(shape({ method, path }))
}

function expectFitting(route: RouteDescription, reply: ApiReply, told: string): void {
  const schemas = new Map<number, z.ZodType>([
    ...Object.keys(documentedErrors(route)).map((status) => [Number(status), errorSchema(Number(status))] as const),
    ...(route.accepted === undefined ? [] : [[202, route.accepted] as const]),
    [route.status ?? 200, route.answer],
  ])
  const schema = schemas.get(reply.status)
  expect(schema, told).toBeDefined()
  // XNAT is there and well: whatever cannot be done must be the request's own fault, which FLIP calls 500 in two cases.
  if (!/File not found|Type must be/.test(reply.text)) expect(reply.status, told).toBeLessThan(500)
  expect(schema?.parse(reply.body)).toEqual(reply.body)
}

/** What was sent may come back only where it is an answer's own field, or in a text about a name that is harmless. */
function expectNoEcho(reply: ApiReply, value: unknown, told: string): void {
  const secrets = [
    serviceKey['x-trust-internal-service-key'],
    rig.standIn.password,
    'example-password-1',
    rig.standIn.url,
  ]
  for (const secret of secrets) expect(reply.text, told).not.toContain(secret)
  for (const header of Object.values(reply.headers)) expect(header, told).toMatch(/^[\x20-\x7e]*$/)
  if (reply.status < 300 || typeof value !== 'string' || value.length < 3) return
  const quoted = JSON.stringify(value).slice(1, -1)
  if (reply.text.includes(quoted)) expect(value, told).toMatch(/^[\w.~-]+$/)
}

describe('hostile values', () => {
  it('are more than two thousand', () => {
    expect(cases.length * values.length).toBeGreaterThan(2_000)
  })

  it.each(cases)(
    'reach XNAT only as values, get an answer that fits, and are not echoed: %s',
    async (_, route, place) => {
      const isText = place[0] !== 'body'
      for (const value of isText ? values : [...values, ...strangeJson]) {
        rig.standIn.requests.clear()
        const parts = Parts.parse(replaced(freshParts(route), place, value))
        const reply = await ask(rig.wired, requestOf(route, parts))
        const told = `sent ${JSON.stringify(value)?.slice(0, 80)}, got ${reply.status} ${reply.text.slice(0, 200)}`
        expectFitting(route, reply, told)
        expectNoEcho(reply, value, told)
        for (const request of rig.standIn.requests.list()) expectSafe(request, told)
      }
    },
    120_000,
  )

  it('in the path of no route are answered as such', async () => {
    // Of these the empty one alone leads somewhere: to the console.
    for (const value of values.filter((each) => each !== '')) {
      const reply = await ask(rig.wired, { method: 'GET', path: `/${value}` })
      expect([307, 404, 405]).toContain(reply.status)
      expectNoEcho(reply, `/${value}`, value)
    }
    expect(values.length).toBeGreaterThan(100)
  })
})
