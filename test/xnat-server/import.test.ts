import { describe, expect } from 'vitest'
import { test } from './site.ts'
import { addProjects, importing, prearchived, study } from './studies.ts'

const toE1 = 'dest=/archive/projects/MANUAL/subjects/S1/experiments/E1'

describe('imports', () => {
  test('auth-users-import 1, surprise 7: when every instance is rejected, the answer is 200 and empty', async ({
    site,
  }) => {
    await addProjects(site)
    site.server.state.arrange({ rejectInstances: true })
    const answer = await importing(site, toE1, study())
    expect([answer.status, answer.text]).toEqual([200, ''])
    expect(await prearchived(site, 'MANUAL')).toEqual([])
  })

  test('a handler that the stand-in has not is 501, and named', async ({ site }) => {
    const xar = await importing(site, 'import-handler=XAR', study())
    expect([xar.status, xar.text]).toEqual([501, expect.stringContaining('import-handler=XAR')])
    const inbox = await site.send('POST /data/services/import?import-handler=inbox&path=/data/inbox')
    expect(inbox.status).toBe(501)
  })
})

describe('files of the user cache', () => {
  test('no name leads out of it', async ({ site }) => {
    expect(
      (await site.send(`PUT /data/user/cache/resources/R1/files/a%20/..%20x?inbody=true`, { body: 'x' })).status,
    ).toBe(200)
    expect(
      (await site.send('PUT /data/user/cache/resources/R1/files/%20/../../x?inbody=true', { body: 'x' })).status,
    ).toBe(500)
    expect((await site.send(`GET /data/user/cache/resources/R1/files?format=json`)).rows()).toHaveLength(1)
  })
})
