import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import { readSecret } from '../../lib/aws/secrets.ts'
import { apiHandler, route } from '../../lib/handler.ts'
import { createLogger } from '../../lib/log.ts'
import { openSecret, StoredEnvelopeKeys, StoredServiceKeys } from '../../lib/secrets.ts'
import { httpEvent, lambdaContext } from '../support/events.ts'
import { startSecretsServer } from '../support/secrets-server.ts'
import { testWired } from '../support/wired.ts'

async function rig() {
  const server = await startSecretsServer({ 'prod/service-key': { key: 'fake-old' } })
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  })
  onTestFinished(() => client.destroy())
  const lines: string[] = []
  const time = { now: 0 }
  const deps = {
    read: (id: string) => readSecret(client, id),
    log: createLogger({ level: 'info', write: (line) => lines.push(line) }),
    now: () => time.now,
  }
  const serviceKeys = openSecret({ id: 'prod/service-key' }, StoredServiceKeys, deps)
  const put = (key: string) => server.secrets.set('prod/service-key', JSON.stringify({ key }))
  return { server, deps, lines, time, serviceKeys, put }
}

const minute = 60_000

it('a stored secret is read when it is first wanted, once for all who want it, and again after five minutes', async () => {
  const { server, serviceKeys, put, time } = await rig()
  expect(server.asked).toEqual([])
  expect(await Promise.all([serviceKeys.get(), serviceKeys.get()])).toEqual([['fake-old'], ['fake-old']])
  put('fake-new fake-old')
  time.now = 4 * minute
  expect(await serviceKeys.get()).toEqual(['fake-old'])
  time.now = 6 * minute
  expect(await serviceKeys.get()).toEqual(['fake-new', 'fake-old'])
  expect(server.asked).toHaveLength(2)
})

it('a secret that was refused is read again at once, but not for every wrong key', async () => {
  const { server, serviceKeys, put, time } = await rig()
  await serviceKeys.get()
  put('fake-new')
  time.now = 11_000
  expect(await serviceKeys.renewed()).toEqual(['fake-new'])
  for (let tries = 0; tries < 100; tries += 1) await serviceKeys.renewed()
  expect(server.asked).toHaveLength(2)
})

it('what was read last serves while Secrets Manager is away, and the log says so', async () => {
  const { server, serviceKeys, put, time, lines } = await rig()
  await serviceKeys.get()
  server.failsWith = 500
  time.now = 6 * minute
  expect(await serviceKeys.get()).toEqual(['fake-old'])
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', message: 'secret not read anew', code: 'STORAGE_BUSY' },
  ])
  server.failsWith = undefined
  put('fake-new')
  time.now = 12 * minute
  expect(await serviceKeys.get()).toEqual(['fake-new'])
})

it('a secret that is not there, or not what it should be, is an error that names it and tells nothing of it', async () => {
  const { server, deps } = await rig()
  await expect(openSecret({ id: 'gone' }, StoredServiceKeys, deps).get()).rejects.toMatchObject({
    code: 'STORAGE_REFUSED',
  })
  server.secrets.set('short', JSON.stringify({ key: 'c2hvcnQ=' }))
  const reading = openSecret({ id: 'short' }, StoredEnvelopeKeys, deps).get()
  await expect(reading).rejects.toThrow('The secret short does not hold what is expected of it')
  await expect(reading).rejects.not.toThrow(/c2hvcnQ/)
})

it('a caller with a key that was just added is let in, and one with a wrong key is not', async () => {
  const { serviceKeys, put, time } = await rig()
  const wired = testWired()
  const shut = route({
    method: 'GET',
    path: '/shut',
    operationId: 'shut',
    summary: 'Wants a key.',
    request: z.object({}),
    answer: z.object({}),
    run: async () => ({}),
  })
  const handler = apiHandler([shut], () => ({ ...wired, secrets: { ...wired.secrets, serviceKeys } }))
  const statusWith = async (key: string) => {
    const headers = { 'x-trust-internal-service-key': key }
    return (await handler(httpEvent({ path: '/shut', headers }), lambdaContext())).statusCode
  }
  expect(await statusWith('fake-old')).toBe(200)
  expect(await statusWith('fake-new')).toBe(401)
  put('fake-new fake-old')
  time.now = 11_000
  expect([await statusWith('fake-new'), await statusWith('fake-old'), await statusWith('other')]).toEqual([
    200, 200, 401,
  ])
})
