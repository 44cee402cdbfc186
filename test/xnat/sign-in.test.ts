import { expect, it } from 'vitest'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient, isSignedIn, type ScriptedXnat, startScriptedXnat } from './scripted-xnat.ts'

const ping = xnatPath`/data/ping`

/** Answers `pong` to those signed in and `refuse`s the others. */
function guarded(refuse: Parameters<typeof startScriptedXnat>[0]): Promise<ScriptedXnat> {
  const starting: Promise<ScriptedXnat> = startScriptedXnat(async (request, response, seen) => {
    if (isSignedIn(await starting, seen)) response.end('pong')
    else await refuse(request, response, seen)
  })
  return starting
}

const refuseWith401 = () => guarded((_, response) => void response.writeHead(401).end('<html>no</html>'))

it('opens one session for fifty simultaneous first calls', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url)
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.get(ping)))
  expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, () => 'pong'))
  expect(xnat.signIns).toHaveLength(1)
  expect(xnat.seen.every(({ cookie }) => cookie === 'JSESSIONID=S1')).toBe(true)
})

it('sends the password to sign in and never again', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url, { credentials: { kind: 'password', user: 'ann', password: 'a:b é' } })
  await client.get(ping)
  expect(xnat.signIns[0]?.authorization).toBe(`Basic ${Buffer.from('ann:a:b é').toString('base64')}`)
  expect(xnat.seen.map(({ authorization }) => authorization)).toEqual([undefined])
})

it('signs in with an alias token as user and secret as password', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url, { credentials: { kind: 'alias-token', alias: 'al', secret: 'se' } })
  await client.get(ping)
  expect(xnat.signIns[0]?.authorization).toBe(`Basic ${Buffer.from('al:se').toString('base64')}`)
})

it.each([
  ['401', guarded.bind(undefined, (_, response) => void response.writeHead(401).end())],
  [
    'a redirect to the login page',
    guarded.bind(undefined, (_, response) => {
      response.writeHead(302, { location: 'http://x/app/template/Login.vm' }).end()
    }),
  ],
  [
    'the login page as a success',
    guarded.bind(undefined, (_, response) => {
      const page = '<!DOCTYPE html><html><!-- BEGIN xnat-templates/screens/Login.vm --></html>'
      response.writeHead(200, { 'content-type': 'text/html;charset=UTF-8' }).end(page)
    }),
  ],
  [
    "a guest's answer with a session of its own",
    guarded.bind(undefined, (_, response) => {
      response.writeHead(200, { 'set-cookie': 'JSESSIONID=GUEST1; Path=/; HttpOnly' }).end('pong for guests')
    }),
  ],
  [
    "a guest's 404",
    guarded.bind(undefined, (_, response) => {
      response.writeHead(404, { 'set-cookie': ['A=b', 'JSESSIONID=GUEST1; Path=/'] }).end('<h3>not found</h3>')
    }),
  ],
])('signs in anew and asks once more when a lost session is answered by %s', async (_, start) => {
  const xnat = await start()
  const { client } = createClient(xnat.url)
  await client.get(ping)
  xnat.sessions.clear()
  expect((await client.get(ping)).text).toBe('pong')
  expect(xnat.signIns).toHaveLength(2)
  expect(xnat.seen.map(({ cookie }) => cookie)).toEqual(['JSESSIONID=S1', 'JSESSIONID=S1', 'JSESSIONID=S2'])
})

it('signs in once when twenty calls find their session gone at the same time', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url)
  await client.get(ping)
  xnat.sessions.clear()
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.get(ping)))
  expect(answers.every(({ text }) => text === 'pong')).toBe(true)
  expect(xnat.signIns).toHaveLength(2)
})

it('repeats a POST that met a lost session, since XNAT has not acted on it', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url)
  await client.get(ping)
  xnat.sessions.clear()
  expect((await client.post(ping)).text).toBe('pong')
})

it('gives up with XNAT_UNAUTHORIZED when a new session is refused as well', async () => {
  const xnat = await startScriptedXnat((_, response) => void response.writeHead(401).end('<h3>never</h3>'))
  const { client, slept } = createClient(xnat.url)
  await expect(client.get(ping)).rejects.toMatchObject({
    code: 'XNAT_UNAUTHORIZED',
    retry: 'never',
    status: 401,
    detail: 'never',
  })
  expect(xnat.seen).toHaveLength(2)
  expect(xnat.signIns).toHaveLength(2)
  expect(slept).toEqual([])
})

it('cannot replace a session that it was given', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url, { credentials: { kind: 'session', jsessionId: 'gone' } })
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED' })
  expect(xnat.signIns).toHaveLength(0)
})

it('works under a session that it was given', async () => {
  const xnat = await refuseWith401()
  xnat.sessions.add('given')
  const { client } = createClient(xnat.url, { credentials: { kind: 'session', jsessionId: 'given' } })
  expect((await client.get(ping)).text).toBe('pong')
})

it('logs out by ending its session, and signs in again on the next call', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url)
  await client.get(ping)
  await client.logout()
  await client.logout()
  expect(xnat.signOuts.map(({ cookie }) => cookie)).toEqual(['JSESSIONID=S1'])
  await client.get(ping)
  expect(xnat.signIns).toHaveLength(2)
})

it('ends a session that is just being opened when it closes', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url)
  const call = client.get(ping)
  await client.close()
  await call.catch((error: unknown) => expect(error).toMatchObject({ code: 'XNAT_UNREACHABLE' }))
  expect(xnat.signIns).toHaveLength(1)
  expect(xnat.signOuts.map(({ cookie }) => cookie)).toEqual(['JSESSIONID=S1'])
})

it('does not end a session that it was given, unless told to log out', async () => {
  const xnat = await refuseWith401()
  xnat.sessions.add('given')
  const given = { credentials: { kind: 'session', jsessionId: 'given' } } as const
  const { client: first } = createClient(xnat.url, given)
  await first.get(ping)
  await first.close()
  expect(xnat.signOuts).toEqual([])
  const { client: second } = createClient(xnat.url, given)
  await second.get(ping)
  await second.logout()
  expect(xnat.signOuts).toHaveLength(1)
})

it('lets one caller stop waiting for a sign-in that others still wait for', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url)
  const stop = new AbortController()
  const stopped = client.get(ping, { signal: stop.signal })
  const other = client.get(ping)
  stop.abort(new Error('enough'))
  await expect(stopped).rejects.toThrow('enough')
  expect((await other).text).toBe('pong')
  expect(xnat.signIns).toHaveLength(1)
})

it.each(['Mozilla/5.0 (X11)', 'Opera/9.80'])(
  'refuses to call itself %s, which XNAT treats as a browser',
  (userAgent) => {
    expect(() => createClient('http://127.0.0.1:1', { userAgent })).toThrow('browser')
  },
)

it.each(['ftp://xnat', 'no url', 'http://ann:secret@xnat/', 'http://xnat/?q=1'])('refuses %s as an address', (url) => {
  expect(() => createClient(url)).toThrow(expect.objectContaining({ code: 'XNAT_URL_INVALID' }))
})

it('says who it is in the User-Agent and takes any content', async () => {
  const xnat = await refuseWith401()
  const { client } = createClient(xnat.url)
  await client.get(ping)
  expect(xnat.seen[0]?.headers).toMatchObject({
    'user-agent': expect.stringMatching(/^xnat-conduit\/\d/),
    accept: '*/*',
  })
})
