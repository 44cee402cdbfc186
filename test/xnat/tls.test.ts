import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient, startScriptedXnat } from './scripted-xnat.ts'

const ping = xnatPath`/data/ping`
const fixtures = join(import.meta.dirname, '../fixtures/tls')

/** An XNAT at 127.0.0.1 with a certificate for that address that nobody has signed but itself. */
async function startTls() {
  const [key, cert] = await Promise.all([
    readFile(join(fixtures, 'fake-key-for-tests.pem'), 'utf8'),
    readFile(join(fixtures, 'fake-certificate-for-tests.pem'), 'utf8'),
  ])
  return { cert, xnat: await startScriptedXnat((_, response) => void response.end('pong'), { tls: { key, cert } }) }
}

it('trusts a server whose certificate it was given', async () => {
  const { cert, xnat } = await startTls()
  const { client } = createClient(xnat.url, { http: { ca: cert } })
  expect((await client.get(ping)).text).toBe('pong')
})

it('tells nothing to a server whose certificate it does not know', async () => {
  const { xnat } = await startTls()
  const { client } = createClient(xnat.url)
  await expect(client.get(ping)).rejects.toMatchObject({
    code: 'XNAT_UNREACHABLE',
    status: undefined,
    cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  })
  expect([...xnat.signIns, ...xnat.seen]).toEqual([])
})

it('tells nothing to a server whose certificate is for another address', async () => {
  const { cert, xnat } = await startTls()
  const { client } = createClient(xnat.url.replace('127.0.0.1', 'localhost'), { http: { ca: cert } })
  await expect(client.get(ping)).rejects.toMatchObject({
    code: 'XNAT_UNREACHABLE',
    cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  })
  expect([...xnat.signIns, ...xnat.seen]).toEqual([])
})

it('trusts any server when it is told to', async () => {
  const { xnat } = await startTls()
  const { client } = createClient(xnat.url, { http: { rejectUnauthorized: false } })
  expect((await client.get(ping)).text).toBe('pong')
})
