import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findProfile } from '../../functions/cli/profile.ts'
import { conduit } from '../support/command-line.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'profiles-'))
})
afterEach(() => rm(folder, { recursive: true }))

const header = 'X-Trust-Internal-Service-Key'
const inEnvironment = { CONDUIT_URL: 'https://conduit.test/', CONDUIT_SERVICE_KEY: 'fake-key' }

async function profiles(content: unknown, mode = 0o600): Promise<{ CONDUIT_PROFILES: string }> {
  const file = join(folder, 'profiles.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content), { mode })
  return { CONDUIT_PROFILES: file }
}

const stackFile = () => join(folder, 'stack.json')

describe('the API that a command asks', () => {
  it('is that of the environment', async () => {
    expect(await findProfile({ name: undefined, env: inEnvironment, stackFile: stackFile() })).toEqual({
      url: 'https://conduit.test',
      serviceKey: 'fake-key',
      serviceKeyHeader: header,
    })
  })

  it('has the bucket that the environment names, and leaves the rest of it to AWS', async () => {
    const env = { ...inEnvironment, CONDUIT_INCOMING_BUCKET: 'to-deliver' }

    expect(await findProfile({ name: undefined, env, stackFile: stackFile() })).toMatchObject({
      incoming: { bucket: 'to-deliver' },
    })
  })

  it('is that of a named profile rather than of the environment', async () => {
    const env = { ...inEnvironment, ...(await profiles({ a: { url: 'https://a.test', serviceKey: 'fake-a' } })) }

    expect(await findProfile({ name: 'a', env, stackFile: stackFile() })).toMatchObject({ url: 'https://a.test' })
    expect(
      await findProfile({ name: undefined, env: { ...env, CONDUIT_PROFILE: 'a' }, stackFile: stackFile() }),
    ).toMatchObject({ url: 'https://a.test', serviceKey: 'fake-a' })
  })

  it('is at the address that the command line names, and a profile of another is refused', async () => {
    const env = {
      CONDUIT_SERVICE_KEY: 'fake-key',
      ...(await profiles({ a: { url: 'https://a.test', serviceKey: 'fake-a' } })),
    }
    const find = (address: string, name?: string) => findProfile({ name, address, env, stackFile: stackFile() })

    expect(await find('https://b.test/')).toMatchObject({ url: 'https://b.test', serviceKey: 'fake-key' })
    expect(await find('https://a.test/', 'a')).toMatchObject({ url: 'https://a.test', serviceKey: 'fake-a' })
    await expect(find('https://b.test', 'a')).rejects.toThrow(
      'The profile is of https://a.test, not of https://b.test.',
    )
  })

  it('is looked for in the user’s folder for settings', async () => {
    const file = join(folder, 'xnat-conduit/profiles.json')
    await mkdir(dirname(file))
    await writeFile(file, JSON.stringify({ a: { url: 'https://a.test', serviceKey: 'fake-a' } }), { mode: 0o600 })

    const env = { XDG_CONFIG_HOME: folder }
    expect(await findProfile({ name: 'a', env, stackFile: stackFile() })).toMatchObject({ serviceKey: 'fake-a' })
  })

  it('is the running local stack where nothing else is said', async () => {
    const credentials = { accessKeyId: 'FAKEKEY', secretAccessKey: 'fake-secret' }
    const place = { endpoint: 'http://127.0.0.1:4000', region: 'eu-central-1' }
    const s3 = { ...place, ...credentials, buckets: { incoming: 'to-deliver', state: 'records' } }
    const stack = { api: 'http://127.0.0.1:3000', serviceKey: { header, key: 'local' }, s3 }
    await writeFile(stackFile(), JSON.stringify(stack))

    expect(await findProfile({ name: undefined, env: {}, stackFile: stackFile() })).toEqual({
      url: 'http://127.0.0.1:3000',
      serviceKey: 'local',
      serviceKeyHeader: header,
      incoming: { bucket: 'to-deliver', ...place, credentials },
    })
  })

  const secret = 'fake-secret-key'
  it.each<[string, { args?: string[]; env?: Record<string, string>; content?: unknown; mode?: number }, RegExp]>([
    ['nothing is said', {}, /Which API\?/],
    ['the key is missing', { env: { CONDUIT_URL: 'https://a.test' } }, /serviceKey/],
    ['the address is none', { env: { CONDUIT_URL: 'a.test', CONDUIT_SERVICE_KEY: secret } }, /url/],
    ['the profile is not in the file', { args: ['--profile', 'b'], content: { a: {} } }, /no profile b, but a/],
    ['there is no file', { args: ['--profile', 'b'], env: { XDG_CONFIG_HOME: '/nowhere' } }, /no file/],
    ['the file is not JSON', { args: ['--profile', 'a'], content: secret }, /profiles\.json/],
    [
      'others may read the file',
      { args: ['--profile', 'a'], content: { a: { url: 'https://a.test', serviceKey: secret } }, mode: 0o644 },
      /chmod 600/,
    ],
  ])(
    'is not guessed: where %s, nothing is asked and no key told',
    async (_, { args = [], content, ...given }, words) => {
      const env = { ...given.env, ...(content !== undefined && (await profiles(content, given.mode))) }

      const { exitCode, stdout, stderr } = await conduit(['dead-letters', ...args], { env, stackFile: stackFile() })

      expect([exitCode, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(words)
      expect(stderr).not.toContain(secret)
    },
  )
})
