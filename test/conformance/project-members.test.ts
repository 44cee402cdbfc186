import { describe } from 'vitest'
import { memberRoles } from './accounts.ts'
import { type Case, testFacts } from './facts.ts'

const facts: Case[] = [
  {
    fact: 'data-api 1.8: members are listed for owners, by group',
    steps: [
      ...memberRoles.map((role) => ({ send: `PUT /data/projects/{P1}/users/${role}/{${role}}`, status: 200 })),
      {
        send: 'GET /data/projects/{P1}/users',
        as: 'owner',
        status: 200,
        rows: [
          { GROUP_ID: '{P1}_owner', displayname: 'Owners', login: '{admin}' },
          { GROUP_ID: '{P1}_owner', login: '{owner}' },
          { GROUP_ID: '{P1}_member', displayname: 'Members', login: '{member}' },
          { GROUP_ID: '{P1}_collaborator', login: '{collaborator}' },
        ],
      },
      { send: 'GET /data/projects/{P1}/users', as: 'member', status: 403 },
      { send: 'GET /data/projects/{P2}/users', status: 404 },
    ],
  },
  {
    fact: 'data-api 1.8: a user is in one group of a project, and a PUT moves them',
    steps: [
      {
        send: 'PUT /data/projects/{P1}/users/Members/{outsider}',
        as: 'owner',
        status: 200,
        text: /"login":"{outsider}"/,
      },
      { send: 'GET /data/projects/{P1}?format=json', as: 'outsider', status: 200 },
      {
        send: 'PUT /data/projects/{P1}/users/collaborator/{outsider}',
        as: 'owner',
        status: 200,
        text: /"GROUP_ID":"{P1}_collaborator"[^}]*"{outsider}"/,
      },
      { send: 'DELETE /data/projects/{P1}/users/{P1}_collaborator/{outsider}', as: 'owner', status: 200 },
      { send: 'GET /data/projects/{P1}?format=json', as: 'outsider', status: 404 },
    ],
  },
  {
    fact: 'data-api 1.8: an unknown user is 200, an unknown group 404, a stranger 403 with the table, the guest 412',
    steps: [
      { send: 'PUT /data/projects/{P1}/users/member/nobody%40example.org', status: 200 },
      { send: 'PUT /data/projects/{P1}/users/friends/{outsider}', status: 404 },
      { send: 'PUT /data/projects/{P1}/users/owner/{member}', as: 'member', status: 403, text: /"ResultSet"/ },
      { send: 'PUT /data/projects/{P1}/users/member/guest', status: 412 },
    ],
  },
]

describe('members of projects', () => testFacts(facts))
