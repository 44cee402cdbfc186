import { describe, expect } from 'vitest'
import { test } from './site.ts'
import { addProjects, imported, study } from './studies.ts'

describe('/__stand-in/settings', () => {
  test('shows and changes settings and switches, those that are named and no others', async ({ site }) => {
    const before = (await site.send('GET /__stand-in/settings')).json() as Record<string, unknown>
    const body = JSON.stringify({ sessionXmlRebuilderInterval: 1, emptyShells: 'without-files' })
    const changed = await site.send('POST /__stand-in/settings', { body })
    expect(changed.json()).toEqual({ ...before, sessionXmlRebuilderInterval: 1, emptyShells: 'without-files' })
    expect(site.server.state.switches.emptyShells).toBe('without-files')
  })

  test('refuses what it does not know', async ({ site }) => {
    for (const body of ['{"noSuchSwitch":1}', '{"emptyShells":"often"}', 'no JSON']) {
      expect((await site.send('POST /__stand-in/settings', { body })).status, body).toBe(400)
    }
  })

  test('the interval is XNAT’s own setting', async ({ site }) => {
    await addProjects(site)
    await site.send('POST /__stand-in/settings', { body: '{"sessionXmlRebuilderInterval":1}' })
    const url = await imported(site, 'project=MANUAL&session=E1', study())
    await site.send('POST /__stand-in/clock', { body: '{"advanceMs":60000}' })
    expect((await site.send(`GET ${url}?format=json`)).rows()).toMatchObject([{ status: 'READY' }])
  })
})
