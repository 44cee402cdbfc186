import { describe, expect } from 'vitest'
import { zipEntries } from '../support/archive-bytes.ts'
import { type Site, test } from './site.ts'
import { addProjects, imported, instance, scanFiles, study } from './studies.ts'

async function archived(site: Site): Promise<string> {
  await addProjects(site)
  await imported(site, 'dest=/archive/projects/MANUAL/subjects/S1/experiments/E1')
  const [row] = (await site.send('GET /data/projects/MANUAL/experiments?format=json')).rows()
  return `MANUAL:S1:E1:${row?.['ID']}`
}

const post = (site: Site, path: string, body: object, as: 'admin' | 'outsider' = 'admin') =>
  site.send(`POST /xapi/archive/${path}`, {
    as,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

const wanted = { projectIds: ['MANUAL'], scan_formats: ['DICOM'], scan_types: ['Series 1'] }

describe('/xapi/archive/download', () => {
  test('9: with its size, as texts', async ({ site }) => {
    const session = await archived(site)
    const answer = await post(site, 'downloadwithsize', { ...wanted, sessions: [session] })
    expect(answer.json()).toEqual({
      id: expect.stringMatching(/^admin-\d{8}_\d{9}$/),
      size: String(2 * instance('1.dcm').bytes.length),
      resourcesOfUnknownSize: '0',
    })
  })

  test('9: the id as text, and under it a zip of what was chosen', async ({ site }) => {
    const session = await archived(site)
    const options = ['projectIncludedInPath', 'subjectIncludedInPath']
    const { text: id } = await post(site, 'download', { ...wanted, sessions: [session], options })
    const zip = await site.send(`GET /xapi/archive/download/${id}/zip`)
    expect(zip.headers['content-type']).toBe('application/zip')
    expect((await zipEntries(zip.bytes)).map(({ name }) => name)).toEqual([
      'MANUAL/S1/E1/scans/1-Series_1/resources/DICOM/files/1.dcm',
      'MANUAL/S1/E1/scans/1-Series_1/resources/DICOM/files/2.dcm',
    ])
    const xml = await site.send(`GET /xapi/archive/download/${id}/xml`)
    expect(xml.text).toContain('name="MANUAL/S1/E1/scans/1-Series_1/resources/DICOM/files/1.dcm"')
  })

  test('9: an unknown id and another user’s are 403; nothing asked for is 204', async ({ site }) => {
    const session = await archived(site)
    expect((await site.send('GET /xapi/archive/download/admin-1/zip')).status).toBe(403)
    const { text: id } = await post(site, 'download', { ...wanted, sessions: [session] })
    expect((await site.send(`GET /xapi/archive/download/${id}/zip`, { as: 'member' })).status).toBe(403)
    expect((await post(site, 'download', {})).status).toBe(204)
  })

  test('a session that may not be read is 403', async ({ site }) => {
    const session = await archived(site)
    await site.send('PUT /data/projects/MANUAL/accessibility/private')
    expect((await post(site, 'download', { ...wanted, sessions: [session] }, 'outsider')).status).toBe(403)
  })
})

describe('/xapi/archive/catalogs/refresh', () => {
  test('9: takes paths as JSON, and operations behind the path', async ({ site }) => {
    await archived(site)
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
