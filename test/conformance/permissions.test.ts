import { describe } from 'vitest'
import type { Role } from './accounts.ts'
import { type Case, stored, testFacts } from './facts.ts'
import { scanFiles, session } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }
const file = stored(`${scanFiles}/a`, 'x')
const accessibility = (level: string) => ({ send: `PUT /data/projects/{P1}/accessibility/${level}`, status: 200 })

/** What each role gets for reading data, changing it and deleting it, in a private project. */
const rights: Record<Exclude<Role, 'nobody'>, [read: number, edit: number, remove: number]> = {
  admin: [200, 200, 200],
  owner: [200, 200, 200],
  member: [200, 200, 403],
  collaborator: [200, 403, 403],
  outsider: [404, 404, 404],
}

const facts: Case[] = [
  ...(['admin', 'owner', 'member', 'collaborator', 'outsider'] as const).map((as): Case => {
    const [read, edit, remove] = rights[as]
    return {
      fact: `data-api 1.8: what ${as} may do with the data of a private project`,
      steps: [
        file,
        { send: `GET ${session}?format=json`, as, status: read },
        { send: `GET ${scanFiles}/a`, as, status: read },
        { send: `PUT ${session}/resources/R`, as, status: edit },
        { send: `DELETE ${scanFiles}/a`, as, status: remove },
        { send: `DELETE ${session}/scans/1`, as, status: remove },
      ],
    }
  }),
  {
    fact: 'data-api 1.7: public is data for everyone to read, and for no stranger to change',
    steps: [
      file,
      accessibility('public'),
      { send: `GET ${scanFiles}/a`, as: 'outsider', status: 200, text: 'x' },
      { send: `PUT ${session}/resources/R`, as: 'outsider', status: 403 },
      { send: `PUT ${scanFiles}/b?inbody=true`, as: 'outsider', headers: bytes, body: 'x', status: 200, text: '' },
      { send: `GET ${scanFiles}`, status: 200, rows: [{ Name: 'a' }] },
      { send: `DELETE ${session}`, as: 'outsider', status: 403 },
    ],
  },
  {
    fact: 'data-api 1.7: protected is the project record for everyone, and its data for members',
    steps: [
      file,
      accessibility('protected'),
      { send: 'GET /data/projects/{P1}?format=json', as: 'outsider', status: 200 },
      { send: `GET ${session}?format=json`, as: 'outsider', status: 404 },
      { send: 'GET /data/experiments?project={P1}', as: 'outsider', status: 200, rows: [] },
      { send: 'DELETE /data/projects/{P1}', as: 'outsider', status: 403 },
    ],
  },
  {
    fact: 'data-api 1.8: data shared into a project is read-only there',
    steps: [
      { send: 'PUT /data/projects/{P2}', as: 'outsider', status: 200 },
      { send: 'PUT /data/projects/{P2}/users/owner/{collaborator}', as: 'outsider', status: 200 },
      { send: `PUT ${session}/projects/{P2}`, as: 'collaborator', status: 200 },
      { send: 'GET /data/experiments/{E1}?format=json', as: 'outsider', status: 200 },
      { send: 'PUT /data/experiments/{E1}?note=x', as: 'outsider', status: 403 },
      { send: 'DELETE /data/experiments/{E1}', as: 'outsider', status: 403 },
    ],
  },
  {
    fact: 'data-api 1.8: files of the project itself belong to its record, which members do not change',
    steps: [
      { send: 'PUT /data/projects/{P1}/resources/R', as: 'member', status: 403 },
      { send: 'PUT /data/projects/{P1}/resources/R', as: 'owner', status: 200 },
      { send: 'GET /data/projects/{P1}/resources', as: 'member', status: 200, rows: [{ label: 'R' }] },
    ],
  },
  {
    fact: 'auth-users-import 4.2: ALL_DATA_ACCESS reads everything and changes nothing',
    ownUsers: true,
    steps: [
      { send: 'PUT /xapi/users/{outsider}/groups/ALL_DATA_ACCESS', status: 200 },
      { send: `GET ${session}?format=json`, as: 'outsider', status: 200 },
      { send: `PUT ${session}/resources/R`, as: 'outsider', status: 403 },
    ],
  },
]

describe('permissions', () => testFacts(facts))
