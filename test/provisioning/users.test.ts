import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { open } from '../../lib/envelope.ts'
import { freeUsernames, usernameStem } from '../../lib/provisioning/usernames.ts'
import { randomPassword, settleUsers } from '../../lib/provisioning/users.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { createProject, listMembers, setMember } from '../../lib/xnat/projects.ts'
import { createUser, findUser, listUsers } from '../../lib/xnat/users.ts'

let standIn: XnatServer
let xnat: XnatClient
beforeEach(async () => {
  standIn = await startXnat()
  xnat = clientAs(standIn.user, standIn.password)
  await createProject(xnat, { projectId: 'P', secondaryId: 'P', name: 'P' })
})
afterEach(async () => {
  await xnat.close()
  await standIn.stop()
})

const clientAs = (user: string, password: string) =>
  new XnatClient({ url: standIn.url, credentials: { kind: 'password', user, password }, retry: { attempts: 1 } })

const envelope = { kid: 'shared', keys: { shared: Buffer.alloc(32, 1) } }
const settle = (...emails: string[]) =>
  settleUsers(
    { xnat, signal: new AbortController().signal, envelope },
    'P',
    emails.map((email) => ({ email, isDisabled: false })),
  )
const members = async () =>
  (await listMembers(xnat, 'P')).filter(({ groupId }) => groupId === 'P_member').map(({ login }) => login)

const account = (username: string, email: string) =>
  createUser(xnat, { username, email, firstName: username, lastName: username, password: 'Fake-password-1!' })

async function hasSignedIn(username: string): Promise<void> {
  const client = clientAs(username, 'Fake-password-1!')
  await client.whoAmI()
  await client.close()
}

describe("the hub's users", () => {
  it("get an account by FLIP's rule, a membership, and a sealed path to set their password", async () => {
    const { invited, added, failed } = await settle('John.Doe@hospital.example')

    expect([added, failed]).toEqual([[], []])
    expect(invited).toMatchObject([{ username: 'JohnDoe', email: 'John.Doe@hospital.example' }])
    const path = open(invited[0]!.sealedSetupPath, { keys: envelope.keys, context: 'xnat_setup_path' })
    const [, alias = '', secret = ''] =
      /^\/app\/template\/XDATScreen_UpdateUser\.vm\?a=([^&]+)&s=(.+)$/.exec(path) ?? []
    expect(await clientAs(decodeURIComponent(alias), decodeURIComponent(secret)).whoAmI()).toBe('JohnDoe')
    expect(await findUser(xnat, 'JohnDoe')).toMatchObject({
      firstName: 'JohnDoe',
      lastName: 'JohnDoe',
      enabled: true,
      verified: true,
    })
    expect(await members()).toEqual(['JohnDoe'])
  })

  it('who are disabled are left out', async () => {
    const deps = { xnat, signal: new AbortController().signal, envelope }

    expect(await settleUsers(deps, 'P', [{ email: 'gone@x.example', isDisabled: true }])).toEqual({
      invited: [],
      added: [],
      failed: [],
    })
    expect((await listUsers(xnat)).some(({ email }) => email === 'gone@x.example')).toBe(false)
  })

  it('with an account that is in use are added, whatever the case of their address', async () => {
    await account('ann', 'Ann@x.example')
    await hasSignedIn('ann')

    const { invited, added } = await settle('ann@X.example')

    expect(invited).toEqual([])
    expect(added).toMatchObject([{ username: 'ann', email: 'Ann@x.example' }])
    expect(await members()).toEqual(['ann'])
  })

  it('who have never signed in are invited again, under the same name, and nothing else is written', async () => {
    const first = await settle('ann@x.example')
    standIn.requests.clear()
    const second = await settle('ann@x.example')

    expect(second.invited.map(({ username }) => username)).toEqual(first.invited.map(({ username }) => username))
    expect(
      standIn.requests.list().filter(({ method, path }) => method !== 'GET' && !path.includes('JSESSION')),
    ).toEqual([])
  })

  it('whose name is taken get a number', async () => {
    await account('ann', 'other@x.example')

    const { invited } = await settle('ann@x.example', 'a.n.n@y.example')

    expect(invited.map(({ username }) => username)).toEqual(['ann1', 'ann2'])
  })

  it('keep a higher role that they have in the project', async () => {
    await account('ann', 'ann@x.example')
    await setMember(xnat, { projectId: 'P', role: 'owner', login: 'ann' })

    await settle('ann@x.example')

    expect((await listMembers(xnat, 'P')).find(({ login }) => login === 'ann')?.groupId).toBe('P_owner')
  })

  it('who cannot be settled are named with a code, and the others are settled', async () => {
    const { invited, failed } = await settle('1234@x.example', 'ann@x.example', '...@x.example')

    expect(invited.map(({ username }) => username)).toEqual(['ann'])
    expect(failed).toEqual([
      { email: '1234@x.example', code: 'NO_USERNAME' },
      { email: '...@x.example', code: 'NO_USERNAME' },
    ])
  })

  it('meet themselves in one account when asked for many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => settle('ann@x.example', 'bob@x.example')))

    for (const { invited } of answers) expect(invited.map(({ username }) => username)).toEqual(['ann', 'bob'])
    expect((await listUsers(xnat)).filter(({ email }) => email?.endsWith('x.example'))).toHaveLength(2)
    expect((await members()).sort()).toEqual(['ann', 'bob'])
  })

  it('are not given up one by one when XNAT is away', async () => {
    standIn.faults.next({ when: { method: 'POST', path: /xapi\/users/ }, kind: 'status', status: 503 })

    await expect(settle('ann@x.example')).rejects.toMatchObject({ code: 'XNAT_BUSY' })
  })

  it('are not told as settled when the account may make none', async () => {
    standIn.faults.next({ when: { method: 'POST', path: /xapi\/users/ }, kind: 'status', status: 403 })

    await expect(settle('ann@x.example')).rejects.toMatchObject({ code: 'MISSING_ROLE' })
  })

  it('are looked up by one listing of users and one of members, however many they are', async () => {
    await settle('a@x.example', 'b@x.example', 'c@x.example')
    standIn.requests.clear()
    await settle('a@x.example', 'b@x.example', 'c@x.example')

    const listings = standIn.requests
      .list()
      .filter(({ path }) => /\/profiles$|\/projects\/P\/users/.test(path.split('?')[0] ?? ''))
    expect(listings).toHaveLength(2)
  })
})

describe('a username', () => {
  it.each([
    ['john.doe@x.example', 'johndoe'],
    ['John-Doe@x.example', 'John-Doe'],
    ['"a b"@x.example', 'ab'],
    ['7of9@x.example', 'of9'],
    ['jürgen@x.example', 'jrgen'],
    [`${'a'.repeat(64)}@x.example`, 'a'.repeat(60)],
    ['123@x.example', undefined],
  ])('of %s is %s', (email, stem) => {
    expect(usernameStem(email)).toBe(stem)
  })

  it('is the first that is free', () => {
    expect([...freeUsernames('ann', new Set(['ann', 'ann1', 'ann3']))].slice(0, 2)).toEqual(['ann2', 'ann4'])
  })
})

describe('a password that nobody learns', () => {
  it('has 15 characters of all four kinds', () => {
    for (let count = 0; count < 200; count += 1) {
      const password = randomPassword()
      expect(password).toHaveLength(15)
      for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/]) expect(password).toMatch(kind)
    }
  })
})
