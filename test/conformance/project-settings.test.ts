import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'

const facts: Case[] = [
  {
    fact: 'data-api 1.6: any integer is stored as prearchive code, true and false as 1 and 0',
    steps: [
      ...[
        ['11', '11'],
        ['true', '1'],
        ['false', '0'],
        ['5', '5'],
      ].flatMap(([sent, kept]) => [
        { send: `PUT /data/projects/{P1}/prearchive_code/${sent}`, status: 200, text: '' },
        { send: 'GET /data/projects/{P1}/prearchive_code', status: 200, text: kept ?? '' },
      ]),
      {
        send: 'PUT /data/projects/{P1}/prearchive_code/x',
        status: 400,
        text: /The submitted code x is invalid: must be an integer\./,
      },
      { send: 'PUT /data/projects/{P1}/prearchive_code/0', as: 'member', status: 403 },
    ],
  },
  {
    fact: 'data-api 1.6: quarantine code and current archive folder are set the same way',
    steps: [
      { send: 'PUT /data/projects/{P1}/quarantine_code/1', status: 200 },
      { send: 'GET /data/projects/{P1}/quarantine_code', status: 200, text: '1' },
      { send: 'PUT /data/projects/{P1}/current_arc/arc002', status: 200 },
      { send: 'GET /data/projects/{P1}/current_arc', status: 200, text: 'arc002' },
    ],
  },
  {
    fact: 'data-api 1.7: accessibility answers with the resulting level, and an unknown word means private',
    steps: [
      { send: 'PUT /data/projects/{P1}/accessibility/protected', status: 200, text: 'protected' },
      { send: 'GET /data/projects/{P1}/accessibility', as: 'outsider', status: 200, text: 'protected' },
      { send: 'PUT /data/projects/{P1}/accessibility/whatever', status: 200, text: 'private' },
      { send: 'GET /data/projects/{P1}/accessibility', as: 'outsider', status: 404 },
      { send: 'PUT /data/projects/{P1}/accessibility', status: 400 },
      { send: 'PUT /data/projects/{P1}/accessibility/public', as: 'member', status: 403 },
    ],
  },
  {
    fact: 'data-api 1.7: a site may allow private projects only',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/securityAllowNonPrivateProjects', body: 'false', status: 200 },
      { send: 'PUT /data/projects/{P1}/accessibility/public', status: 403 },
      { send: 'PUT /data/projects/{P1}?accessibility=public', status: 403 },
    ],
  },
  {
    fact: 'data-api 1.6: a site without auto-archive refuses any code but 0',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/projectAllowAutoArchive', body: 'false', status: 200 },
      { send: 'PUT /data/projects/{P1}/prearchive_code/4', status: 403 },
      { send: 'PUT /data/projects/{P1}/prearchive_code/0', status: 200 },
    ],
  },
]

describe('settings of projects', () => testFacts(facts))
