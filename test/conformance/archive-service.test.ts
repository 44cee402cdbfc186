import { describe, expect } from 'vitest'
import { instance, study } from '../support/dicom-studies.ts'
import { imported, prearchived, scanFiles } from '../support/imports.ts'
import { type NamedSite, test } from './named-site.ts'

/** A built session in a prearchive; its address as `src` has it. */
async function ready(
  site: NamedSite,
  query = 'project={MANUAL}&subject=S1&session=E1',
  files = study(),
): Promise<string> {
  const url = await imported(site, query, files)
  expect((await site.send(`POST ${url}?action=build`)).status).toBe(200)
  return url.replace('/data', '')
}

const archive = (site: NamedSite, query: string) => site.send(`POST /data/services/archive?${query}`)

const status = async (site: NamedSite) => (await prearchived(site, '{MANUAL}')).map((row) => row['status'])

describe('/services/archive', () => {
  test('auth-users-import 6.4: one session is 200 with its address and CRLF', async ({ site }) => {
    const answer = await archive(site, `src=${await ready(site)}`)
    expect([answer.status, answer.text]).toEqual([
      200,
      '/data/archive/projects/{MANUAL}/subjects/S1/experiments/E1\r\n',
    ])
    expect(answer.headers['content-type']).toMatch(/^text\/uri-list/)
    expect(await prearchived(site, '{MANUAL}')).toEqual([])
  })

  test('auth-users-import 6.4: it may be named by project, timestamp and folder, and get another subject and label', async ({
    site,
  }) => {
    const [, , , , timestamp] = (await ready(site)).split('/')
    const place = `project={MANUAL}&PREARC_TIMESTAMP=${timestamp}&PREARC_SESSION_FOLDER=E1`
    const answer = await archive(site, `${place}&subject=S7&session=E7`)
    expect(answer.text).toBe('/data/archive/projects/{MANUAL}/subjects/S7/experiments/E7\r\n')
  })

  test('auth-users-import 1, surprise 9: an auto-archive project is answered with 303, which auto-archive=false prevents', async ({
    site,
  }) => {
    const first = await ready(site, 'project={AUTO}&subject=S1&session=E1')
    const redirected = await archive(site, `src=${first}`)
    expect(redirected.status).toBe(303)
    expect(redirected.headers['location']).toBe(
      `${site.plain.target.url}/data/archive/projects/{AUTO}/subjects/S1/experiments/E1`,
    )
    const second = await ready(site, 'project={AUTO}&subject=S1&session=E2')
    expect((await archive(site, `src=${second}&auto-archive=false`)).status).toBe(200)
    const third = await ready(site, 'project={MANUAL}&subject=S1&session=E3')
    expect((await archive(site, `src=${third}&redirect=true`)).status).toBe(303)
  })

  test('auth-users-import 6.4: one session merges without overwrite, but passes nothing over; append and delete pass all over', async ({
    site,
  }) => {
    await archive(site, `src=${await ready(site)}`)
    const more = await ready(site, undefined, [instance('3.dcm')])
    expect((await archive(site, `src=${more}`)).status).toBe(200)
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 3, 2: 2 })
    for (const overwrite of ['append', 'delete']) {
      const same = await ready(site)
      const refused = await archive(site, `src=${same}`)
      expect(refused.status).toBe(500)
      expect(refused.text).toContain(
        'FAILED: Unable to archive E1: Operation Failed: Session already exists with matching',
      )
      expect(await status(site)).toEqual(['CONFLICT'])
      expect((await archive(site, `src=${same}&overwrite=${overwrite}`)).status, overwrite).toBe(200)
    }
  })

  test('auth-users-import 6.4 derived: overwrite_files is not passed on for one session', async ({ site }) => {
    await archive(site, `src=${await ready(site)}`)
    expect((await archive(site, `src=${await ready(site)}&overwrite_files=true`)).status).toBe(500)
  })

  test('auth-users-import 6.7: what differs is a conflict: study, subject, modality', async ({ site }) => {
    await archive(site, `src=${await ready(site)}`)
    const cases = [
      { files: study({ StudyInstanceUID: '2.25.200' }), text: 'modification of session UID', overridable: true },
      { files: study({ Modality: 'CT' }), text: 'modification of session modality', overridable: false },
      { files: study(), subject: 'S2', text: 'E1 Already Exists for another Subject', overridable: false },
    ]
    for (const { files, text, subject = 'S1', overridable } of cases) {
      const src = await ready(site, `project={MANUAL}&subject=${subject}&session=E1`, files)
      const refused = await archive(site, `src=${src}`)
      expect([refused.status, refused.text]).toEqual([500, expect.stringContaining(text)])
      expect((await archive(site, `src=${src}&overwrite=delete`)).status, text).toBe(overridable ? 200 : 500)
      await site.send(`DELETE /data${src}`)
    }
  })

  test('auth-users-import 6.7: a subject is found whatever the case of its label', async ({ site }) => {
    await archive(site, `src=${await ready(site, 'project={MANUAL}&subject=s1&session=E1')}`)
    const answer = await archive(site, `src=${await ready(site, 'project={MANUAL}&subject=S1&session=E2')}`)
    expect(answer.text).toBe('/data/archive/projects/{MANUAL}/subjects/s1/experiments/E2\r\n')
    expect((await site.send('GET /data/projects/{MANUAL}/subjects?format=json')).rows()).toHaveLength(1)
  })

  test('auth-users-import 6.7: another series of the same number gets a corrected ID, the same one under another number is refused', async ({
    site,
  }) => {
    await archive(site, `src=${await ready(site)}`)
    const other = await ready(site, undefined, [instance('1.dcm', { SeriesInstanceUID: '2.25.7' })])
    expect((await archive(site, `src=${other}`)).status).toBe(200)
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2, '1-MR1': 1 })
    const renumbered = await ready(site, undefined, [
      instance('5.dcm', { SeriesNumber: 9, SeriesInstanceUID: '2.25.100.2' }),
    ])
    const refused = await archive(site, `src=${renumbered}`)
    expect(refused.text).toContain('a scan with the same UID, but a different number (2).')
    expect((await archive(site, `src=${renumbered}&overwrite=append`)).status).toBe(200)
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 3, '1-MR1': 1 })
  })

  test('auth-users-import 6.4: several without overwrite do not merge', async ({ site }) => {
    await archive(site, `src=${await ready(site)}`)
    const again = await ready(site, undefined, [instance('3.dcm')])
    const other = await ready(site, 'project={MANUAL}&subject=S2&session=E2', study({ StudyInstanceUID: '2.25.200' }))
    await archive(site, `src=${again}&src=${other}`)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ name: 'E1', status: 'CONFLICT' }])
    expect((await archive(site, `src=${again}&src=${again}&overwrite=append`)).status).toBe(200)
    expect(await prearchived(site, '{MANUAL}')).toEqual([])
  })

  test('auth-users-import 6.4: with a listener one session is 303 to a page at once, and archived afterwards', async ({
    site,
  }) => {
    const answer = await archive(site, `src=${await ready(site)}&http-session-listener=T1`)
    expect(answer.status).toBe(303)
    expect(answer.headers['location']).toContain('/app/template/XDATScreen_prearchives.vm')
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
  })
})

describe('/services/validate-archive', () => {
  test('auth-users-import 6.4: lists everything that speaks against it, in the order of its codes', async ({
    site,
  }) => {
    const fresh = await ready(site)
    const validate = (src: string) => site.send(`POST /data/services/validate-archive?src=${src}&format=json`)
    expect((await validate(fresh)).rows()).toMatchObject([{ code: '12', type: 'WARN' }])
    await archive(site, `src=${fresh}`)
    const again = await ready(site, undefined, study({ StudyInstanceUID: '2.25.200' }))
    const notices = await validate(again)
    expect(notices.rows().map(({ code, type }) => `${code} ${type}`)).toEqual([
      '1 CONFLICT',
      '5 CONFLICT',
      '17 CONFLICT',
      '17 CONFLICT',
    ])
    expect(notices.rows()[0]?.['message']).toBe('Session already exists, retry with overwrite enabled')
    expect(await status(site)).toEqual(['READY'])
  })
})

describe('/services/prearchive', () => {
  test('auth-users-import 6.5: move, delete and rebuild are queued whatever async says, and done afterwards', async ({
    site,
  }) => {
    const src = await ready(site)
    const post = (what: string) => site.send(`POST /data/services/prearchive/${what}&async=false&format=json`)
    expect((await post(`rebuild?src=${src}`)).rows()).toMatchObject([{ status: 'QUEUED_BUILDING' }])
    expect(await status(site)).toEqual(['READY'])
    expect((await post(`move?src=${src}&newProject={AUTO}`)).rows()).toMatchObject([{ status: 'QUEUED_MOVING' }])
    expect(await prearchived(site, '{AUTO}')).toMatchObject([{ name: 'E1', status: 'READY' }])
    const moved = src.replace('{MANUAL}', '{AUTO}')
    expect((await post(`delete?src=/data${moved}`)).rows()).toMatchObject([{ status: 'QUEUED_DELETING' }])
    expect(await prearchived(site, '{AUTO}')).toEqual([])
  })

  test('auth-users-import 6.5: without the right 403, an unknown project or session 404', async ({ site }) => {
    const src = await ready(site)
    const deletion = `POST /data/services/prearchive/delete?src=${src}`
    expect((await site.send(deletion, { as: 'collaborator' })).status).toBe(403)
    expect((await site.send(deletion.replace('{MANUAL}', 'NONE'))).status).toBe(404)
    expect((await site.send(`POST /data/services/prearchive/move?src=${src}x&newProject={AUTO}`)).status).toBe(404)
    expect(await status(site)).toEqual(['READY'])
  })
})
