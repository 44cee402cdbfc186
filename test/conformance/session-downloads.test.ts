import { describe, expect } from 'vitest'
import { zipEntries } from '../support/archive-bytes.ts'
import { instance } from '../support/dicom-studies.ts'
import { imported } from '../support/imports.ts'
import { type NamedSite, test } from './named-site.ts'

async function archived(site: NamedSite): Promise<string> {
  await imported(site, 'dest=/archive/projects/{MANUAL}/subjects/S1/experiments/E1')
  const [row] = (await site.send('GET /data/projects/{MANUAL}/experiments?format=json')).rows()
  return `{MANUAL}:S1:E1:${row?.['ID']}`
}

const post = (site: NamedSite, path: string, body: object, as: 'admin' | 'outsider' = 'admin') =>
  site.send(`POST /xapi/archive/${path}`, {
    as,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

const wanted = { projectIds: ['{MANUAL}'], scan_formats: ['DICOM'], scan_types: ['Series 1'] }

describe('/xapi/archive/download', () => {
  test('auth-users-import 9: with its size, as texts', async ({ site }) => {
    const session = await archived(site)
    const answer = await post(site, 'downloadwithsize', { ...wanted, sessions: [session] })
    expect(answer.json()).toEqual({
      id: expect.stringMatching(/^\S+-\d{8}_\d{9}$/),
      size: String(2 * instance('1.dcm').bytes.length),
      resourcesOfUnknownSize: '0',
    })
  })

  test('auth-users-import 9: the id as text, and under it a zip of what was chosen', async ({ site }) => {
    const session = await archived(site)
    const options = ['projectIncludedInPath', 'subjectIncludedInPath']
    const { text: id } = await post(site, 'download', { ...wanted, sessions: [session], options })
    const zip = await site.send(`GET /xapi/archive/download/${id}/zip`)
    expect(zip.headers['content-type']).toBe('application/zip')
    expect((await zipEntries(zip.bytes)).map(({ name }) => name)).toEqual(
      ['1.dcm', '2.dcm'].map((name) =>
        site.plain.fill(`{MANUAL}/S1/E1/scans/1-Series_1/resources/DICOM/files/${name}`),
      ),
    )
    const xml = await site.send(`GET /xapi/archive/download/${id}/xml`)
    expect(xml.text).toContain('name="{MANUAL}/S1/E1/scans/1-Series_1/resources/DICOM/files/1.dcm"')
  })

  test('auth-users-import 9: an unknown id and another user’s are 403; nothing asked for is 204', async ({ site }) => {
    const session = await archived(site)
    expect((await site.send('GET /xapi/archive/download/{P1}-1/zip')).status).toBe(403)
    const { text: id } = await post(site, 'download', { ...wanted, sessions: [session] })
    expect((await site.send(`GET /xapi/archive/download/${id}/zip`, { as: 'member' })).status).toBe(403)
    expect((await post(site, 'download', {})).status).toBe(204)
  })

  test('auth-users-import 9: a session that may not be read is 403', async ({ site }) => {
    const session = await archived(site)
    await site.send('PUT /data/projects/{MANUAL}/accessibility/private')
    expect((await post(site, 'download', { ...wanted, sessions: [session] }, 'outsider')).status).toBe(403)
  })
})
