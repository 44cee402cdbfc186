import { describe, expect } from 'vitest'
import { type Site, test } from './site.ts'
import { addProjects, imported, minuteMs, prearchived, scanFiles, study } from './studies.ts'

/** A built session in a prearchive; its address as `src` has it. */
async function ready(site: Site, query = 'project=MANUAL&subject=S1&session=E1', files = study()): Promise<string> {
  const url = await imported(site, query, files)
  expect((await site.send(`POST ${url}?action=build`)).status).toBe(200)
  return url.replace('/data', '')
}

const archive = (site: Site, query: string) => site.send(`POST /data/services/archive?${query}`)

const status = async (site: Site) => (await prearchived(site, 'MANUAL')).map((row) => row['status'])

describe('/services/archive', () => {
  test('auth-users-import 6.4: several are archived in the background, and the answer lists them', async ({ site }) => {
    await addProjects(site)
    site.server.state.arrange({ sessionStepMs: 1000 })
    const one = await ready(site)
    const two = await ready(site, 'project=MANUAL&subject=S2&session=E2', study({ StudyInstanceUID: '2.25.200' }))
    const answer = await archive(site, `src=${one}&src=${two}`)
    expect(answer.rows()).toMatchObject([
      { name: 'E1', status: 'ARCHIVING' },
      { name: 'E2', status: 'ARCHIVING' },
    ])
    await site.server.clock.advance(1000)
    expect(await prearchived(site, 'MANUAL')).toEqual([])
    expect(await scanFiles(site, 'MANUAL', 'E2')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 6.4: busy is 403, Unassigned 400, no src or an unknown one 404, no right 403', async ({
    site,
  }) => {
    await addProjects(site)
    const src = await ready(site)
    expect((await site.send(`POST /data/services/archive?src=${src}`, { as: 'collaborator' })).status).toBe(403)
    for (const entry of site.server.state.prearchive.all())
      site.server.state.prearchive.put({ ...entry, status: '_ARCHIVING' })
    const busy = await archive(site, `src=${src}`)
    expect([busy.status, busy.text]).toEqual([403, expect.stringContaining('Operation already in progress')])
    const unassigned = await ready(site, 'project=NOWHERE&session=E9')
    const homeless = await archive(site, `src=${unassigned}`)
    expect([homeless.status, homeless.text]).toEqual([400, expect.stringContaining('from the Unassigned folder')])
    expect((await archive(site, '')).status).toBe(404)
    expect((await archive(site, `src=${src}x`)).status).toBe(404)
    expect((await archive(site, 'src=/archive/projects/MANUAL/subjects/S1/experiments/E1')).status).toBe(400)
  })

  test('auth-users-import 6.4: any failure is 500 and ERROR, with the reason in the log', async ({ site }) => {
    await addProjects(site)
    site.server.state.arrange({ archivingFailsWith: 'No space left on device' })
    const src = await ready(site)
    const answer = await archive(site, `src=${src}`)
    expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('No space left on device')])
    expect(await status(site)).toEqual(['ERROR'])
    expect((await site.send(`GET /data${src}/logs/last`)).text).toBe('No space left on device')
  })

  test('an archived session is an empty shell when the switch says so', async ({ site }) => {
    await addProjects(site)
    site.server.state.arrange({ emptyShells: 'without-files' })
    expect((await archive(site, `src=${await ready(site)}`)).status).toBe(200)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 0, 2: 0 })
    site.server.state.arrange({ emptyShells: 'without-scans' })
    const src = await ready(site, 'project=MANUAL&subject=S1&session=E2')
    expect((await archive(site, `src=${src}`)).status).toBe(200)
    expect(await scanFiles(site, 'MANUAL', 'E2')).toEqual({})
  })
})

describe('/services/prearchive', () => {
  test('auth-users-import 6.5: a rebuilt session is not archived, even where the project archives by itself', async ({
    site,
  }) => {
    await addProjects(site)
    const src = await ready(site, 'project=AUTO&subject=S1&session=E1')
    await site.send(`POST /data/services/prearchive/rebuild?src=${src}`)
    await site.server.clock.advance(minuteMs)
    expect(await prearchived(site, 'AUTO')).toMatchObject([{ status: 'READY' }])
  })

  test('auth-users-import 6.5: overrideLock frees what is locked', async ({ site }) => {
    await addProjects(site)
    const src = await ready(site)
    for (const entry of site.server.state.prearchive.all())
      site.server.state.prearchive.put({ ...entry, status: '_BUILDING' })
    await site.send(`POST /data/services/prearchive/rebuild?src=${src}`)
    expect(await status(site)).toEqual(['_BUILDING'])
    await site.send(`POST /data/services/prearchive/rebuild?src=${src}&overrideLock=true`)
    expect(await status(site)).toEqual(['READY'])
  })
})
