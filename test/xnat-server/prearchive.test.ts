import { describe, expect } from 'vitest'
import { zipEntries } from '../support/archive-bytes.ts'
import { type Site, test } from './site.ts'
import { addProjects, imported, instance, minuteMs, prearchived, scanFiles, study } from './studies.ts'

/** A session in MANUAL's prearchive, RECEIVING. */
const receive = (site: Site, query = 'project=MANUAL&subject=S1&session=E1') => imported(site, query)

const status = async (site: Site, project = 'MANUAL') => (await prearchived(site, project)).map((row) => row['status'])

describe('lists of the prearchive', () => {
  test('6.1: columns in this case and order, strings only, and no totalRecords', async ({ site }) => {
    await addProjects(site)
    await receive(site, 'project=MANUAL&subject=S1&session=E1&VISIT=V1&SOURCE=me&prevent_auto_commit=true')
    const answer = await site.send('GET /data/prearchive/projects/MANUAL?format=json')
    const { ResultSet } = answer.json() as { ResultSet: { Result: Record<string, unknown>[] } }
    expect(Object.keys(ResultSet)).toEqual(['Result'])
    const [row = {}] = ResultSet.Result
    expect(Object.keys(row).join()).toBe(
      'project,timestamp,lastmod,uploaded,scan_date,scan_time,subject,folderName,name,tag,status,url,autoarchive,prevent_anon,prevent_auto_commit,SOURCE,VISIT,PROTOCOL,TIMEZONE',
    )
    expect(row).toMatchObject({
      scan_date: '2024-01-31 09:05:00.0',
      tag: '2.25.100',
      url: `/prearchive/projects/MANUAL/${row['timestamp']}/E1`,
      autoarchive: 'Manual',
      prevent_anon: 'false',
      prevent_auto_commit: 'true',
      SOURCE: 'me',
      VISIT: 'V1',
      PROTOCOL: '',
    })
    expect(row['lastmod']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+$/)
  })

  test('6.1: everybody sees what they may edit; Unassigned needs access to all data', async ({ site }) => {
    await addProjects(site)
    await receive(site)
    await imported(site, 'project=NOWHERE&session=E9')
    const seen = async (as: 'admin' | 'member' | 'collaborator') =>
      (await site.send('GET /data/prearchive?format=json', { as })).rows().map((row) => row['project'])
    expect(await seen('admin')).toEqual(['MANUAL', 'Unassigned'])
    expect(await seen('member')).toEqual(['MANUAL'])
    expect(await seen('collaborator')).toEqual([])
  })

  test('6.1 derived: a project that is unknown or may not be read is 404; several stand behind commas', async ({
    site,
  }) => {
    await addProjects(site)
    await receive(site)
    await receive(site, 'project=AUTO&session=E2')
    expect((await site.send('GET /data/prearchive/projects/P1?format=json', { as: 'outsider' })).status).toBe(404)
    expect((await site.send('GET /data/prearchive/projects/NONE?format=json', { as: 'member' })).status).toBe(404)
    const both = await site.send('GET /data/prearchive/projects/MANUAL,AUTO?format=json')
    expect(both.rows().map((row) => row['project'])).toEqual(['MANUAL', 'AUTO'])
  })

  test('PrearcSessionListResource: who sees all data gets the unassigned sessions in every project’s list', async ({
    site,
  }) => {
    await addProjects(site)
    await receive(site)
    await imported(site, 'project=NOWHERE&session=E9')
    const listed = await site.send('GET /data/prearchive/projects/MANUAL?format=json')
    expect(listed.rows().map((row) => row['project'])).toEqual(['MANUAL', 'Unassigned'])
    const members = await site.send('GET /data/prearchive/projects/MANUAL?format=json', { as: 'member' })
    expect(members.rows().map((row) => row['project'])).toEqual(['MANUAL'])
  })

  test('6.1: tag finds a study, for those who may see all data', async ({ site }) => {
    await addProjects(site)
    await receive(site)
    await imported(site, 'project=AUTO&session=E2', study({ StudyInstanceUID: '2.25.200' }))
    const found = await site.send('GET /data/prearchive?tag=2.25.200&format=json')
    expect(found.rows()).toMatchObject([{ project: 'AUTO', name: 'E2' }])
    expect((await site.send('GET /data/prearchive?tag=2.25.200&format=json', { as: 'member' })).status).toBe(404)
  })

  test('6.1: recent ones', async ({ site }) => {
    await addProjects(site)
    await receive(site)
    expect((await site.send('GET /data/prearchive/experiments?recent=true&format=json')).rows()).toHaveLength(1)
    expect((await site.send('GET /data/prearchive/experiments?format=json')).status).toBe(400)
  })
})

describe('the timer of the prearchive', () => {
  test('6.2: a session is built once it is idle for five minutes, and READY when nobody wants it archived', async ({
    site,
  }) => {
    await addProjects(site)
    await receive(site)
    await site.server.clock.advance(4.9 * minuteMs)
    expect(await status(site)).toEqual(['RECEIVING'])
    await site.server.clock.advance(0.1 * minuteMs)
    expect(await status(site)).toEqual(['READY'])
  })

  test('6.2: a new file starts the five minutes again', async ({ site }) => {
    await addProjects(site)
    await receive(site)
    await site.server.clock.advance(4 * minuteMs)
    await imported(site, 'project=MANUAL&subject=S1&session=E1', [instance('9.dcm')])
    await site.server.clock.advance(4 * minuteMs)
    expect(await status(site)).toEqual(['RECEIVING'])
    await site.server.clock.advance(minuteMs)
    expect(await status(site)).toEqual(['READY'])
  })

  test('6.2: the project’s code archives it afterwards', async ({ site }) => {
    await addProjects(site)
    await receive(site, 'project=AUTO&subject=S1&session=E1')
    await site.server.clock.advance(5 * minuteMs)
    expect(await prearchived(site, 'AUTO')).toEqual([])
    expect(await scanFiles(site, 'AUTO', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('6.6: with code 4 it merges but never replaces, with code 5 it does', async ({ site }) => {
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

  test('6.2: prevent_auto_commit and the upload assistant keep it away', async ({ site }) => {
    await addProjects(site)
    await receive(site, 'project=MANUAL&session=E1&prevent_auto_commit=true')
    await receive(site, 'project=MANUAL&session=E2&SOURCE=uploader')
    await site.server.clock.advance(10 * minuteMs)
    expect(await status(site)).toEqual(['RECEIVING', 'RECEIVING'])
  })

  test('6.2: on its way a session passes QUEUED_BUILDING, BUILDING, QUEUED_ARCHIVING and ARCHIVING', async ({
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

  test('6.2: files that come while it builds send it back, and nothing is archived then', async ({ site }) => {
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

describe('one session in the prearchive', () => {
  test('6.3: json is a table of one row, and an empty one with 200 when there is no such session', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    expect((await site.send(`GET ${url}?format=json`)).rows()).toMatchObject([{ name: 'E1', status: 'RECEIVING' }])
    const missing = await site.send(`GET ${url}x?format=json`)
    expect([missing.status, missing.rows()]).toEqual([200, []])
  })

  test('6.3: xml is the document, 404 while it is not built', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    expect((await site.send(`GET ${url}`)).status).toBe(404)
    await site.send(`POST ${url}?action=build`)
    const answer = await site.send(`GET ${url}`)
    expect(answer.headers['content-type']).toMatch(/^text\/xml/)
    expect(answer.text).toContain('<xnat:MRSession')
    expect(answer.text).toContain('xnat:mrScanData')
    expect(answer.text).toContain('<xnat:dcmPatientName>Doe^Jane</xnat:dcmPatientName>')
  })

  test('6.3: zip holds the files, below the session’s name', async ({ site }) => {
    await addProjects(site)
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

  test('6.3: scans, their resources and files, and one file', async ({ site }) => {
    await addProjects(site)
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

  test('6.3: a scan can be deleted, which the log tells', async ({ site }) => {
    await addProjects(site)
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

  test('6.3: needs the right to edit its project', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    for (const what of [`GET ${url}?format=json`, `DELETE ${url}`, `POST ${url}?action=build`]) {
      expect((await site.send(what, { as: 'collaborator' })).status, what).toBe(403)
    }
    const unassigned = await imported(site, 'project=NOWHERE&session=E9')
    expect((await site.send(`GET ${unassigned}?format=json`, { as: 'owner' })).status).toBe(403)
  })

  test('PrearcDatabase.deleteSession: DELETE is 200, and 200 again', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    expect((await site.send(`DELETE ${url}`)).status).toBe(200)
    expect(await prearchived(site, 'MANUAL')).toEqual([])
    expect((await site.send(`DELETE ${url}`)).status).toBe(200)
  })
})

describe('actions on a session in the prearchive', () => {
  test('6.3: build is 200 with the address; what is locked is 409', async ({ site }) => {
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

  test('6.3: commit builds, and archives with 301 only when session, request or project say so', async ({ site }) => {
    await addProjects(site)
    const manual = await receive(site)
    const built = await site.send(`POST ${manual}?action=commit`)
    expect([built.status, built.text]).toEqual([200, manual])
    expect(await status(site)).toEqual(['READY'])
    const archived = await site.send(`POST ${manual}?action=commit&AA=true`)
    expect(archived.status).toBe(301)
    expect(archived.text).toBe('/data/archive/projects/MANUAL/subjects/S1/experiments/E1')
    expect(archived.headers['location']).toBeUndefined()
    const auto = await receive(site, 'project=AUTO&subject=S1&session=E1')
    expect((await site.send(`POST ${auto}?action=commit&AA=false`)).status).toBe(301)
  })

  test('6.3: the parameters may come in a form or as JSON', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    const asForm = { body: 'action=build&VISIT=V1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
    expect((await site.send(`POST ${url}`, asForm)).status).toBe(200)
    expect(await prearchived(site, 'MANUAL')).toMatchObject([{ status: 'READY', VISIT: 'V1' }])
    const asJson = { body: '{"action":"commit","AA":"true"}', headers: { 'content-type': 'application/json' } }
    expect((await site.send(`POST ${url}`, asJson)).status).toBe(301)
  })

  test('6.3: commit merges by itself but does not read overwrite: what it refuses is 500', async ({ site }) => {
    await addProjects(site)
    await imported(site, 'dest=/archive/projects/MANUAL/subjects/S1/experiments/E1')
    const more = await imported(site, 'project=MANUAL&subject=S1&session=E1', [instance('3.dcm')])
    expect((await site.send(`POST ${more}?action=commit&AA=true`)).status).toBe(301)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 3, 2: 2 })
    const same = await receive(site)
    const refused = await site.send(`POST ${same}?action=commit&AA=true&overwrite=delete`)
    expect(refused.status).toBe(500)
    expect(refused.text).toContain(
      'FAILED: Unable to archive E1: Operation Failed: Session already exists with matching',
    )
    expect(await status(site)).toEqual(['CONFLICT'])
    expect((await site.send(`POST ${same}?action=commit&AA=true&overwrite_files=true`)).status).toBe(301)
  })

  test('6.3: with a listener commit answers at once', async ({ site }) => {
    await addProjects(site)
    site.server.state.arrange({ sessionStepMs: 1000 })
    const url = await receive(site)
    const answer = await site.send(`POST ${url}?action=commit&AA=true&http-session-listener=T1`)
    expect(answer.status).toBe(200)
    expect(await status(site)).toEqual(['QUEUED_ARCHIVING'])
    await site.server.clock.advance(3000)
    expect(await scanFiles(site, 'MANUAL', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('6.3: move is 301 with the new address; what is locked is 200 and not moved', async ({ site }) => {
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

  test('6.3: an unassigned session can be taken by who may edit the other project, and by nobody else', async ({
    site,
  }) => {
    await addProjects(site)
    const url = await imported(site, 'project=NOWHERE&session=E9')
    expect((await site.send(`POST ${url}?action=move&newProject=AUTO`, { as: 'collaborator' })).status).toBe(403)
    expect((await site.send(`POST ${url}?action=move&newProject=AUTO`, { as: 'member' })).status).toBe(301)
  })

  test('6.3: on an unassigned session commit only builds', async ({ site }) => {
    await addProjects(site)
    const url = await imported(site, 'project=NOWHERE&session=E9')
    expect((await site.send(`POST ${url}?action=commit&AA=true`)).status).toBe(200)
    expect((await site.send(`GET ${url}?format=json`)).rows()).toMatchObject([{ status: 'READY' }])
  })

  test('6.3: set-status sets any but the locked ones, reset-status makes it usable again', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    expect((await site.send(`POST ${url}?action=set-status&status=ERROR`)).status).toBe(200)
    expect(await status(site)).toEqual(['ERROR'])
    expect((await site.send(`POST ${url}?action=set-status&status=_BUILDING`)).status).toBe(400)
    expect((await site.send(`POST ${url}?action=reset-status&tag=2.25.7`)).status).toBe(200)
    expect(await prearchived(site, 'MANUAL')).toMatchObject([{ status: 'RECEIVING', tag: '2.25.7' }])
  })

  test('6.3: no action and an unknown one are 400', async ({ site }) => {
    await addProjects(site)
    const url = await receive(site)
    for (const query of ['', '?action=burn']) expect((await site.send(`POST ${url}${query}`)).status).toBe(400)
  })

  test('6.3: on a session that is not there commit and move are 404, build is 500', async ({ site }) => {
    await addProjects(site)
    const url = '/data/prearchive/projects/MANUAL/20240101_000000000/NONE'
    expect((await site.send(`POST ${url}?action=commit`)).status).toBe(404)
    expect((await site.send(`POST ${url}?action=move&newProject=AUTO`)).status).toBe(404)
    expect((await site.send(`POST ${url}?action=build`)).status).toBe(500)
  })
})

/** As while XNAT's queue is at it. */
function lock({ server }: Site): void {
  for (const entry of server.state.prearchive.all()) server.state.prearchive.put({ ...entry, status: '_BUILDING' })
}
