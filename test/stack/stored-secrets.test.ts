import { expect, inject, it, onTestFinished, vi } from 'vitest'
import { startStack } from '../../infra/local/stack.ts'
import { startSecretsServer } from '../support/secrets-server.ts'

it('functions take their secrets from Secrets Manager, and a changed service key without being deployed anew', async () => {
  const server = await startSecretsServer({
    'xnat-conduit/dev/service-key': { key: 'fake-first' },
    'xnat-conduit/dev/envelope-key': { key: Buffer.alloc(32).toString('base64') },
  })
  const stack = await startStack({
    service: inject('service'),
    environment: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url,
      // The names that the functions' roles allow.
      XNAT_SECRET: 'xnat-conduit/dev/xnat',
      SERVICE_KEY_SECRET: 'xnat-conduit/dev/service-key',
      ENVELOPE_KEY_SECRET: 'xnat-conduit/dev/envelope-key',
      XNAT_SERVICE_USER: '',
      XNAT_SERVICE_PASSWORD: '',
      TRUST_INTERNAL_SERVICE_KEY: '',
      AES_KEY_BASE64: '',
    },
  })
  onTestFinished(() => stack.stop())
  const { user, password } = stack.description.xnat
  server.secrets.set('xnat-conduit/dev/xnat', JSON.stringify({ user, password }))
  const listWith = async (key: string) => {
    const headers = { [stack.description.serviceKey.header]: key }
    return (await fetch(`${stack.description.api}/projects`, { headers })).status
  }

  expect(await listWith('fake-first')).toBe(200)
  expect(await listWith('fake-second')).toBe(401)
  server.secrets.set('xnat-conduit/dev/service-key', JSON.stringify({ key: 'fake-second' }))
  await vi.waitFor(async () => expect(await listWith('fake-second')).toBe(200), { timeout: 20_000, interval: 1_000 })
  expect(await listWith('fake-first')).toBe(401)
}, 60_000)
