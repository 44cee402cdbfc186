import { describe, expect } from 'vitest'
import { type Site, test } from './site.ts'
import { addProjects, imported, instance, minuteMs, prearchived, scanFiles, study } from './studies.ts'

/** A session in MANUAL's prearchive, RECEIVING. */
const receive = (site: Site, query = 'project=MANUAL&subject=S1&session=E1') => imported(site, query)

const status = async (site: Site, project = 'MANUAL') => (await prearchived(site, project)).map((row) => row['status'])

describe('the timer of the prearchive', () => {
  test('auth-users-import 6.2: a session is built once it is idle for five minutes, and READY when nobody wants it archived', async ({
    site,
  }) => {
    await addProjects(site)
    await receive(site)
    await site.server.clock.advance(4.9 * minuteMs)
    expect(await status(site)).toEqual(['RECEIVING'])
    await site.server.clock.advance(0.1 * minuteMs)
    expect(await status(site)).toEqual(['READY'])
  })

  test('auth-users-import 6.2: a new file starts the five minutes again', async ({ site }) => {
    await addProjects(site)
    await receive(site)
    await site.server.clock.advance(4 * minuteMs)
    await imported(site, 'project=MANUAL&subject=S1&session=E1', [instance('9.dcm')])
    await site.server.clock.advance(4 * minuteMs)
    expect(await status(site)).toEqual(['RECEIVING'])
    await site.server.clock.advance(minuteMs)
    expect(await status(site)).toEqual(['READY'])
  })

  test('auth-users-import 6.2: the project’s code archives it afterwards', async ({ site }) => {
    await addProjects(site)
    await receive(site, 'project=AUTO&subject=S1&session=E1')
    await site.server.clock.advance(5 * minuteMs)
    expect(await prearchived(site, 'AUTO')).toEqual([])
    expect(await scanFiles(site, 'AUTO', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 6.6: with code 4 it merges but never replaces, with code 5 it does', async ({ site }) => {
    await addProjects(site)
    const query = 'project=AUTO&subject=S1&session=E1'
    for (const files of [study(), [instance('3.dcm')]]) {
      await imported(site, query, files)
      await site.server.clock.advance(5 * minuteMs)
    }
    expect(await scanFiles(site, 'AUTO', 'E1')).toEqual({ 1: 3, 2: 2 })
    await imported(site, query, study())
    await site.server.clock.advance(5 * minuteMs)
    expect(await status(site, 'AUTO')).toEqual(['CONFLICT'])
    await site.send('PUT /data/projects/AUTO/prearchive_code/5')
    await imported(site, query, study())
    await site.server.clock.advance(5 * minuteMs)
    expect(await status(site, 'AUTO')).toEqual([])
  })

  test('a session comes into a folder of the archive that a deleted one left with its files', async ({ site }) => {
    await addProjects(site)
    const query = 'project=AUTO&subject=S1&session=E1'
    await imported(site, query)
    await site.server.clock.advance(5 * minuteMs)
    expect((await site.send('DELETE /data/projects/AUTO/subjects/S1/experiments/E1')).status).toBe(200)
    await imported(site, query, [instance('3.dcm')])
    await site.server.clock.advance(5 * minuteMs)
    expect(await prearchived(site, 'AUTO')).toEqual([])
    expect(await scanFiles(site, 'AUTO', 'E1')).toEqual({ 1: 3 })
  })

  test('auth-users-import 6.2: prevent_auto_commit and the upload assistant keep it away', async ({ site }) => {
    await addProjects(site)
    await receive(site, 'project=MANUAL&session=E1&prevent_auto_commit=true')
    await receive(site, 'project=MANUAL&session=E2&SOURCE=uploader')
    await site.server.clock.advance(10 * minuteMs)
    expect(await status(site)).toEqual(['RECEIVING', 'RECEIVING'])
  })

  test('auth-users-import 6.2: on its way a session passes QUEUED_BUILDING, BUILDING, QUEUED_ARCHIVING and ARCHIVING', async ({
    site,
  }) => {
    await addProjects(site)
    site.server.state.arrange({ sessionStepMs: 1000 })
    await receive(site, 'project=AUTO&subject=S1&session=E1')
    const passed: (string | undefined)[] = []
    await site.server.clock.advance(5 * minuteMs)
    for (let second = 0; second < 5; second += 1) {
      passed.push(...(await status(site, 'AUTO')))
      await site.server.clock.advance(1000)
    }
    expect(passed).toEqual(['QUEUED_BUILDING', 'BUILDING', 'QUEUED_ARCHIVING', 'ARCHIVING'])
  })

  test('auth-users-import 6.2: files that come while it builds send it back, and nothing is archived then', async ({
    site,
  }) => {
    await addProjects(site)
    site.server.state.arrange({ sessionStepMs: 1000 })
    const query = 'project=AUTO&subject=S1&session=E1'
    await receive(site, query)
    await site.server.clock.advance(5 * minuteMs + 1000)
    expect(await status(site, 'AUTO')).toEqual(['BUILDING'])
    await imported(site, query, [instance('9.dcm')])
    expect(await status(site, 'AUTO')).toEqual(['RECEIVING_INTERRUPT'])
    await site.server.clock.advance(5000)
    expect(await status(site, 'AUTO')).toEqual(['RECEIVING'])
    await site.server.clock.advance(5 * minuteMs + 5000)
    expect(await scanFiles(site, 'AUTO', 'E1')).toEqual({ 1: 3, 2: 2 })
  })

  test('a switch keeps sessions RECEIVING for ever, another script’s too', async ({ site }) => {
    await addProjects(site)
    const order = { body: JSON.stringify({ prearchiveHangsIn: 'RECEIVING' }) }
    expect((await site.send('POST /__stand-in/settings', order)).status).toBe(200)
    await receive(site)
    await site.server.clock.advance(10 * minuteMs)
    expect(await status(site)).toEqual(['RECEIVING'])
    await site.send('POST /__stand-in/settings', { body: '{"prearchiveHangsIn":"nowhere"}' })
    expect(await status(site)).toEqual(['READY'])
  })
})

describe('actions on a session in the prearchive', () => {
  test('auth-users-import 6.3: build is 200 with the address; what is locked is 409', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    const built = await site.send(`POST ${url}?action=build`)
    expect([built.status, built.text]).toEqual([200, url])
    expect(built.headers['content-type']).toMatch(/^text\/uri-list/)
    expect(await status(site)).toEqual(['READY'])
    lock(site)
    const locked = await site.send(`POST ${url}?action=build`)
    expect([locked.status, locked.text]).toEqual([409, expect.stringContaining('session document locked')])
    expect((await site.send(`POST ${url}?action=commit`)).status).toBe(409)
  })

  test('auth-users-import 6.3: with a listener commit answers at once', async ({ site }) => {
    await addProjects(site)
    site.server.state.arrange({ sessionStepMs: 1000 })
    const url = await receive(site)
    const answer = await site.send(`POST ${url}?action=commit&AA=true&http-session-listener=T1`)
    expect(answer.status).toBe(200)
    expect(await status(site)).toEqual(['QUEUED_ARCHIVING'])
    await site.server.clock.advance(3000)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 6.3: move is 301 with the new address; what is locked is 200 and not moved', async ({
    site,
  }) => {
    await addProjects(site)
    const url = await receive(site)
    const moved = await site.send(`POST ${url}?action=move&newProject=AUTO`)
    const target = url.replace('MANUAL', 'AUTO')
    expect([moved.status, moved.text]).toEqual([301, target])
    expect(await prearchived(site, 'AUTO')).toMatchObject([{ name: 'E1' }])
    lock(site)
    const kept = await site.send(`POST ${target}?action=move&newProject=MANUAL`)
    expect([kept.status, kept.text]).toEqual([200, ''])
    expect(await prearchived(site, 'MANUAL')).toEqual([])
  })
})

/** As while XNAT's queue is at it. */
function lock({ server }: Site): void {
  for (const entry of server.state.prearchive.all()) server.state.prearchive.put({ ...entry, status: '_BUILDING' })
}
