import { describe } from 'vitest'
import { type Case, session, testFacts } from './site.ts'

const facts: Case[] = [
  {
    fact: 'what the stand-in does not cover is 501 and names method and path',
    steps: [
      { send: 'GET /data/projects/P1/config', status: 501 },
      { send: `GET ${session}/reconstructions`, status: 501 },
      { send: 'GET /xapi/users/profiles/admin', status: 501 },
      { send: 'POST /data/search', status: 501, text: 'The stand-in XNAT does not cover POST /data/search' },
      { send: 'GET /somewhere/else', status: 501, text: /GET \/somewhere\/else/ },
      { send: 'GET /data/projects?permissions=edit', status: 501 },
      { send: 'GET /data/projects?format=xList', status: 501 },
      { send: 'GET /data/projects/P1?format=json&includeHistory=true', status: 501 },
      { send: `POST ${session}/resources/R/files?reference=/etc/passwd`, status: 501 },
      { send: `PUT ${session}?fixScanTypes=true`, status: 501 },
      {
        send: `PUT ${session}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'date=2024-01-01',
        status: 501,
      },
      { send: `PUT ${session}?date=2024-01-01`, headers: { 'content-encoding': 'gzip' }, status: 501 },
    ],
  },
]

describe('what is not covered', () => testFacts(facts))
