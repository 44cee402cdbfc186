import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient } from './scripted-xnat.ts'

const ping = xnatPath`/data/ping`

async function refusing(status: number, headers: Record<string, string>, body: string) {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(`${request.method} ${request.url}`)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths }
}

it.each([
  ['a wrong password', 401, {}, '<html><body>Your login attempt failed</body></html>', 'Your login attempt failed'],
  [
    'an expired password',
    302,
    { location: '/app/template/XDATScreen_UpdateUser.vm' },
    '',
    '/app/template/XDATScreen_UpdateUser.vm',
  ],
])('reports %s as XNAT_UNAUTHORIZED with what XNAT said', async (_, status, headers, body, detail) => {
  const { url } = await refusing(status, headers, body)
  const { client } = createClient(url)
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED', status, detail })
})

it('does not try a refused password again for a minute, so that XNAT does not lock the account', async () => {
  const { url, paths } = await refusing(401, {}, '')
  let time = 0
  const { client } = createClient(url, { now: () => time })
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED' })
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED' })
  expect(paths).toEqual(['POST /data/JSESSION'])
  time = 60_000
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED' })
  expect(paths).toHaveLength(2)
})

it('takes a refusal of a password that was good before for one session too many, which passes', async () => {
  let signIns = 0
  let isFull = false
  const server = createServer((request, response) => {
    if (request.method === 'POST') signIns += 1
    if (isFull) return void response.writeHead(401).end('<html>maximum number of user sessions</html>')
    response.writeHead(200, { 'set-cookie': 'JSESSIONID=S1' }).end('S1')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { client, slept } = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await client.get(ping)
  isFull = true
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_BUSY', retry: 'later', retryAfterMs: 60_000 })
  expect([signIns, slept]).toEqual([2, []])
})

it('tries a sign-in that fails as often as any call, and not once more for each try of the call', async () => {
  const { url, paths } = await refusing(500, {}, '')
  const { client } = createClient(url, { retry: { attempts: 3 } })
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
  expect(paths).toEqual(['POST /data/JSESSION', 'POST /data/JSESSION', 'POST /data/JSESSION'])
})

it('takes a web page in place of a session ID for a failed sign-in, not for a session', async () => {
  const { url } = await refusing(200, { 'content-type': 'text/html' }, '<html><form name="portal"></form></html>')
  const { client } = createClient(url)
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNEXPECTED_REPLY' })
})
