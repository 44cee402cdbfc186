import { describe, expect } from 'vitest'
import { type SendOptions, session, test } from './site.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const requests: [what: string, options?: SendOptions][] = [
  ['GET /data/projects/P1/config'],
  [`GET ${session}/reconstructions`],
  ['GET /xapi/users/profiles/admin'],
  ['POST /data/search'],
  ['GET /somewhere/else'],
  ['GET /data/projects?permissions=edit'],
  ['GET /data/projects?format=xList'],
  ['GET /data/projects/P1?format=json&includeHistory=true'],
  [`POST ${session}/resources/R/files?reference=/etc/passwd`],
  [`PUT ${session}?fixScanTypes=true`],
  [`PUT ${session}`, { headers: form, body: 'date=2024-01-01' }],
  [`PUT ${session}?date=2024-01-01`, { headers: { 'content-encoding': 'gzip' } }],
  [
    'POST /xapi/projects/P1/wrappers/1/root/scan/launch',
    { headers: { 'content-type': 'application/json' }, body: '{}' },
  ],
]

describe('what the stand-in does not cover', () => {
  for (const [what, options] of requests) {
    test(`${what} is 501, which says so`, async ({ site }) => {
      const { status, text } = await site.send(what, options)
      expect({ status, text }).toEqual({
        status: 501,
        text: expect.stringMatching(/^The stand-in XNAT /),
      })
    })
  }

  test('the method and the path are named', async ({ site }) => {
    expect((await site.send('POST /data/search')).text).toBe('The stand-in XNAT does not cover POST /data/search')
  })
})
