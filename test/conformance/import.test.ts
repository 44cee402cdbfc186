import { describe, expect } from 'vitest'
import { instance, study, tarred, zipped } from '../support/dicom-studies.ts'
import { imported, importing, prearchived, scanFiles } from '../support/imports.ts'
import { test } from './named-site.ts'

const toE1 = 'dest=/archive/projects/{MANUAL}/subjects/S1/experiments/E1'

describe('DICOM-zip', () => {
  test('auth-users-import 7.5: without dest or commit the session is left RECEIVING, and the answer is one address and CRLF', async ({
    site,
  }) => {
    const answer = await importing(site, 'project={MANUAL}&subject=S1&session=E1', study())
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^text\/uri-list/)
    expect(answer.text).toMatch(/^\/data\/prearchive\/projects\/{MANUAL}\/\d{8}_\d{9}\/E1\r\n$/)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'RECEIVING', name: 'E1', subject: 'S1' }])
  })

  test('auth-users-import 7.5: format=txt with one address is that address alone', async ({ site }) => {
    const answer = await importing(site, 'project={MANUAL}&format=txt', study())
    expect(answer.text).toMatch(/^\/data\/prearchive\/\S+$/)
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
  })

  test('auth-users-import 7.5: an archive dest archives before the answer: session, subject, scans, types and files', async ({
    site,
  }) => {
    const answer = await importing(site, toE1, study())
    expect(answer.text).toBe('/data/archive/projects/{MANUAL}/subjects/S1/experiments/E1\r\n')
    const columns = 'columns=label,xsiType,date,subject_label,UID,dcmAccessionNumber'
    const sessions = await site.send(`GET /data/projects/{MANUAL}/experiments?format=json&${columns}`)
    expect(sessions.rows()).toMatchObject([
      { label: 'E1', xsiType: 'xnat:mrSessionData', date: '2024-01-31', subject_label: 'S1', UID: '2.25.100' },
    ])
    const scans = await site.send('GET /data/projects/{MANUAL}/subjects/S1/experiments/E1/scans?format=json')
    expect(scans.rows()).toMatchObject([
      { ID: '1', xsiType: 'xnat:mrScanData', type: 'Series 1', series_description: 'Series 1', quality: 'usable' },
      { ID: '2', xsiType: 'xnat:mrScanData', type: 'Series 2' },
    ])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
    expect(await prearchived(site, '{MANUAL}')).toEqual([])
  })

  test('auth-users-import 7.5: action=commit without AA builds, and leaves it READY even in an auto-archive project', async ({
    site,
  }) => {
    const url = await imported(site, 'project={AUTO}&session=E1&action=commit')
    expect(url).toMatch(/^\/data\/prearchive\/projects\/{AUTO}\//)
    expect(await prearchived(site, '{AUTO}')).toMatchObject([{ status: 'READY', autoarchive: 'AutoArchive' }])
  })

  test('auth-users-import 7.3: action=commit with AA archives', async ({ site }) => {
    expect(await imported(site, 'project={MANUAL}&subject=S1&session=E1&action=commit&AA=true')).toBe(
      '/data/archive/projects/{MANUAL}/subjects/S1/experiments/E1',
    )
  })

  test('auth-users-import 7.2: the made-up name tells the format: x-gtar is tar.gz, x-tar is tar, x-gzip and octet-stream are neither', async ({
    site,
  }) => {
    const query = 'project={MANUAL}&session=E1'
    const tgz = await tarred(study(), { gzip: true })
    expect((await importing(site, query, tgz, { type: 'application/x-gtar' })).status).toBe(200)
    expect((await importing(site, query, await tarred(study()), { type: 'application/x-tar' })).status).toBe(200)
    for (const type of ['application/x-gzip', 'application/octet-stream']) {
      const answer = await importing(site, query, tgz, { type })
      expect(answer.status, type).toBe(400)
      expect(answer.text).toContain('<h3>Unsupported format UNKNOWN</h3>')
    }
    const asTar = await importing(site, query, tgz, { type: 'application/x-tar' })
    expect([asTar.status, asTar.text]).toEqual([400, expect.stringContaining('unable to read data from file')])
  })

  test('auth-users-import 7.2: archives inside archives are opened too', async ({ site }) => {
    const inner = { name: 'inner.tgz', bytes: await tarred(study(), { gzip: true }) }
    await importing(site, toE1, [inner])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 7.5: an entry that is no DICOM is 400, and what came before it is stored', async ({
    site,
  }) => {
    const files = [...study(), { name: 'notes/readme.txt', bytes: Buffer.from('no DICOM') }]
    const answer = await importing(site, 'project={MANUAL}&session=E1', files)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('<h3>unable to read DICOM object readme.txt</h3>')
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ name: 'E1', status: 'RECEIVING' }])
  })

  test('auth-users-import 7.3: Ignore-Unparsable skips it, as action=commit does by itself; nothing but such entries is 400', async ({
    site,
  }) => {
    const noise = { name: 'readme.txt', bytes: Buffer.from('no DICOM') }
    expect(
      (await importing(site, 'project={MANUAL}&session=E1&Ignore-Unparsable=true', [noise, ...study()])).status,
    ).toBe(200)
    expect((await importing(site, 'project={MANUAL}&session=E2&action=commit', [noise, ...study()])).status).toBe(200)
    const all = await importing(site, 'project={MANUAL}&Ignore-Unparsable=true', [noise])
    expect([all.status, all.text]).toEqual([400, expect.stringContaining('readme.txt')])
  })

  test('auth-users-import 7.6: an instance without SOP Instance UID is 400', async ({ site }) => {
    const answer = await importing(site, 'project={MANUAL}', [instance('1.dcm', { SOPInstanceUID: '' })])
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('object 1.dcm contains no SOP Instance UID'),
    ])
  })

  test('auth-users-import 7.5: several sessions in one upload are one address each', async ({ site }) => {
    const both = [...study(), ...study({ StudyInstanceUID: '2.25.200', PatientID: 'PAT-2' })]
    const answer = await importing(
      site,
      'project={MANUAL}',
      both.map((file, index) => ({ ...file, name: `${index}.dcm` })),
    )
    expect(answer.text.trim().split('\r\n')).toEqual([
      expect.stringMatching(/\/PAT-1$/),
      expect.stringMatching(/\/PAT-2$/),
    ])
  })

  test('auth-users-import 7.6: labels come from the headers when none are given: patient name and patient ID', async ({
    site,
  }) => {
    await imported(site, 'project={MANUAL}')
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ subject: 'Doe_Jane', name: 'PAT-1', tag: '2.25.100' }])
  })

  test('auth-users-import 1, surprise 7: a project that is unknown or may not be read is no failure, the data goes to Unassigned', async ({
    site,
  }) => {
    const unknown = await importing(site, 'project=NOWHERE&session=E1', study())
    expect([unknown.status, unknown.text]).toEqual([
      200,
      expect.stringMatching(/^\/data\/prearchive\/projects\/Unassigned\//),
    ])
    const foreign = await importing(site, 'project={P1}&session=E2', study(), { as: 'outsider' })
    expect(foreign.text).toMatch(/^\/data\/prearchive\/projects\/Unassigned\//)
  })

  test('auth-users-import 1, surprise 7: or where a header names a project', async ({ site }) => {
    const url = await imported(
      site,
      'project=NOWHERE&session=E1',
      study({ StudyDescription: site.plain.name('MANUAL') }),
    )
    expect(url).toMatch(/^\/data\/prearchive\/projects\/{MANUAL}\//)
  })

  test('auth-users-import 7.5 derived: reading is enough to send into a project, but not to archive there', async ({
    site,
  }) => {
    const answer = await importing(site, toE1, study(), { as: 'collaborator' })
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('unable to archive for the Prearchive session'),
    ])
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ name: 'E1', status: 'RECEIVING' }])
  })

  test('auth-users-import 7.5 (derived): what does not begin like a zip has no entries, so that it is 200 and empty too', async ({
    site,
  }) => {
    const answer = await importing(site, 'project={P1}', Buffer.from('not a zip at all'))
    expect([answer.status, answer.text]).toEqual([200, ''])
  })

  test('auth-users-import 7.2: a zip that ends too early is 400', async ({ site }) => {
    const whole = await zipped(study())
    const answer = await importing(site, 'project={P1}', whole.subarray(0, whole.length / 2))
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('unable to read data from file')])
  })

  test('auth-users-import 7.6: further files of a study join the session, two of one name and place included', async ({
    site,
  }) => {
    const first = await imported(site, 'project={MANUAL}&session=E1', [instance('a.dcm')])
    const second = await imported(site, 'project={MANUAL}&session=E1', [
      instance('a.dcm', { SOPInstanceUID: '2.25.9' }),
    ])
    expect(second).toBe(first)
    await imported(site, 'project={MANUAL}&session=E1', [instance('a.dcm')])
    await site.send(`POST ${first}?action=build`)
    const files = await site.send(`GET ${first}/scans/1/resources/DICOM/files?format=json`)
    expect(files.rows()).toHaveLength(2)
    expect(files.rows()[0]?.['Name']).toMatch(/^2\.25\.100-1--\w+\.dcm$/)
    expect(files.rows()[1]?.['Name']).toBe('a.dcm')
  })

  test('auth-users-import 7.5: another study into the same prearchive folder is 400', async ({ site }) => {
    const place = 'dest=/prearchive/projects/{MANUAL}/20240131_090000000/E1'
    expect((await importing(site, place, study())).status).toBe(200)
    expect((await importing(site, place, study({ StudyInstanceUID: '2.25.200' }))).status).toBe(400)
  })

  test('auth-users-import 7.3: a dest that is no address is 400, one in the prearchive is built and stays there', async ({
    site,
  }) => {
    const wrong = await importing(site, 'dest=/somewhere/else', study())
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('Parameter dest format error')])
    const url = await imported(site, 'dest=/data/prearchive/projects/{AUTO}/20240131_090000000/F1&session=E1')
    expect(url).toBe('/data/prearchive/projects/{AUTO}/20240131_090000000/F1')
    expect(await prearchived(site, '{AUTO}')).toMatchObject([{ status: 'READY', folderName: 'F1', name: 'E1' }])
  })

  test('auth-users-import 6.7: labels are cleaned on the way into the archive, which only the address tells', async ({
    site,
  }) => {
    const url = await imported(site, 'project={MANUAL}&subject=S.1&session=E.1&action=commit&AA=true')
    expect(url).toBe('/data/archive/projects/{MANUAL}/subjects/S_1/experiments/E_1')
  })

  test('auth-users-import 7.5: series that share their number become scans of their own', async ({ site }) => {
    const twin = instance('9.dcm', { SeriesInstanceUID: '2.25.100.99', SOPInstanceUID: '2.25.100.99.1' })
    await imported(site, toE1, [instance('1.dcm'), twin])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ '1-MR1': 1, '1-MR2': 1 })
  })
})

describe('conflicts on import', () => {
  test('auth-users-import 1, surprise 6: an archived session is a 400 for DICOM-zip; the data stays, CONFLICT, and the log has the reason', async ({
    site,
  }) => {
    await imported(site, toE1)
    const answer = await importing(site, toE1, study())
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('unable to archive for the Prearchive session'),
    ])
    const [row] = await prearchived(site, '{MANUAL}')
    expect(row).toMatchObject({ status: 'CONFLICT', name: 'E1' })
    const logs = await site.send(`GET /data${row?.['url']}/logs?format=json`)
    expect(logs.rows()).toMatchObject([{ entry: 'Session already exists, retry with overwrite enabled' }])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 7.4: overwrite=append merges what is new, and fails on files of the same name', async ({
    site,
  }) => {
    await imported(site, toE1)
    await imported(site, `${toE1}&overwrite=append`, [instance('3.dcm'), instance('1.dcm', { SeriesNumber: 7 })])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 3, 2: 2, 7: 1 })
    expect((await importing(site, `${toE1}&overwrite=append`, study())).status).toBe(400)
    expect((await prearchived(site, '{MANUAL}')).map(({ status }) => status)).toEqual(['CONFLICT'])
  })

  test('auth-users-import 7.4: overwrite=delete does not delete, it replaces files of the same name', async ({
    site,
  }) => {
    await imported(site, toE1)
    await imported(site, `${toE1}&overwrite=delete`, [instance('1.dcm', { SeriesDescription: 'Again' })])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
    const dump =
      'GET /data/services/dicomdump?src=/archive/projects/{MANUAL}/subjects/S1/experiments/E1/scans/1&field=SeriesDescription&format=json'
    expect((await site.send(dump)).rows()).toMatchObject([{ value: 'Again' }])
  })

  test('auth-users-import 7.3: overwrite_files lets append replace them too', async ({ site }) => {
    await imported(site, toE1)
    await imported(site, `${toE1}&overwrite=append&overwrite_files=true`)
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 1, surprise 8: overwrite=none merges, absence does not', async ({ site }) => {
    await imported(site, toE1)
    await imported(site, `${toE1}&overwrite=none`, [instance('3.dcm')])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 3, 2: 2 })
  })

  test('auth-users-import 7.4: in an auto-archive project an archive dest merges without any overwrite', async ({
    site,
  }) => {
    const dest = 'dest=/archive/projects/{AUTO}/subjects/S1/experiments/E1'
    await imported(site, dest)
    await imported(site, dest, [instance('3.dcm')])
    expect(await scanFiles(site, '{AUTO}', 'E1')).toEqual({ 1: 3, 2: 2 })
  })

  test('auth-users-import 7.3: prearchive_code=1 beside an overwrite is always 400', async ({ site }) => {
    const answer = await importing(site, `${toE1}&prearchive_code=1&overwrite=append`, study())
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('Overwrite flag was not set to a valid option'),
    ])
  })
})

describe('SI', () => {
  test('auth-users-import 7.5: is READY at once, or archived when the project or AA says so', async ({ site }) => {
    const si = 'import-handler=SI&subject=S1&session=E1'
    expect(await imported(site, `${si}&project={MANUAL}`)).toMatch(/^\/data\/prearchive\/projects\/{MANUAL}\//)
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'READY', SOURCE: 'SessionImporter' }])
    expect(await imported(site, `${si}&project={AUTO}`)).toBe(
      '/data/archive/projects/{AUTO}/subjects/S1/experiments/E1',
    )
    expect(await imported(site, `${si}&project={AUTO}&AA=false`)).toMatch(/^\/data\/prearchive\//)
    expect(await imported(site, `${si}&project={MANUAL}&AA=true`)).toMatch(/^\/data\/archive\//)
  })

  test('auth-users-import 1, surprise 6: a conflict is 409 here, with the reason', async ({ site }) => {
    const query = `import-handler=SI&${toE1}`
    await imported(site, query)
    const answer = await importing(site, query, study())
    expect([answer.status, answer.text]).toEqual([
      409,
      expect.stringContaining('Session already exists, retry with overwrite'),
    ])
    expect(await prearchived(site, '{MANUAL}')).toMatchObject([{ status: 'CONFLICT' }])
  })

  test('auth-users-import 7.5: several sessions are 400 and stay in the prearchive, unless that is where they were sent', async ({
    site,
  }) => {
    const both = [instance('1.dcm'), instance('2.dcm', { StudyInstanceUID: '2.25.200', PatientID: 'PAT-2' })]
    const answer = await importing(site, 'import-handler=SI&project={MANUAL}', both)
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('multiple imaging sessions')])
    expect(await prearchived(site, '{MANUAL}')).toHaveLength(2)
    const sent = await importing(site, 'import-handler=SI&dest=/prearchive/projects/{AUTO}', both)
    expect([sent.status, sent.text.match(/\r\n/g)?.length]).toEqual([200, 2])
  })

  test('auth-users-import 7.5: entries that are no DICOM are skipped, none usable is 400', async ({ site }) => {
    const noise = { name: 'readme.txt', bytes: Buffer.from('no DICOM') }
    expect((await importing(site, 'import-handler=SI&project={MANUAL}', [noise, ...study()])).status).toBe(200)
    const none = await importing(site, 'import-handler=SI&project={MANUAL}', [noise])
    expect([none.status, none.text]).toEqual([400, expect.stringContaining('did not include parsable files')])
  })
})

describe('what XNAT says of a study by its instances', () => {
  const cases = [
    {
      fact: 'MR with a structure set is an MR session',
      modalities: ['RTSTRUCT', 'MR'],
      session: 'mr',
      scans: ['rtImage', 'mr'],
    },
    { fact: 'PET before CT', modalities: ['CT', 'PT'], session: 'pet', scans: ['ct', 'pet'] },
    { fact: 'a modality of its own', modalities: ['CR'], session: 'cr', scans: ['cr'] },
    { fact: 'one that maps to nothing', modalities: ['XYZ'], session: 'otherDicom', scans: ['otherDicom'] },
  ]
  for (const { fact, modalities, session, scans } of cases) {
    test(`auth-users-import 7.5 (TestDicomModalityAssignment.java): ${fact}`, async ({ site }) => {
      const files = modalities.map((Modality, SeriesNumber) =>
        instance(`${SeriesNumber}.dcm`, { Modality, SeriesNumber, SOPClassUID: '1.2.3' }),
      )
      await imported(site, toE1, files)
      const sessions = await site.send('GET /data/projects/{MANUAL}/experiments?format=json')
      expect(sessions.rows()).toMatchObject([{ xsiType: `xnat:${session}SessionData` }])
      const listed = await site.send('GET /data/projects/{MANUAL}/subjects/S1/experiments/E1/scans?format=json')
      expect(listed.rows().map(({ xsiType }) => xsiType)).toEqual(scans.map((scan) => `xnat:${scan}ScanData`))
    })
  }

  test('auth-users-import 7.5 (TestDicomModalityAssignment.java): a secondary capture is one whatever its modality', async ({
    site,
  }) => {
    await imported(site, toE1, [instance('1.dcm', { Modality: 'CT', SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' })])
    const scans = await site.send('GET /data/projects/{MANUAL}/subjects/S1/experiments/E1/scans?format=json')
    expect(scans.rows()).toMatchObject([{ xsiType: 'xnat:scScanData' }])
    const sessions = await site.send('GET /data/projects/{MANUAL}/experiments?format=json')
    expect(sessions.rows()).toMatchObject([{ xsiType: 'xnat:ctSessionData' }])
  })
})
