import { describe, expect } from 'vitest'
import { test } from './site.ts'
import { addProjects, imported, scanFiles } from './studies.ts'

describe('/xapi/archive/catalogs/refresh', () => {
  test('auth-users-import 9: takes paths as JSON, and operations behind the path', async ({ site }) => {
    await addProjects(site)
    await imported(site, 'dest=/archive/projects/MANUAL/subjects/S1/experiments/E1')
    const refresh = (path: string, uris: string[]) =>
      site.send(`PUT /xapi/archive/catalogs/refresh${path}`, {
        body: JSON.stringify(uris),
        headers: { 'content-type': 'application/json' },
      })
    const session = '/archive/projects/MANUAL/subjects/S1/experiments/E1'
    const [resource] = site.server.state.resources.all().filter(({ parent }) => parent.level === 'scan')
    site.server.state.resources.put({ ...resource!, fileCount: 99 })
    expect((await refresh('/Checksum', [session])).status).toBe(200)
    expect(site.server.state.resources.get(String(resource?.resourceId))?.fileCount).toBe(99)
    expect((await refresh('/Append,PopulateStats', [session])).status).toBe(200)
    const resources = await site.send(`GET /data${session.replace('/archive', '')}/scans/1/resources?format=json`)
    expect(resources.rows()).toMatchObject([{ label: 'DICOM', file_count: '2', content: 'RAW' }])
    expect((await refresh('', ['/archive/nowhere'])).status).toBe(500)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 2, 2: 2 })
  })
})
