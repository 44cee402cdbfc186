import { expect, it } from 'vitest'
import { dumpDicom } from '../../lib/xnat/dicom-dump.ts'
import { invalidateToken, issueToken, validateToken } from '../../lib/xnat/tokens.ts'
import {
  addToGroups,
  createUser,
  findUser,
  findUsersByEmail,
  listGroups,
  listUsernames,
  removeFromGroups,
  updateUser,
} from '../../lib/xnat/users.ts'
import { createClient, startAnswering } from './scripted-xnat.ts'

// auth-users-import 4.1
const ann = {
  id: 5,
  username: 'ann',
  firstName: 'Ann',
  lastName: "O'Hara",
  email: 'Ann@Example.org',
  secured: true,
  enabled: true,
  verified: true,
  lastModified: 1772359200000,
}

it('finds a user by name, or none', async () => {
  const xnat = await startAnswering({
    'GET /xapi/users/profile/ann': { body: ann },
    'GET /xapi/users/profile/bob': { status: 404, body: 'There was an error in the request' },
  })
  const { client } = createClient(xnat.url)
  expect(await findUser(client, 'ann')).toEqual({
    id: 5,
    username: 'ann',
    firstName: 'Ann',
    lastName: "O'Hara",
    email: 'Ann@Example.org',
    enabled: true,
    verified: true,
    lastModifiedAtMs: 1772359200000,
    lastLoginAtMs: undefined,
  })
  expect(await findUser(client, 'bob')).toBe(undefined)
})

it('finds users by address, upper and lower case alike', async () => {
  const bob = { id: 6, username: 'bob', secured: true, enabled: false, verified: true }
  const xnat = await startAnswering({
    'GET /xapi/users/profiles': { body: [ann, bob] },
    'GET /xapi/users': { body: ['ann', 'bob'] },
  })
  const { client } = createClient(xnat.url)
  expect((await findUsersByEmail(client, 'ann@example.org')).map(({ username }) => username)).toEqual(['ann'])
  expect(await listUsernames(client)).toEqual(['ann', 'bob'])
})

it('creates a user who can sign in at once, unless the name is taken', async () => {
  const xnat = await startAnswering({
    'POST /xapi/users': [
      { status: 201, body: ann },
      { status: 409, body: 'exists' },
    ],
  })
  const { client } = createClient(xnat.url)
  const user = { username: 'ann', email: 'ann@example.org', firstName: 'Ann', lastName: 'O' }
  expect(await createUser(client, user)).toEqual({ kind: 'created' })
  expect(await createUser(client, user)).toEqual({ kind: 'already-there' })
  expect(xnat.calls[0]).toBe(
    'POST /xapi/users {"username":"ann","email":"ann@example.org","firstName":"Ann","lastName":"O","enabled":true,"verified":true}',
  )
})

it("shows XNAT's words when it does not take a user", async () => {
  const body = 'There was an error with the submitted data\n * Missing fields: email\n'
  const xnat = await startAnswering({
    'POST /xapi/users': { status: 400, headers: { 'content-type': 'text/plain' }, body },
  })
  const user = { username: 'ann', email: '', firstName: 'Ann', lastName: 'O' }
  await expect(createUser(createClient(xnat.url).client, user)).rejects.toMatchObject({
    code: 'XNAT_REFUSED',
    detail: 'There was an error with the submitted data * Missing fields: email',
  })
})

it('changes a user, or finds nothing to change', async () => {
  const xnat = await startAnswering({ 'PUT /xapi/users/ann': [{ body: ann }, { status: 304 }] })
  const { client } = createClient(xnat.url)
  expect(await updateUser(client, 'ann', { enabled: false })).toEqual({ kind: 'changed' })
  expect(await updateUser(client, 'ann', { enabled: false })).toEqual({ kind: 'unchanged' })
  expect(xnat.calls[0]).toBe('PUT /xapi/users/ann {"enabled":false}')
})

it('adds to and removes from groups, and names those that failed', async () => {
  const xnat = await startAnswering({
    'GET /xapi/users/ann/groups': { body: ['P_owner'] },
    'PUT /xapi/users/ann/groups': { status: 202, body: ['Q_member'] },
    'DELETE /xapi/users/ann/groups': { body: [] },
  })
  const { client } = createClient(xnat.url)
  expect(await listGroups(client, 'ann')).toEqual(['P_owner'])
  expect(await addToGroups(client, 'ann', ['P_member', 'Q_member'])).toEqual({ failed: ['Q_member'] })
  expect(await removeFromGroups(client, 'ann', ['P_owner'])).toEqual({ failed: [] })
  expect(xnat.calls[2]).toBe('DELETE /xapi/users/ann/groups ["P_owner"]')
})

const token = { id: 1, alias: 'a-1', secret: 's3cret', xdatUserId: 'ann', singleUse: false, estimatedExpirationTime: 9 }

it('issues, checks and revokes alias tokens', async () => {
  const xnat = await startAnswering({
    'GET /data/services/tokens/issue': { body: token },
    'GET /data/services/tokens/issue/user/bob': { body: { ...token, xdatUserId: 'bob' } },
    'GET /data/services/tokens/validate/a-1/s3cret': [{ body: { valid: 'ann' } }, { body: {} }, { status: 404 }],
    'GET /data/services/tokens/invalidate/a-1': [{ body: { result: 'OK' } }, { status: 404 }],
  })
  const { client } = createClient(xnat.url)
  const issued = await issueToken(client)
  expect(issued).toEqual({ alias: 'a-1', secret: 's3cret', username: 'ann', isSingleUse: false, expiresAtMs: 9 })
  expect((await issueToken(client, { username: 'bob' })).username).toBe('bob')
  expect(await validateToken(client, issued)).toBe('ann')
  expect(await validateToken(client, issued)).toBe(undefined)
  expect(await validateToken(client, issued)).toBe(undefined)
  expect(await invalidateToken(client, 'a-1')).toEqual({ kind: 'invalidated' })
  expect(await invalidateToken(client, 'a-1')).toEqual({ kind: 'not-there' })
})

it('makes no second token when the answer to the first was lost', async () => {
  const xnat = await startAnswering({ 'GET /data/services/tokens/issue': { status: 503 } })
  await expect(issueToken(createClient(xnat.url).client)).rejects.toMatchObject({ code: 'XNAT_BUSY' })
  expect(xnat.calls).toHaveLength(1)
})

it('keeps the secret of a token out of errors', async () => {
  const xnat = await startAnswering({ 'GET /data/services/tokens/validate/a-1/s3cret': { status: 403 } })
  const call = validateToken(createClient(xnat.url).client, { alias: 'a-1', secret: 's3cret' })
  await expect(call).rejects.toMatchObject({ message: 'GET /data/services/tokens/validate/{validate}/{value}: 403' })
})

it('dumps a DICOM header, with values as they are in the file', async () => {
  const row = { tag1: '(0008,103E)', tag2: '', vr: 'LO', value: 'T1 &lt;3D&gt; &amp;amp;', desc: 'Series Description' }
  const xnat = await startAnswering({ 'GET /data/services/dicomdump': { body: { ResultSet: { Result: [row] } } } })
  const { client } = createClient(xnat.url)
  const place = { projectId: 'P', subject: 'S1', experiment: 'MR1', scanId: '4', file: 'a 1.dcm' }
  expect(await dumpDicom(client, place, { attributes: ['SeriesDescription', '00080060'] })).toEqual([
    { tag: '(0008,103E)', innerTag: undefined, vr: 'LO', value: 'T1 <3D> &amp;', description: 'Series Description' },
  ])
  const { scanId: _scan, file: _file, ...wholeSession } = place
  await dumpDicom(client, wholeSession)
  expect(xnat.calls[1]).toContain('src=%2Farchive%2Fprojects%2FP%2Fsubjects%2FS1%2Fexperiments%2FMR1&')
  await expect(dumpDicom(client, { ...wholeSession, file: 'a.dcm' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  const [path, query] = xnat.calls[0]?.split(' ')[1]?.split('?') ?? []
  expect(path).toBe('/data/services/dicomdump')
  expect([...new URLSearchParams(query)]).toEqual([
    ['src', '/archive/projects/P/subjects/S1/experiments/MR1/scans/4/resources/DICOM/files/a%201.dcm'],
    ['field', 'SeriesDescription'],
    ['field', '00080060'],
    ['format', 'json'],
  ])
})
