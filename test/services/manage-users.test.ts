import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { addUser, addUserToProject, switchUser } from '../../lib/services/manage-users.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { createProject, listMembers, setMember } from '../../lib/xnat/projects.ts'
import { findUser } from '../../lib/xnat/users.ts'

let standIn: XnatServer
let xnat: XnatClient
beforeEach(async () => {
  standIn = await startXnat()
  const { url, user, password } = standIn
  xnat = new XnatClient({ url, credentials: { kind: 'password', user, password }, retry: { attempts: 1 } })
})
afterEach(async () => {
  await xnat.close()
  await standIn.stop()
})

const deps = () => ({ xnat, signal: new AbortController().signal })
const add = (username: string, email: string, enabled = true) =>
  addUser(deps(), { username, email, firstName: 'A', lastName: 'B', password: 'Fake-password-1!', enabled })
const isEnabled = async (username: string) => (await findUser(xnat, username))?.enabled

describe('switching a user', () => {
  it('off closes every account with the address; on opens the one that is spelled alike, and no other', async () => {
    await add('old-admin', 'SAM@x.example')
    await add('sam', 'sam@x.example')

    await switchUser(deps(), 'sam@x.example', false)
    expect([await isEnabled('old-admin'), await isEnabled('sam')]).toEqual([false, false])

    expect(await switchUser(deps(), 'sam@x.example', true)).toMatchObject({ username: 'sam', enabled: true })
    expect([await isEnabled('old-admin'), await isEnabled('sam')]).toEqual([false, true])
  })

  it('leaves the address as it is written', async () => {
    await add('sam', 'Sam@x.example')

    await switchUser(deps(), 'sam@x.example', false)

    expect((await findUser(xnat, 'sam'))?.email).toBe('Sam@x.example')
  })
})

describe('adding a user to a project', () => {
  it('leaves an owner an owner', async () => {
    await createProject(xnat, { projectId: 'P', secondaryId: 'P', name: 'P' })
    await add('sam', 'sam@x.example')
    await setMember(xnat, { projectId: 'P', role: 'owner', login: 'sam' })

    await addUserToProject(deps(), { username: 'sam', projectId: 'P' })

    expect((await listMembers(xnat, 'P')).find(({ login }) => login === 'sam')?.groupId).toBe('P_owner')
  })
})

describe('a user whom XNAT cannot save', () => {
  it('is refused, and not put off to later', async () => {
    standIn.faults.next({ when: { method: 'POST', path: /xapi\/users/ }, kind: 'status', status: 500 })

    await expect(add('sam', 'sam@x.example')).rejects.toMatchObject({ code: 'USER_REFUSED', retry: 'never' })
  })
})
