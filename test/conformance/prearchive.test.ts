import { describe, expect } from 'vitest'
import { zipEntries } from '../support/archive-bytes.ts'
import { instance, study, studyUid } from '../support/dicom-studies.ts'
import { imported, prearchived, scanFiles } from '../support/imports.ts'
import type { Answer } from '../support/plain-http.ts'
import { type NamedSite, test } from './named-site.ts'

/** Rows of the cases' own study: a site may hold others. */
const own = (answer: Answer) => answer.rows().filter(({ tag }) => tag === studyUid)

/** A session in {MANUAL}'s prearchive, RECEIVING. */
const receive = (site: NamedSite, query = 'project={MANUAL}&subject=S1&session=E1') => imported(site, query)

const status = async (site: NamedSite, project = '{MANUAL}') =>
  (await prearchived(site, project)).map((row) => row['status'])

describe('lists of the prearchive', () => {
  test('auth-users-import 6.1: columns in this case and order, strings only, and no totalRecords', async ({ site }) => {
    await receive(site, 'project={MANUAL}&subject=S1&session=E1&VISIT=V1&SOURCE=me&prevent_auto_commit=true')
    const answer = await site.send('GET /data/prearchive/projects/{MANUAL}?format=json')
    const { ResultSet } = answer.json() as { ResultSet: { Result: Record<string, unknown>[] } }
    expect(Object.keys(ResultSet)).toEqual(['Result'])
    const [row = {}] = ResultSet.Result
    expect(Object.keys(row).join()).toBe(
      'project,timestamp,lastmod,uploaded,scan_date,scan_time,subject,folderName,name,tag,status,url,autoarchive,prevent_anon,prevent_auto_commit,SOURCE,VISIT,PROTOCOL,TIMEZONE',
    )
    expect(row).toMatchObject({
      scan_date: '2024-01-31 09:05:00.0',
      tag: '2.25.100',
      url: `/prearchive/projects/{MANUAL}/${row['timestamp']}/E1`,
      autoarchive: 'Manual',
      prevent_anon: 'false',
      prevent_auto_commit: 'true',
      SOURCE: 'me',
      VISIT: 'V1',
      PROTOCOL: '',
    })
    expect(row['lastmod']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+$/)
  })

  test('auth-users-import 6.1: everybody sees what they may edit; Unassigned needs access to all data', async ({
    site,
  }) => {
    await receive(site)
    await imported(site, 'project=NOWHERE&session=E9')
    const seen = async (as: 'admin' | 'member' | 'collaborator') =>
      own(await site.send('GET /data/prearchive?format=json', { as })).map((row) => row['project'])
    expect(await seen('admin')).toEqual(['{MANUAL}', 'Unassigned'])
    expect(await seen('member')).toEqual(['{MANUAL}'])
    expect(await seen('collaborator')).toEqual([])
  })

  test('auth-users-import 6.1 derived: a project that is unknown or may not be read is 404; several stand behind commas', async ({
    site,
  }) => {
    await receive(site)
    await receive(site, 'project={AUTO}&session=E2')
    expect((await site.send('GET /data/prearchive/projects/{P1}?format=json', { as: 'outsider' })).status).toBe(404)
    expect((await site.send('GET /data/prearchive/projects/NONE{P1}?format=json', { as: 'member' })).status).toBe(404)
    const both = await site.send('GET /data/prearchive/projects/{MANUAL},{AUTO}?format=json')
    expect(own(both).map((row) => row['project'])).toEqual(['{MANUAL}', '{AUTO}'])
  })

  test('auth-users-import 6.1 (PrearcSessionListResource.java): who sees all data gets the unassigned sessions in every project’s list', async ({
    site,
  }) => {
    await receive(site)
    await imported(site, 'project=NOWHERE&session=E9')
    const listed = await site.send('GET /data/prearchive/projects/{MANUAL}?format=json')
    expect(own(listed).map((row) => row['project'])).toEqual(['{MANUAL}', 'Unassigned'])
    const members = await site.send('GET /data/prearchive/projects/{MANUAL}?format=json', { as: 'member' })
    expect(own(members).map((row) => row['project'])).toEqual(['{MANUAL}'])
  })

  test('auth-users-import 6.1: tag finds a study, for those who may see all data', async ({ site }) => {
    await receive(site)
    await imported(site, 'project={AUTO}&session=E2', study({ StudyInstanceUID: '2.25.200' }))
    const found = await site.send('GET /data/prearchive?tag=2.25.200&format=json')
    expect(found.rows()).toMatchObject([{ project: '{AUTO}', name: 'E2' }])
    expect((await site.send('GET /data/prearchive?tag=2.25.200&format=json', { as: 'member' })).status).toBe(404)
  })

  test('auth-users-import 6.1: recent ones', async ({ site }) => {
    await receive(site)
    expect(own(await site.send('GET /data/prearchive/experiments?recent=true&format=json'))).toHaveLength(1)
    expect((await site.send('GET /data/prearchive/experiments?format=json')).status).toBe(400)
  })
})

describe('one session in the prearchive', () => {
  test('auth-users-import 6.3: json is a table of one row, and an empty one with 200 when there is no such session', async ({
    site,
  }) => {
    const url = await receive(site)
    expect((await site.send(`GET ${url}?format=json`)).rows()).toMatchObject([{ name: 'E1', status: 'RECEIVING' }])
    const missing = await site.send(`GET ${url}x?format=json`)
    expect([missing.status, missing.rows()]).toEqual([200, []])
  })

  test('auth-users-import 6.3: xml is the document, 404 while it is not built', async ({ site }) => {
    const url = await receive(site)
    expect((await site.send(`GET ${url}`)).status).toBe(404)
    await site.send(`POST ${url}?action=build`)
    const answer = await site.send(`GET ${url}`)
    expect(answer.headers['content-type']).toMatch(/^text\/xml/)
    expect(answer.text).toContain('<xnat:MRSession')
    expect(answer.text).toContain('xnat:mrScanData')
    expect(answer.text).toContain('<xnat:dcmPatientName>Doe^Jane</xnat:dcmPatientName>')
  })

  test('auth-users-import 6.3: zip holds the files, below the session’s name', async ({ site }) => {
    const url = await receive(site)
    const answer = await site.send(`GET ${url}?format=zip`)
    expect(answer.headers['content-type']).toBe('application/zip')
    expect((await zipEntries(answer.bytes)).map(({ name }) => name)).toEqual([
      'E1/SCANS/1/DICOM/1.dcm',
      'E1/SCANS/1/DICOM/2.dcm',
      'E1/SCANS/2/DICOM/1.dcm',
      'E1/SCANS/2/DICOM/2.dcm',
    ])
  })

  test('auth-users-import 6.3: scans, their resources and files, and one file', async ({ site }) => {
    const url = await receive(site)
    expect((await site.send(`GET ${url}/scans?format=json`)).status).toBe(404)
    await site.send(`POST ${url}?action=build`)
    expect((await site.send(`GET ${url}/scans?format=json`)).rows()).toEqual([
      { ID: '1', xsiType: 'xnat:mrScanData', series_description: 'Series 1' },
      { ID: '2', xsiType: 'xnat:mrScanData', series_description: 'Series 2' },
    ])
    const size = instance('1.dcm').bytes.length
    expect((await site.send(`GET ${url}/scans/1/resources?format=json`)).rows()).toEqual([
      { label: 'DICOM', file_count: '2', file_size: String(2 * size) },
    ])
    const files = `${url}/scans/1/resources/DICOM/files`
    expect((await site.send(`GET ${files}?format=json`)).rows()).toMatchObject([
      { Name: '1.dcm', Size: String(size), URI: `${files}/1.dcm` },
      { Name: '2.dcm' },
    ])
    expect((await site.send(`GET ${files}/1.dcm`)).bytes.equals(instance('1.dcm').bytes)).toBe(true)
    expect((await site.send(`GET ${files}/3.dcm`)).status).toBe(404)
    expect((await site.send(`GET ${url}/resources?format=json`)).rows()).toMatchObject([
      { category: 'scans', cat_id: '1', label: 'DICOM', file_count: '2' },
      { category: 'scans', cat_id: '2', label: 'DICOM', file_count: '2' },
    ])
  })

  test('auth-users-import 6.3: a scan can be deleted, which the log tells', async ({ site }) => {
    const url = await receive(site)
    await site.send(`POST ${url}?action=build`)
    expect((await site.send(`DELETE ${url}/scans/1`)).status).toBe(200)
    expect((await site.send(`GET ${url}/scans?format=json`)).rows()).toMatchObject([{ ID: '2' }])
    expect((await site.send(`GET ${url}/logs/last`)).text).toBe('Deleted scan 1')
    const [log] = (await site.send(`GET ${url}/logs?format=json`)).rows()
    expect(log).toMatchObject({ entry: 'Deleted scan 1' })
    const dated = await site.send(`GET ${url}/logs/${log?.['id']}`)
    expect(dated.text).toMatch(/^\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d:Deleted scan 1$/)
  })

  test('auth-users-import 6.3: needs the right to edit its project', async ({ site }) => {
    const url = await receive(site)
    for (const what of [`GET ${url}?format=json`, `DELETE ${url}`, `POST ${url}?action=build`]) {
      expect((await site.send(what, { as: 'collaborator' })).status, what).toBe(403)
    }
    const unassigned = await imported(site, 'project=NOWHERE&session=E9')
    expect((await site.send(`GET ${unassigned}?format=json`, { as: 'owner' })).status).toBe(403)
  })

  test('auth-users-import 6.3 (PrearcDatabase.java): DELETE is 200, and 200 again', async ({ site }) => {
    const url = await receive(site)
    expect((await site.send(`DELETE ${url}`)).status).toBe(200)
    expect(await prearchived(site, '{MANUAL}')).toEqual([])
    expect((await site.send(`DELETE ${url}`)).status).toBe(200)
  })
})

describe('actions on a session in the prearchive', () => {
  test('auth-users-import 6.3: build is 200 with the address', async ({ site }) => {
    const url = await receive(site)
    const built = await site.send(`POST ${url}?action=build`)
    expect([built.status, built.text]).toEqual([200, url])
    expect(built.headers['content-type']).toMatch(/^text\/uri-list/)
    expect(await status(site)).toEqual(['READY'])
  })

  test('auth-users-import 1, surprise 9: move is 301 with the new address', async ({ site }) => {
    const url = await receive(site)
    const moved = await site.send(`POST ${url}?action=move&newProject={AUTO}`)
    expect([moved.status, moved.text]).toEqual([301, url.replace('{MANUAL}', '{AUTO}')])
    expect(await prearchived(site, '{AUTO}')).toMatchObject([{ name: 'E1' }])
  })

  test('auth-users-import 1, surprise 9: commit builds, and archives with 301 only when session, request or project say so', async ({
    site,
  }) => {
    const manual = await receive(site)
    const built = await site.send(`POST ${manual}?action=commit`)
    expect([built.status, built.text]).toEqual([200, manual])
    expect(await status(site)).toEqual(['READY'])
    const archived = await site.send(`POST ${manual}?action=commit&AA=true`)
    expect(archived.status).toBe(301)
    expect(archived.text).toBe('/data/archive/projects/{MANUAL}/subjects/S1/experiments/E1')
    expect(archived.headers['location']).toBeUndefined()
    const auto = await receive(site, 'project={AUTO}&subject=S1&session=E1')
    expect((await site.send(`POST ${auto}?action=commit&AA=false`)).status).toBe(301)
  })

  test('auth-users-import 6.3: the parameters may come in a form or as JSON', async ({ site }) => {
    const url = await receive(site)
    const asForm = { body: 'action=build&VISIT=V1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
    expect((await site.send(`POST ${url}`, asForm)).status).toBe(200)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'READY', VISIT: 'V1' }])
    const asJson = { body: '{"action":"commit","AA":"true"}', headers: { 'content-type': 'application/json' } }
    expect((await site.send(`POST ${url}`, asJson)).status).toBe(301)
  })

  test('auth-users-import 1, surprise 6: commit merges by itself but does not read overwrite: what it refuses is 500', async ({
    site,
  }) => {
    await imported(site, 'dest=/archive/projects/{MANUAL}/subjects/S1/experiments/E1')
    const more = await imported(site, 'project={MANUAL}&subject=S1&session=E1', [instance('3.dcm')])
    expect((await site.send(`POST ${more}?action=commit&AA=true`)).status).toBe(301)
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 3, 2: 2 })
    const same = await receive(site)
    const refused = await site.send(`POST ${same}?action=commit&AA=true&overwrite=delete`)
    expect(refused.status).toBe(500)
    expect(refused.text).toContain(
      'FAILED: Unable to archive E1: Operation Failed: Session already exists with matching',
    )
    expect(await status(site)).toEqual(['CONFLICT'])
    expect((await site.send(`POST ${same}?action=commit&AA=true&overwrite_files=true`)).status).toBe(301)
  })

  test('auth-users-import 6.3: an unassigned session can be taken by who may edit the other project, and by nobody else', async ({
    site,
  }) => {
    const url = await imported(site, 'project=NOWHERE&session=E9')
    expect((await site.send(`POST ${url}?action=move&newProject={AUTO}`, { as: 'collaborator' })).status).toBe(403)
    expect((await site.send(`POST ${url}?action=move&newProject={AUTO}`, { as: 'member' })).status).toBe(301)
  })

  test('auth-users-import 6.3: on an unassigned session commit only builds', async ({ site }) => {
    const url = await imported(site, 'project=NOWHERE&session=E9')
    expect((await site.send(`POST ${url}?action=commit&AA=true`)).status).toBe(200)
    expect((await site.send(`GET ${url}?format=json`)).rows()).toMatchObject([{ status: 'READY' }])
  })

  test('auth-users-import 6.3: set-status sets any but the locked ones, reset-status makes it usable again', async ({
    site,
  }) => {
    const url = await receive(site)
    expect((await site.send(`POST ${url}?action=set-status&status=ERROR`)).status).toBe(200)
    expect(await status(site)).toEqual(['ERROR'])
    expect((await site.send(`POST ${url}?action=set-status&status=_BUILDING`)).status).toBe(400)
    expect((await site.send(`POST ${url}?action=reset-status&tag=2.25.7`)).status).toBe(200)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'RECEIVING', tag: '2.25.7' }])
  })

  test('auth-users-import 6.3: no action and an unknown one are 400', async ({ site }) => {
    const url = await receive(site)
    for (const query of ['', '?action=burn']) expect((await site.send(`POST ${url}${query}`)).status).toBe(400)
  })

  test('auth-users-import 6.3: on a session that is not there commit and move are 404, build is 500', async ({
    site,
  }) => {
    const url = '/data/prearchive/projects/{MANUAL}/20240101_000000000/NONE'
    expect((await site.send(`POST ${url}?action=commit`)).status).toBe(404)
    expect((await site.send(`POST ${url}?action=move&newProject={AUTO}`)).status).toBe(404)
    expect((await site.send(`POST ${url}?action=build`)).status).toBe(500)
  })
})
