import { describe, expect } from 'vitest'
import { type Site, test } from './site.ts'

const studies = [
  { accessionNumber: 'ACC-1', modality: 'MR', studyDate: '20240131', patientName: 'Doe^Jane^M', patientId: 'P-1' },
  { accessionNumber: 'ACC-2', modality: 'CT', studyDate: '20240301', patientName: 'Roe^Richard', patientId: 'p-2' },
  { accessionNumber: 'acc-2', modality: 'CT', studyDate: '20230301', patientName: 'Roe^Richard', patientId: 'p-2' },
]

async function find(site: Site, criteria: Record<string, unknown>, what = 'studies') {
  const answer = await site.send(`POST /xapi/dqr/query/${what}`, { body: JSON.stringify({ pacsId: 1, ...criteria }) })
  return { ...answer, status: answer.status, found: answer.text.startsWith('[') ? (answer.json() as Found[]) : [] }
}

type Found = { accessionNumber: string } & Record<string, unknown>

const accessions = async (site: Site, criteria: Record<string, unknown>) =>
  (await find(site, criteria)).found.map(({ accessionNumber }) => accessionNumber)

function fill(site: Site): void {
  site.server.pacs.register({ projects: ['P1'] })
  site.server.pacs.add(...studies)
}

describe('asking a PACS by DQR', () => {
  test('dqr A4: a study is shown with an ISO date, "Last, First" and no birth date', async ({ site }) => {
    fill(site)
    expect((await find(site, { accessionNumber: 'ACC-1' })).found).toEqual([
      {
        studyInstanceUid: expect.stringMatching(/^2\.25\.\d+$/),
        studyId: 'ACC-1',
        studyDescription: 'MR study',
        accessionNumber: 'ACC-1',
        studyDate: '2024-01-31',
        modalitiesInStudy: ['MR'],
        patient: { id: 'P-1', name: 'Doe, Jane', sex: 'O' },
      },
    ])
  })

  test('dqr A4: nothing found is 204', async ({ site }) => {
    fill(site)
    expect(await find(site, { accessionNumber: 'none' })).toMatchObject({ status: 204, text: '' })
  })

  test('dqr A4: * and ? are wildcards, and letters are matched as they are', async ({ site }) => {
    fill(site)
    expect(await accessions(site, { accessionNumber: 'ACC-*' })).toEqual(['ACC-1', 'ACC-2'])
    expect(await accessions(site, { accessionNumber: '?CC-1' })).toEqual(['ACC-1'])
    expect(await accessions(site, { accessionNumber: 'acc-2' })).toEqual(['acc-2'])
    expect(await accessions(site, { patientName: 'roe*' })).toEqual(['ACC-2', 'acc-2'])
  })

  test('an Orthanc finds letters whatever their case', async ({ site }) => {
    fill(site)
    await site.send('POST /__stand-in/settings', { body: '{"pacsFoldsCase":true}' })
    expect(await accessions(site, { accessionNumber: 'acc-2' })).toEqual(['ACC-2', 'acc-2'])
  })

  test('dqr A4: dates may be one range in three spellings, modality and UIDs lists', async ({ site }) => {
    fill(site)
    const [first, second] = site.server.state.dqr.pacsStudies.all()
    expect(await accessions(site, { studyDateRange: { start: '2024-02-01', end: '20241231' } })).toEqual(['ACC-2'])
    expect(await accessions(site, { studyDateFrom: '2024/01/31' })).toEqual(['ACC-1', 'ACC-2'])
    expect(await accessions(site, { studyDateTo: '20231231' })).toEqual(['acc-2'])
    expect(await accessions(site, { modality: 'MR' })).toEqual(['ACC-1'])
    const studyInstanceUid = `${first?.studyInstanceUid}\\${second?.studyInstanceUid}`
    expect(await accessions(site, { studyInstanceUid })).toEqual(['ACC-1', 'ACC-2'])
    expect((await find(site, { studyDateFrom: 'yesterday' })).status).toBe(500)
  })

  test('dqr A4: no criteria at all are accepted, unknown keys skipped, and 500 studies are the most', async ({
    site,
  }) => {
    fill(site)
    expect((await find(site, { nonsense: 'x' })).found).toHaveLength(3)
    site.server.pacs.add(...Array.from({ length: 600 }, (_, index) => ({ accessionNumber: `MANY${index}` })))
    expect((await find(site, { accessionNumber: 'MANY*' })).found).toHaveLength(500)
  })

  test('dqr A4: a PACS out of reach is 400 with DQR’s own words', async ({ site }) => {
    fill(site)
    await site.send('POST /__stand-in/settings', { body: '{"pacsDown":true}' })
    const answer = await find(site, {})
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/^A DQR run-time exception occurred, which usually indicates a problem/)
  })

  test('a slow PACS makes a slow answer', async ({ site }) => {
    fill(site)
    await site.send('POST /__stand-in/settings', { body: '{"pacsAnswersAfterMs":120}' })
    const began = performance.now()
    await find(site, {})
    expect(performance.now() - began).toBeGreaterThan(100)
  })

  test('dqr A4: without a PACS the default one is asked; unknown is 404, not queryable 409', async ({ site }) => {
    fill(site)
    expect((await find(site, { pacsId: 0 })).found).toHaveLength(3)
    expect((await find(site, { pacsId: 9 })).status).toBe(404)
    await site.send('PUT /xapi/pacs/1', { body: '{"queryable":false}' })
    expect((await find(site, {})).status).toBe(409)
  })

  test('dqr A1: the role Dqr, the switch for all users, or all-data access are needed', async ({ site }) => {
    fill(site)
    const ask = async () =>
      (await site.send('POST /xapi/dqr/query/studies', { as: 'owner', body: '{"pacsId":1}' })).status
    expect(await ask()).toBe(403)
    await site.send('PUT /xapi/users/owner/roles/Dqr')
    expect(await ask()).toBe(200)
    await site.send('DELETE /xapi/users/owner/roles/Dqr')
    await site.send('POST /xapi/dqr/settings', { body: '{"allowAllUsersToUseDqr":"true"}' })
    expect(await ask()).toBe(200)
  })

  test('dqr A4: patients are grouped, series come by study with nothing for none', async ({ site }) => {
    fill(site)
    expect((await find(site, { patientId: 'p-2' }, 'patients')).json()).toMatchObject({
      hasLimitedResultSetSize: false,
      results: [{ id: 'p-2', name: 'Roe, Richard', birthDate: '1970-01-01' }],
    })
    const [first] = site.server.state.dqr.pacsStudies.all()
    const uid = first?.studyInstanceUid ?? ''
    const series = (await find(site, { studyInstanceUids: [uid, '1.2'] }, 'series')).json()
    expect(series).toMatchObject({
      [uid]: { results: [{ modality: 'MR', seriesNumber: 1, patientName: 'Doe, Jane' }] },
    })
    expect((series as Record<string, object>)['1.2']).not.toHaveProperty('results')
    expect((await find(site, { studyInstanceUids: [] }, 'series')).status).toBe(204)
    expect((await find(site, { pacsId: 9, studyInstanceUids: [uid] }, 'series')).status).toBe(500)
  })

  const batch = (site: Site, csv: string, query = '?pacsId=1') => {
    const part = 'Content-Disposition: form-data; name="csv_to_store"; filename="a.csv"\r\nContent-Type: text/csv'
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    return site.send(`POST /xapi/dqr/query/batch${query}`, {
      headers,
      body: `--b\r\n${part}\r\n\r\n${csv}\r\n--b--\r\n`,
    })
  }

  test('dqr A4: a spreadsheet asks for many at once, and says how to relabel them', async ({ site }) => {
    fill(site)
    const sheet = 'Accession Number,Session,Relabel Study Date\nACC-1,"S,1",""\nnone,,\n,ignored,\n'
    const answer = await batch(site, sheet)
    expect(answer.headers['warning']).toBeUndefined()
    expect(answer.json()).toMatchObject([
      {
        criteria: { accessionNumber: 'ACC-1' },
        relabelMap: { Session: 'S,1', 'Relabel Study Date': '' },
        studies: [{ accessionNumber: 'ACC-1' }],
      },
      { criteria: { accessionNumber: 'none' }, relabelMap: {}, studies: [] },
    ])
    expect((await batch(site, 'Accession Number\nACC-1')).headers['warning']).toContain('no anon script')
  })

  test('dqr A4: a row the PACS fails at is missing; short rows are 500, more than a thousand 400', async ({ site }) => {
    fill(site)
    expect((await batch(site, 'Accession Number,DOB\nACC-1\n')).status).toBe(500)
    expect((await batch(site, `Modality\n${'CT\n'.repeat(1001)}`)).status).toBe(400)
    expect((await batch(site, 'Modality\nCT\n', '')).status).toBe(500)
    await site.send('POST /__stand-in/settings', { body: '{"pacsDown":true}' })
    expect((await batch(site, 'Modality\nCT\n')).json()).toEqual([])
  })
})
