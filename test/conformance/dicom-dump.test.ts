import { describe, expect } from 'vitest'
import { instance, study } from '../support/dicom-studies.ts'
import { imported } from '../support/imports.ts'
import { type NamedSite, test } from './named-site.ts'

const session = '/archive/projects/{MANUAL}/subjects/S1/experiments/E1'

async function archived(site: NamedSite, files = study()): Promise<void> {
  await imported(site, `dest=${session}`, files)
}

const dump = (site: NamedSite, query: string) => site.send(`GET /data/services/dicomdump?format=json&${query}`)

describe('/services/dicomdump', () => {
  test('auth-users-import 9: lists the attributes of one file: tag1, tag2, vr, value, desc', async ({ site }) => {
    await archived(site)
    const answer = await dump(site, `src=${session}`)
    const rows = answer.rows()
    expect(Object.keys(rows[0] ?? {})).toEqual(['tag1', 'tag2', 'vr', 'value', 'desc'])
    const byTag = new Map(rows.map((row) => [row['tag1'], row]))
    expect(byTag.get('(0010,0020)')).toEqual({
      tag1: '(0010,0020)',
      tag2: '',
      vr: 'LO',
      value: 'PAT-1',
      desc: 'Patient ID',
    })
    expect(byTag.get('(0020,000D)')).toMatchObject({ vr: 'UI', value: '2.25.100', desc: 'Study Instance UID' })
    expect(byTag.get('(0002,0010)')).toMatchObject({ value: '1.2.840.10008.1.2.1', desc: 'Transfer Syntax UID' })
    expect(byTag.has('(7FE0,0010)')).toBe(false)
  })

  test('auth-users-import 9: field chooses, by keyword or eight hex digits; anything else is 400', async ({ site }) => {
    await archived(site)
    const chosen = await dump(site, `src=${session}&field=Modality&field=00200010&field=00200011`)
    expect(chosen.rows().map(({ tag1, value }) => `${tag1} ${value}`)).toEqual(['(0008,0060) MR', '(0020,0011) 1'])
    expect((await dump(site, `src=${session}&field=NoSuchName`)).status).toBe(400)
  })

  test('auth-users-import 9: a scan, a file, a path without its subject', async ({ site }) => {
    await archived(site)
    const value = async (src: string) => (await dump(site, `src=${src}&field=SeriesNumber&field=SOPInstanceUID`)).rows()
    expect(await value(`${session}/scans/2`)).toMatchObject([{ value: '2.25.100.2.1' }, { value: '2' }])
    expect(await value(`${session}/scans/2/resources/DICOM/files/2.dcm`)).toMatchObject([
      { value: '2.25.100.2.2' },
      { value: '2' },
    ])
    expect(await value('/archive/projects/{MANUAL}/experiments/E1/scans/1')).toMatchObject([
      { value: '2.25.100.1.1' },
      { value: '1' },
    ])
  })

  test('auth-users-import 9: values are HTML-escaped and cut at 255 characters', async ({ site }) => {
    await archived(site, [instance('1.dcm', { SeriesDescription: 'a < b & c', StudyDescription: 'x'.repeat(300) })])
    const rows = (await dump(site, `src=${session}&field=SeriesDescription&field=StudyDescription`)).rows()
    expect(rows.map(({ value }) => value)).toEqual(['x'.repeat(255), 'a &lt; b &amp; c'])
  })

  test('auth-users-import 9 (DicomSummaryHeaderDump.java): summary=true gathers the values of all files', async ({
    site,
  }) => {
    await archived(site)
    const rows = (await dump(site, `src=${session}&summary=true&field=SeriesDescription`)).rows()
    expect(rows).toEqual([
      { tag1: '(0008,103E)', tag2: '', vr: '', value: 'Series 1, Series 2', desc: 'Series Description' },
    ])
  })

  test('auth-users-import 9: a session in the prearchive, once it is built', async ({ site }) => {
    const url = await imported(site, 'project={MANUAL}&session=E1')
    const src = url.replace('/data', '')
    expect((await dump(site, `src=${src}`)).status).toBe(404)
    await site.send(`POST ${url}?action=build`)
    expect((await dump(site, `src=${src}/scans/2&field=SeriesNumber`)).rows()).toMatchObject([{ value: '2' }])
  })

  test('auth-users-import 9: no src is 400, an unknown session 404, and a src with /data has no rows', async ({
    site,
  }) => {
    await archived(site)
    expect((await dump(site, '')).status).toBe(400)
    expect((await dump(site, `src=${session}9`)).status).toBe(404)
    expect((await site.send(`GET /data/services/dicomdump?src=${session}`, { as: 'outsider' })).status).toBe(404)
    const prefixed = await dump(site, `src=/data${session}`)
    expect([prefixed.status, prefixed.rows()]).toEqual([200, []])
  })

  test('auth-users-import 9: text is read in the character set the file names', async ({ site }) => {
    await archived(site, [instance('1.dcm', { SpecificCharacterSet: 'ISO_IR 192', PatientName: 'Müller^Zoë' })])
    expect((await dump(site, `src=${session}&field=PatientName`)).rows()).toMatchObject([{ value: 'Müller^Zoë' }])
  })
})
