import { readFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { openTerminal } from '../../functions/cli/terminal.ts'
import { sessionsWanted } from '../../functions/cli/xnat-doctor/account.ts'
import { runXnatDoctor } from '../../functions/cli/xnat-doctor/run.ts'
import { prepareSite } from '../../infra/local/prepare-site.ts'
import { weekdays } from '../../infra/local/xnat-server/dqr/records.ts'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { basic } from '../support/plain-http.ts'
import { type ScriptedAnswer, startScriptedApi } from '../support/scripted-api.ts'
import { startScriptedXnat } from '../xnat/scripted-xnat.ts'

type Env = Record<string, string | undefined>

/** Runs the program as from a shell with these variables, and keeps what it says. */
async function run(args: readonly string[], env: Env) {
  const said = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof said) =>
    new PassThrough().on('data', (chunk) => {
      said[name] += chunk
    })
  const terminal = openTerminal({ stdin: new PassThrough(), stdout: stream('stdout'), stderr: stream('stderr') })
  const exitCode = await runXnatDoctor(args, { env, terminal, signal: new AbortController().signal })
  expect(said.stdout + said.stderr).not.toMatch(/fake-password|stand-in-password/)
  return { exitCode, ...said }
}

interface Row {
  check: string
  state: string
  says: string
  advice?: string
}

/** The findings by their names, `state: words`. */
async function doctor(env: Env, args: readonly string[] = []) {
  const { exitCode, stdout, stderr } = await run(['-o', 'json', ...args], env)
  const { isWell, checks } = JSON.parse(stdout) as { isWell: boolean; checks: Row[] }
  for (const { state, advice } of checks) {
    if (state === 'failed' || state === 'warning') expect(advice).toMatch(/\S{3}/)
    else expect(advice).toBeUndefined()
  }
  const found = Object.fromEntries(checks.map(({ check, state, says }) => [check, `${state}: ${says}`]))
  const trouble = checks.filter(({ state }) => state === 'failed' || state === 'warning').map(({ check }) => check)
  return { exitCode, isWell, found, trouble, stderr }
}

const envOf = ({ url, user, password }: Pick<XnatServer, 'url' | 'user' | 'password'>): Env => ({
  XNAT_URL: url,
  XNAT_SERVICE_USER: user,
  XNAT_SERVICE_PASSWORD: password,
})

/** A site that has all that is wanted. */
async function startSite(): Promise<XnatServer> {
  const xnat = await startXnat()
  onTestFinished(() => xnat.stop())
  await prepareSite(xnat)
  const admin = xnat.state.users.get(xnat.user)!
  xnat.state.users.put({ ...admin, roles: [...admin.roles, 'non_expiring'] })
  return xnat
}

const asAdmin = async ({ url, user, password }: XnatServer, method: string, path: string, body?: unknown) => {
  const headers = { ...basic(user, password), 'content-type': 'application/json' }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  expect((await fetch(url + path, { method, headers, ...sent })).ok).toBe(true)
}
const setSite = (settings: object) => (xnat: XnatServer) => asAdmin(xnat, 'POST', '/xapi/siteConfig', settings)
const setDqr = (settings: object) => (xnat: XnatServer) => asAdmin(xnat, 'POST', '/xapi/dqr/settings', settings)
const setReceiver = (settings: object) => (xnat: XnatServer) => asAdmin(xnat, 'PUT', '/xapi/dicomscp/1', settings)
const setPacs = (settings: object) => (xnat: XnatServer) => asAdmin(xnat, 'PUT', '/xapi/pacs/1', settings)

const changeAccount = (change: { roles?: string[]; enabled?: boolean }) => (xnat: XnatServer) => {
  xnat.state.users.put({ ...xnat.state.users.get(xnat.user)!, ...change })
}

/** Leaves the PACS the hours of this day alone: 0 is Monday. */
const openOn = (day: number | undefined) => (xnat: XnatServer) => {
  const { availability } = xnat.state.dqr
  for (const { id, dayOfWeek } of availability.all()) {
    if (day === undefined || dayOfWeek !== weekdays[day]) availability.delete(String(id))
  }
}
/** Neither today nor a day beside it, in any zone. */
const farDay = (new Date().getUTCDay() + 6 + 3) % 7

describe('npm run doctor', () => {
  it('finds all well where all is well, and changes nothing', async () => {
    const xnat = await startSite()
    const env = envOf(xnat)
    const before = xnat.requests.count()
    const pings = xnat.state.dqr.pings.all().length

    const { exitCode, isWell, found, trouble, stderr } = await doctor(env)

    expect({ exitCode, isWell, trouble, stderr }).toEqual({ exitCode: 0, isWell: true, trouble: [], stderr: '' })
    expect(Object.keys(found)).toEqual([
      ...['address', 'encryption', 'sign-in', 'version', 'administrator', 'password', 'sessions', 'site URL'],
      ...['auto-archive', 'checksums', 'series filter', 'new passwords', 'data types', 'Event Service'],
      ...['Container Service', 'dcm2niix command', 'dcm2niix wrapper', 'container host', 'DQR plug-in'],
      ...['DQR for projects', 'DQR retries', 'PACS', 'PACS answers', 'PACS hours', 'receiver', 'relabelling'],
    ])
    const guide = await readFile(new URL('../../infra/README.md', import.meta.url), 'utf8')
    const explained =
      guide
        .split('## Deploy')[0]
        ?.match(/^\|.*\|$/gm)
        ?.join('\n') ?? ''
    expect(Object.keys(found).filter((name) => !explained.includes(`\`${name}\``))).toEqual([])
    expect(new Set(Object.values(found).map((words) => words.slice(0, 4)))).toEqual(new Set(['ok: ']))
    const asked = xnat.requests.list().slice(before)
    const others = asked.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)
    expect(others).toEqual(['POST /data/JSESSION', 'DELETE /data/JSESSION'])
    expect(asked.filter(({ status }) => status !== 200)).toEqual([])
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/xapi/siteConfig/buildInfo' })
    // DQR keeps each ping; there is no asking without.
    expect(xnat.state.dqr.pings.all()).toHaveLength(pings + 1)
  })

  it.each<[string, (xnat: XnatServer) => void | Promise<void>, string, RegExp]>([
    [
      'XNAT is too old',
      ({ state }) => state.arrange({ version: '1.7.6' }),
      'version',
      /XNAT 1\.7\.6 is older than 1\.8/,
    ],
    ['the account is no administrator', changeAccount({ roles: ['Dqr'] }), 'administrator', /the account is none/],
    ['there is no site URL', setSite({ siteUrl: '' }), 'site URL', /is not set/],
    [
      'projects may not archive',
      setSite({ projectAllowAutoArchive: false }),
      'auto-archive',
      /is forbidden to projects/,
    ],
    ['new passwords would be refused', setSite({ passwordComplexity: '.{20,}' }), 'new passwords', /do not fit/],
    [
      'the Event Service is off',
      (xnat) => asAdmin(xnat, 'PUT', '/xapi/events/prefs', { enabled: false }),
      'Event Service',
      /is off/,
    ],
    [
      'there is no Container Service',
      ({ state }) => state.arrange({ plugins: ['dicom-query-retrieve'] }),
      'Container Service',
      /is not installed/,
    ],
    [
      'the command is missing',
      (xnat) => asAdmin(xnat, 'DELETE', '/xapi/commands/1'),
      'dcm2niix command',
      /none of the image xnat\/dcm2niix:latest/,
    ],
    [
      'the wrapper is off',
      (xnat) => asAdmin(xnat, 'PUT', '/xapi/wrappers/1/disabled'),
      'dcm2niix wrapper',
      /dcm2niix-scan is not enabled/,
    ],
    [
      'the wrapper is for sessions',
      (xnat) =>
        asAdmin(xnat, 'POST', '/xapi/commands/1/wrappers/1', {
          name: 'dcm2niix-scan',
          contexts: ['xnat:imageSessionData'],
          'external-inputs': [],
        }),
      'dcm2niix wrapper',
      /does not take scans/,
    ],
    [
      'no container host is set up',
      ({ state }) => state.arrange({ containerHost: 'none' }),
      'container host',
      /none is set up/,
    ],
    [
      'the container host is down',
      ({ state }) => state.arrange({ containerHost: 'unreachable' }),
      'container host',
      /does not answer XNAT/,
    ],
    ['DQR is missing', ({ state }) => state.arrange({ plugins: ['containers'] }), 'DQR plug-in', /is not installed/],
    ['there is no PACS', (xnat) => asAdmin(xnat, 'DELETE', '/xapi/pacs/1'), 'PACS', /XNAT knows none/],
    [
      'the PACS may not be queried',
      setPacs({ queryable: false, defaultQueryRetrievePacs: false }),
      'PACS',
      /1 \(PACS\) may not be queried/,
    ],
    [
      'the PACS is down',
      ({ state }) => state.arrange({ pacsDown: true }),
      'PACS answers',
      /not to XNAT, which calls itself XNAT/,
    ],
    ['the PACS has no hours', openOn(undefined), 'PACS hours', /there are none/],
    [
      'the receiver has another name',
      setReceiver({ aeTitle: 'OTHER', port: 8105 }),
      'receiver',
      /has no XNAT:8104, but OTHER:8105/,
    ],
    ['the receiver is off', setReceiver({ enabled: false }), 'receiver', /XNAT:8104: is switched off$/],
    [
      "the receiver is not DQR's",
      setReceiver({ identifier: 'dicomObjectIdentifier' }),
      'receiver',
      /by dicomObjectIdentifier/,
    ],
    ['the receiver does not relabel', setReceiver({ customProcessing: false }), 'receiver', /does not relabel/],
    ['all receivers are off', setSite({ enableDicomReceiver: false }), 'receiver', /all of them are switched off/],
    [
      'nothing relabels',
      ({ state }) => state.arrange({ remappingProcessor: false }),
      'relabelling',
      /is off or missing/,
    ],
    [
      'XNAT fails at a question',
      ({ faults }) => faults.next({ kind: 'status', status: 500, when: { path: /\/xapi\/dicomscp/ } }),
      'receiver',
      /GET \/xapi\/dicomscp: 500/,
    ],
    [
      'a page comes in place of an answer',
      ({ faults }) => faults.next({ kind: 'login-page', times: 9, when: { path: /\/xapi\/events/ } }),
      'Event Service',
      /GET \/xapi\/events\/prefs/,
    ],
  ])('fails when %s, in one line', async (_, arrange, check, words) => {
    const xnat = await startSite()
    await arrange(xnat)

    const { exitCode, isWell, found, trouble } = await doctor(envOf(xnat))

    expect({ exitCode, isWell, trouble }).toEqual({ exitCode: 1, isWell: false, trouble: [check] })
    expect(found[check]).toMatch(/^failed: /)
    expect(found[check]).toMatch(words)
  })

  it.each<[string, (xnat: XnatServer) => void | Promise<void>, Env, string, RegExp]>([
    [
      'XNAT is newer',
      ({ state }) => state.arrange({ version: '1.11.0' }),
      {},
      'version',
      /newer than what this release knows/,
    ],
    [
      'the password will expire',
      changeAccount({ roles: ['Administrator', 'ContainerManager'] }),
      {},
      'password',
      /will expire/,
    ],
    [
      'sessions are few',
      ({ state }) => state.configure({ concurrentMaxSessions: 40 }),
      {},
      'sessions',
      /of at most 40/,
    ],
    [
      'people use another address',
      setSite({ siteUrl: 'https://xnat.example.org' }),
      {},
      'site URL',
      /is https:\/\/xnat\.example\.org/,
    ],
    ['there are no digests', setSite({ checksums: false }), {}, 'checksums', /by name and size alone/],
    [
      'series are filtered',
      setSite({ enableSitewideSeriesImportFilter: true }),
      {},
      'series filter',
      /is on for the site/,
    ],
    [
      'a data type is missing',
      ({ state }) => state.arrange({ unregisteredTypes: ['xnat:petSessionData'] }),
      {},
      'data types',
      /xnat:petSessionData/,
    ],
    [
      'projects import one by one',
      setDqr({ allowAllProjectsToUseDqr: 'false' }),
      {},
      'DQR for projects',
      /IMPORT_REFUSED/,
    ],
    [
      'DQR tries for hours',
      setDqr({ dqrMaxPacsRequestAttempts: '100' }),
      {},
      'DQR retries',
      /100 attempts at a study, 300 s apart: .*STALL_AFTER/,
    ],
    ['DQR tries longer than is waited for', () => undefined, { STALL_AFTER: '15m' }, 'DQR retries', /5 attempts/],
    [
      'no PACS is the default of several',
      async (xnat) => {
        await setPacs({ defaultQueryRetrievePacs: false })(xnat)
        const other = {
          aeTitle: 'B',
          host: 'b.example.org',
          queryRetrievePort: 104,
          ormStrategySpringBeanId: 'dicomOrmStrategy',
        }
        await asAdmin(xnat, 'POST', '/xapi/pacs', other)
      },
      {},
      'PACS',
      /there are 2 and none is the default: 1 \(PACS\)/,
    ],
    [
      'the PACS is closed',
      openOn(farDay),
      {},
      'PACS hours',
      /closed now by the clock of UTC; 1 at a time at most, never on /,
    ],
    ['the receiver has a list', setReceiver({ whitelistEnabled: true }), {}, 'receiver', /only from those on its list/],
  ])('warns when %s, and finds the rest well', async (_, arrange, env, check, words) => {
    const xnat = await startSite()
    await arrange(xnat)

    const { exitCode, isWell, found, trouble } = await doctor({ ...envOf(xnat), ...env })

    expect({ exitCode, isWell, trouble }).toEqual({ exitCode: 0, isWell: true, trouble: [check] })
    expect(found[check]).toMatch(/^warning: /)
    expect(found[check]).toMatch(words)
  })

  it.each<[string, Env, string, RegExp]>([
    ['the image', { DCM2NIIX_IMAGE: 'xnat/dcm2niix:1.5' }, 'dcm2niix command', /none of the image xnat\/dcm2niix:1\.5/],
    ['the receiver', { XNAT_AETITLE: 'FLIP' }, 'receiver', /has no FLIP:8104, but XNAT:8104/],
  ])('goes by the settings of the functions: %s', async (_, env, check, words) => {
    const { exitCode, found } = await doctor({ ...envOf(await startSite()), ...env })

    expect(exitCode).toBe(1)
    expect(found[check]).toMatch(words)
  })

  it('says which day it is by the zone of XNAT', async () => {
    const { found } = await doctor({ ...envOf(await startSite()), XNAT_TIME_ZONE: 'Asia/Tokyo' })
    expect(found['PACS hours']).toBe('ok: open now by the clock of Asia/Tokyo; 1 at a time at most')
  })

  it('leaves a rule for passwords alone that only Java can read', async () => {
    const xnat = await startSite()
    await setSite({ passwordComplexity: '[a-z&&[^b]]++.*' })(xnat)

    const { exitCode, found } = await doctor(envOf(xnat))

    expect(exitCode).toBe(0)
    expect(found['new passwords']).toMatch(/^skipped: /)
  })

  it('leaves imports out where none are wanted', async () => {
    const xnat = await startSite()
    xnat.state.arrange({ plugins: ['containers'] })

    const { exitCode, found } = await doctor(envOf(xnat), ['--without-imports'])

    expect(exitCode).toBe(0)
    expect(Object.keys(found).filter((name) => /DQR|PACS|receiver/.test(name))).toEqual([])
  })

  it.each<[string, (xnat: XnatServer) => void, Env]>([
    ['is wrong', () => undefined, { XNAT_SERVICE_PASSWORD: 'fake-password' }],
    ['is right and the account is disabled', changeAccount({ enabled: false }), {}],
  ])('fails at the sign-in when the password %s, having tried once', async (_, arrange, env) => {
    const xnat = await startSite()
    arrange(xnat)
    const before = xnat.requests.count('POST')

    const { exitCode, found, trouble } = await doctor({ ...envOf(xnat), ...env })

    expect({ exitCode, trouble }).toEqual({ exitCode: 1, trouble: ['sign-in'] })
    expect(found['sign-in']).toBe('failed: XNAT refuses the account')
    expect(found['PACS']).toBe('skipped: nothing can be told without: DQR plug-in')
    expect(xnat.requests.count('POST') - before).toBe(1)
  })

  const buildInfo: ScriptedAnswer = { body: { version: '1.8.11' } }
  const movedTo = (location: string): ScriptedAnswer => ({ status: 302, headers: { location }, body: '' })
  const page = '<!doctype html><html><body>Welcome</body></html>'

  it.each<[string, ScriptedAnswer, RegExp]>([
    ['has expired', movedTo('/app/template/XDATScreen_UpdateUser.vm'), /password has expired/],
    ['is of an account that was disabled', movedTo('/app/template/InactiveAccount.vm'), /is disabled/],
    [
      'is for a site that is not set up',
      { status: 403, body: 'Site has not yet been configured.' },
      /Finish the set-up/,
    ],
  ])('tells what to do when the password %s', async (_, answer, advice) => {
    const api = await startScriptedApi([buildInfo, answer])
    onTestFinished(() => api.stop())

    const { exitCode, stdout } = await run([], envOf({ url: api.url, user: 'service', password: 'fake-password' }))

    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^failed {3}sign-in /m)
    expect(stdout).toMatch(advice)
  })

  it.each<[string, ScriptedAnswer, RegExp, RegExp]>([
    ['a web page', { body: page }, /answers 200 with a web page, not as XNAT does$/, /another program.*\/xnat/],
    [
      'the page of a proxy that cannot reach XNAT',
      { status: 502, body: page },
      /answers 502$/,
      /down or still starting/,
    ],
    ['a page that is not found', { status: 404, body: page }, /answers 404 with a web page/, /\/xnat/],
    ['some JSON', { body: { ok: true } }, /answers 200 with something else/, /another program/],
    [
      'a sign-in of its own',
      { status: 401, body: '' },
      /answers 401 to what XNAT tells everybody/,
      /sign-in of its own/,
    ],
    [
      'a redirect to its other address',
      movedTo('https://xnat.example.org/xnat/xapi/siteConfig/buildInfo'),
      /sends on to https:\/\/xnat\.example\.org\/xnat\/xapi/,
      /Set XNAT_URL to https:\/\/xnat\.example\.org\/xnat:/,
    ],
    [
      'a redirect to somebody else',
      movedTo('https://login.example.org/start?token=fake-token'),
      /sends on to https:\/\/login\.example\.org\/start$/,
      /sign-in of its own/,
    ],
  ])('sends no password to what answers with %s', async (_, answer, words, advice) => {
    const api = await startScriptedApi([answer])
    onTestFinished(() => api.stop())

    const env = envOf({ url: api.url, user: 'service', password: 'fake-password' })
    const { exitCode, found, trouble } = await doctor(env)

    expect({ exitCode, trouble }).toEqual({ exitCode: 1, trouble: ['address'] })
    expect(found['address']).toMatch(words)
    expect(found['sign-in']).toBe('skipped: nothing can be told without: address')
    expect((await run([], env)).stdout).toMatch(advice)
    expect(api.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  it('says when nothing answers', async () => {
    const api = await startScriptedApi([])
    await api.stop()

    const { exitCode, found } = await doctor(envOf({ url: api.url, user: 'service', password: 'fake-password' }))

    expect(exitCode).toBe(1)
    expect(found['address']).toMatch(/cannot be reached: ECONNREFUSED$/)
  })

  it('says when an answer breaks off', async () => {
    const xnat = await startSite()
    xnat.faults.next({ kind: 'cut-during-reply', times: 9, when: { path: /buildInfo/ } })

    const { exitCode, found } = await doctor(envOf(xnat))

    expect(exitCode).toBe(1)
    expect(found['address']).toMatch(/cannot be reached: \S+$/)
  })

  it('says when the certificate is not to be trusted, and sends nothing', async () => {
    const file = (name: string) => readFile(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8')
    const tls = { key: await file('fake-key-for-tests.pem'), cert: await file('fake-certificate-for-tests.pem') }
    const xnat = await startScriptedXnat((_, response) => void response.end('{}'), { tls })

    const { exitCode, stdout } = await run([], envOf({ url: xnat.url, user: 'service', password: 'fake-password' }))

    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^failed {3}address .*cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT\n {28}.*certificate/m)
    expect([...xnat.signIns, ...xnat.seen]).toEqual([])
  })

  it('warns of an address of another machine without encryption', async () => {
    const xnat = await startSite()
    // The same machine, by an address that does not say so.
    const env = { ...envOf(xnat), XNAT_URL: xnat.url.replace('127.0.0.1', '0.0.0.0') }

    const { exitCode, found, trouble } = await doctor(env)

    expect({ exitCode, trouble }).toEqual({ exitCode: 0, trouble: ['encryption', 'site URL'] })
    expect(found['encryption']).toMatch(/^warning: none: the password/)
  })

  it.each<[string, readonly string[], Env, RegExp]>([
    [
      'without an address',
      [],
      {},
      /XNAT_URL is missing; XNAT_SERVICE_USER is missing; XNAT_SERVICE_PASSWORD is missing/,
    ],
    ['with a setting that is none', [], { XNAT_URL: 'http://127.0.0.1', XNAT_PORT: 'many' }, /XNAT_PORT is not valid/],
    [
      'with a password in the address',
      [],
      { XNAT_URL: 'http://me:fake-password@127.0.0.1', XNAT_SERVICE_USER: 'u', XNAT_SERVICE_PASSWORD: 'fake-password' },
      /not a plain http or https address/,
    ],
    ['with an option that is none', ['--fix'], {}, /Unknown option '--fix'[\s\S]*Exit codes/],
    ['with a password in the arguments', ['fake-argument'], {}, /Unexpected argument/],
    ['with a format that is none', ['-o', 'xml'], {}, /--output is text or json/],
  ])('ends with 2 %s, and asks nothing', async (_, args, env, words) => {
    const { exitCode, stdout, stderr } = await run(args, env)

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(words)
  })

  it('tells what it is for, and what else there is', async () => {
    const { exitCode, stdout } = await run(['--help'], {})

    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/changes nothing there, except[\s\S]*conduit doctor/)
  })

  it('wants as many sessions as the workers and the sweep may have, and more for the API', () => {
    const bounds = inject('service').functions.flatMap(
      ({ events }) => JSON.stringify(events).match(/"maximumConcurrency":\d+/g) ?? [],
    )
    const workers = bounds.map((text) => Number(text.split(':')[1])).reduce((sum, each) => sum + each, 0)

    expect(workers).toBeGreaterThan(10)
    expect(sessionsWanted).toBeGreaterThanOrEqual(2 * workers)
  })
})
