import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { CredentialsSource } from '../../lib/xnat/login.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient } from './scripted-xnat.ts'

const ping = xnatPath`/data/ping`

/** An XNAT with one password, which ends all sessions when it is changed. */
async function xnatWith(state: { password: string }) {
  const signIns: string[] = []
  const server = createServer((request, response) => {
    const given = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString()
    if (request.method === 'POST') signIns.push(given)
    const isRight = given === `ann:${state.password}` || request.headers.cookie === `JSESSIONID=${state.password}`
    if (!isRight) return void response.writeHead(401).end('<html>no</html>')
    response.setHeader('set-cookie', `JSESSIONID=${state.password}`)
    response.end(request.method === 'POST' ? state.password : 'pong')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, signIns }
}

/** As a store behind a cache gives them: anew only after a refusal. */
function cached(state: { password: string }): CredentialsSource {
  let known = state.password
  return async ({ isRefused }) => {
    if (isRefused) known = state.password
    return { kind: 'password', user: 'ann', password: known }
  }
}

it('signs in with the new password after the old one was changed under it, within the same call', async () => {
  const state = { password: 'old' }
  const { url, signIns } = await xnatWith(state)
  const { client } = createClient(url, { credentials: cached(state) })
  expect(await client.text({ method: 'GET', path: ping })).toBe('pong')

  state.password = 'new'

  expect(await client.text({ method: 'GET', path: ping })).toBe('pong')
  expect(signIns).toEqual(['ann:old', 'ann:old', 'ann:new'])
})

it('tries a refused password once when there is no other, so that XNAT does not lock the account', async () => {
  const { url, signIns } = await xnatWith({ password: 'right' })
  const { client } = createClient(url, { credentials: cached({ password: 'wrong' }) })
  await expect(client.get(ping)).rejects.toMatchObject({ code: 'XNAT_UNAUTHORIZED' })
  expect(signIns).toEqual(['ann:wrong'])
})

it('hands on why credentials cannot be had', async () => {
  const { url } = await xnatWith({ password: 'right' })
  const credentials = () => Promise.reject(new Error('the store is away'))
  const { client } = createClient(url, { credentials })
  await expect(client.get(ping)).rejects.toThrow('the store is away')
})
