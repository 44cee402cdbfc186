import { describe, expect } from 'vitest'
import { instance, study, zipped } from '../support/dicom-studies.ts'
import { imported, importing, prearchived } from '../support/imports.ts'
import { test } from './named-site.ts'

function form(parts: readonly { name: string; fileName?: string; content: Buffer | string }[]) {
  const boundary = 'a-boundary'
  const body = parts.map(({ name, fileName, content }) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"`
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`
    return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')])
  })
  return {
    body: Buffer.concat([...body, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  }
}

describe('bodies of an import', () => {
  test('auth-users-import 7.2: in a form the file has a name of its own, and the other parts are parameters', async ({
    site,
  }) => {
    const sent = form([
      { name: 'project', content: site.plain.name('MANUAL') },
      { name: 'session', content: 'E1' },
      { name: 'image_archive', fileName: 'anything.zip', content: await zipped(study()) },
    ])
    const answer = await site.send('POST /data/services/import?import-handler=DICOM-zip', sent)
    expect(answer.text).toMatch(/^\/data\/prearchive\/projects\/{MANUAL}\/\S+\/E1\r\n$/)
  })

  test('auth-users-import 7.2: a form together with inbody=true is 406', async ({ site }) => {
    const sent = form([{ name: 'file', fileName: 'a.zip', content: 'x' }])
    const answer = await site.send('POST /data/services/import?import-handler=DICOM-zip&inbody=true', sent)
    expect(answer.status).toBe(406)
  })

  test('auth-users-import 7.2: more than one file is 400, none is 400 with a handler and 500 without', async ({
    site,
  }) => {
    const content = await zipped(study())
    const two = form([
      { name: 'one', fileName: 'a.zip', content },
      { name: 'two', fileName: 'b.zip', content },
    ])
    const both = await site.send('POST /data/services/import?import-handler=DICOM-zip', two)
    expect([both.status, both.text]).toEqual([
      400,
      expect.stringContaining('limited to one uploaded resource at a time'),
    ])
    const none = await site.send('POST /data/services/import?import-handler=DICOM-zip')
    expect([none.status, none.text]).toEqual([400, expect.stringContaining('Unable to identify upload format.')])
    expect((await site.send('POST /data/services/import')).status).toBe(500)
  })

  test('auth-users-import 7.2: a body of unknown length is 400, but a zip may be chunked', async ({ site }) => {
    const body = await zipped(study())
    const post = 'POST /data/services/import?import-handler=DICOM-zip&project={MANUAL}'
    const zip = await site.send(post, { body, chunked: true, headers: { 'content-type': 'application/zip' } })
    expect(zip.status).toBe(200)
    const tar = await site.send(post, { body, chunked: true, headers: { 'content-type': 'application/x-tar' } })
    expect([tar.status, tar.text]).toEqual([400, expect.stringContaining('request entity size is -1')])
    const empty = await site.send(post, { body: '', headers: { 'content-type': 'application/x-tar' } })
    expect(empty.status).toBe(400)
  })

  test('auth-users-import 7: GET and PUT are 405', async ({ site }) => {
    expect((await site.send('GET /data/services/import')).status).toBe(405)
    expect((await site.send('PUT /data/services/import')).status).toBe(405)
  })

  test('auth-users-import 7.1: an unknown handler is 404', async ({ site }) => {
    const unknown = await importing(site, 'import-handler=nothing', study())
    expect([unknown.status, unknown.text]).toEqual([
      404,
      expect.stringContaining('Unknown importer implementation specified: nothing'),
    ])
  })

  test('auth-users-import 7.1: without a handler a zip goes to DICOM-zip, application/dicom to gradual-DICOM', async ({
    site,
  }) => {
    const post = 'POST /data/services/import?PROJECT_ID={MANUAL}&SUBJECT_ID=S1&EXPT_LABEL=E1'
    const zip = await site.send(post, { body: await zipped(study()), headers: { 'content-type': 'application/zip' } })
    const dicom = await site.send(post, { body: instance().bytes, headers: { 'content-type': 'application/dicom' } })
    expect(dicom.text).toBe(zip.text)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ name: 'E1', subject: 'S1' }])
  })

  test('auth-users-import 7.1: application/x-mirc is answered with OK', async ({ site }) => {
    const body = instance().bytes
    const post = 'POST /data/services/import?inbody=true&PROJECT_ID={P1}'
    const answer = await site.send(post, { body, headers: { 'content-type': 'application/x-mirc' } })
    expect([answer.status, answer.text]).toEqual([200, 'OK'])
  })

  test('auth-users-import 7.5: format=html tells of a failure on a page, with 200', async ({ site }) => {
    const answer = await importing(site, 'format=html&dest=/nowhere', study())
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^text\/html/)
    expect(answer.text).toContain('Parameter dest format error')
  })
})

describe('gradual-DICOM', () => {
  const gradual = 'import-handler=gradual-DICOM'
  const dicom = { type: 'application/dicom' }

  test('auth-users-import 7.3: reads PROJECT_ID, SUBJECT_ID and EXPT_LABEL only', async ({ site }) => {
    const known = await importing(
      site,
      `${gradual}&PROJECT_ID={MANUAL}&SUBJECT_ID=S1&EXPT_LABEL=E1`,
      instance().bytes,
      dicom,
    )
    expect(known.text).toMatch(/^\/data\/prearchive\/projects\/{MANUAL}\/\S+\/E1\r\n$/)
    const others = await importing(site, `${gradual}&project={MANUAL}&session=E1`, instance().bytes, dicom)
    expect(others.text).toMatch(/^\/data\/prearchive\/projects\/Unassigned\//)
  })

  test('auth-users-import 7.6: a session that was READY receives again and takes the file in', async ({ site }) => {
    const query = `${gradual}&PROJECT_ID={MANUAL}&EXPT_LABEL=E1`
    const first = (await importing(site, query, instance('1.dcm').bytes, dicom)).text.trim()
    await site.send(`POST ${first}?action=build`)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'READY' }])
    expect((await importing(site, query, instance('2.dcm').bytes, dicom)).text.trim()).toBe(first)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'RECEIVING' }])
    await site.send(`POST ${first}?action=build`)
    const scans = await site.send(`GET ${first}/scans/1/resources?format=json`)
    expect(scans.rows()).toMatchObject([{ label: 'DICOM', file_count: '2' }])
  })

  test('auth-users-import 7.3: action=commit means nothing to it', async ({ site }) => {
    await importing(site, `${gradual}&PROJECT_ID={MANUAL}&EXPT_LABEL=E1&action=commit&AA=true`, instance().bytes, dicom)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'RECEIVING' }])
  })

  test('auth-users-import 7.6: files sent at once are all there, or refused for being sent at once under one name', async ({
    site,
  }) => {
    const query = `${gradual}&PROJECT_ID={MANUAL}&EXPT_LABEL=E1`
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map((number) => importing(site, query, instance(`${number}.dcm`).bytes, dicom)),
    )
    const refused = answers.filter(({ status }) => status !== 200)
    for (const { text } of refused) expect(text).toContain('Concurrent file sends of the same data is not supported.')
    const [row] = await prearchived(site, '{MANUAL}')
    await site.send(`POST /data${row?.['url']}?action=build`)
    const scans = await site.send(`GET /data${row?.['url']}/scans/1/resources?format=json`)
    expect(scans.rows()).toMatchObject([{ file_count: String(8 - refused.length) }])
  })

  test('auth-users-import 7.6: what is no DICOM is 400', async ({ site }) => {
    const answer = await importing(site, `${gradual}&PROJECT_ID={P1}`, Buffer.from('no DICOM'), dicom)
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('unable to read DICOM object upload.dcm'),
    ])
  })
})

describe('files of the user cache', () => {
  const cache = '/data/user/cache/resources/{P1}/files'

  test('auth-users-import 7.2: one is a source for an import; an unknown one is 404', async ({ site }) => {
    site.plain.leaves('/data/user/cache/resources/{P1}')
    const body = await zipped(study())
    expect((await site.send(`PUT ${cache}/a/study.zip?inbody=true`, { body })).status).toBe(200)
    const post = 'POST /data/services/import?import-handler=DICOM-zip&project={MANUAL}&session=E1'
    const answer = await site.send(`${post}&src=/user/cache/resources/{P1}/files/a/study.zip`)
    expect(answer.text).toMatch(/^\/data\/prearchive\/projects\/{MANUAL}\//)
    const unknown = await site.send(`${post}&src=/user/cache/resources/{P1}/files/b.zip`)
    expect([unknown.status, unknown.text]).toEqual([404, expect.stringContaining('Unknown src file.')])
    expect((await site.send(`${post}&src=/elsewhere/b.zip`)).status).toBe(400)
  })

  test('auth-users-import 9: they are listed, read and deleted, by their owner', async ({ site }) => {
    site.plain.leaves('/data/user/cache/resources/{P1}')
    await site.send(`PUT ${cache}/a/one.txt?inbody=true`, { body: 'one' })
    await site.send(`PUT ${cache}/two.txt`, form([{ name: 'file', fileName: 'x', content: 'two' }]))
    const listed = await site.send(`GET ${cache}?format=json`)
    expect(listed.rows()).toMatchObject([
      { Name: 'a/one.txt', Size: '3', URI: `${cache}/a/one.txt` },
      { Name: 'two.txt', Size: '3' },
    ])
    expect((await site.send('GET /data/user/cache/resources?format=json')).rows()).toContainEqual(
      expect.objectContaining({ Resource: '{P1}' }),
    )
    expect((await site.send(`GET ${cache}/two.txt`)).text).toBe('two')
    expect((await site.send(`GET ${cache}/two.txt`, { as: 'member' })).status).toBe(404)
    expect((await site.send(`DELETE ${cache}/a/one.txt`)).status).toBe(200)
    expect((await site.send(`DELETE ${cache}/a/one.txt`)).status).toBe(404)
    expect((await site.send('DELETE /data/user/cache/resources/{P1}')).status).toBe(200)
    expect((await site.send(`GET ${cache}?format=json`)).status).toBe(404)
  })
})

describe('status of an import', () => {
  test('auth-users-import 7.7: with src and a listener the answer says no more than that it was submitted', async ({
    site,
  }) => {
    site.plain.leaves('/data/user/cache/resources/{P1}')
    await site.send('PUT /data/user/cache/resources/{P1}/files/study.zip?inbody=true', { body: await zipped(study()) })
    const post =
      'POST /data/services/import?import-handler=DICOM-zip&project={MANUAL}&session=E1&http-session-listener=T1'
    const answer = await site.send(`${post}&src=/user/cache/resources/{P1}/files/study.zip`)
    expect([answer.status, answer.text]).toEqual([200, 'Submitted for prearchival'])
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ name: 'E1' }])
  })

  test('auth-users-import 7.7: the messages are there for the same login, the outcome for the same user', async ({
    site,
  }) => {
    const url = await imported(site, 'project={MANUAL}&session=E1&http-session-listener=T1')
    const messages = await site.send('GET /data/status/T1?format=json')
    expect(messages.json()).toEqual({
      msgs: [
        [
          { status: 'PROCESSING', msg: 'Importing sessions to the prearchive', terminal: false },
          { status: 'COMPLETED', msg: `Prearchive:${url.replace('/data', '')}`, terminal: true },
        ],
      ],
    })
    expect((await site.send('GET /data/status/T1?format=json', { as: 'member' })).json()).toEqual({ msgs: [[]] })
    const outcome = await site.send('GET /xapi/event_tracking/T1')
    expect(outcome.json()).toMatchObject({ key: 'T1', payload: null, succeeded: true })
    expect((await site.send('GET /xapi/event_tracking/T1', { as: 'member' })).status).toBe(404)
  })

  test('auth-users-import 7.7: a failure is told there too', async ({ site }) => {
    await importing(site, 'project={P1}&http-session-listener=T2', [{ name: 'a.txt', bytes: Buffer.from('no DICOM') }])
    expect((await site.send('GET /xapi/event_tracking/T2')).json()).toMatchObject({
      succeeded: false,
      finalMessage: 'unable to read DICOM object a.txt',
    })
  })
})
