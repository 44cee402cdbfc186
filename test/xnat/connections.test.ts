import { readFile } from 'node:fs/promises'
import { expect, it, onTestFinished } from 'vitest'
import { createHttpAgent } from '../../lib/xnat/client.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient, startScriptedXnat } from './scripted-xnat.ts'

const ping = xnatPath`/data/ping`

it('opens no more connections than it may, and still answers every call', async () => {
  const sockets = new Set<unknown>()
  const xnat = await startScriptedXnat((request, response) => {
    sockets.add(request.socket)
    setTimeout(() => response.end('pong'), 20)
  })
  const { client } = createClient(xnat.url, { http: { maxConnections: 2 } })
  const replies = await Promise.all(Array.from({ length: 12 }, () => client.get(ping)))
  expect(replies.map(({ text }) => text)).toEqual(Array.from({ length: 12 }, () => 'pong'))
  expect(sockets.size).toBe(2)
})

it('leaves the connections of a shared agent open when it closes', async () => {
  const xnat = await startScriptedXnat((_, response) => void response.end('pong'))
  const agent = createHttpAgent()
  onTestFinished(() => agent.close())
  const { client: first } = createClient(xnat.url, { agent })
  const { client: second } = createClient(xnat.url, { agent })
  await first.get(ping)
  await first.close()
  expect((await second.get(ping)).text).toBe('pong')
  expect(agent.closed).toBe(false)
})

it('uses a connection again after an error answer, which it has read to its end', async () => {
  const sockets = new Set<unknown>()
  const xnat = await startScriptedXnat((request, response) => {
    sockets.add(request.socket)
    response.writeHead(404, { 'content-type': 'text/html' }).end(`<h3>no</h3>${' '.repeat(200_000)}`)
  })
  const { client } = createClient(xnat.url, { http: { maxConnections: 1 } })
  for (let n = 0; n < 5; n += 1) await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
  expect(sockets.size).toBe(1)
})

it("names the product's version in its User-Agent", async () => {
  const xnat = await startScriptedXnat((_, response) => void response.end())
  await createClient(xnat.url).client.get(ping)
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(xnat.seen[0]?.headers['user-agent']).toBe(`xnat-conduit/${version}`)
})
