import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planFolder } from '../../../infra/local/data-folder.ts'
import { type Dataset, encodeDicomFile } from '../../../infra/local/sample-studies/dicom-file.ts'
import { writeSampleStudies } from '../../../infra/local/sample-studies.ts'

const projectId = 'TOUR'
let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'data-folder-'))
})

afterEach(() => rm(dir, { recursive: true }))

describe('a folder of DICOM files', () => {
  it('becomes experiments of the type that XNAT gives to their modality', async () => {
    await writeSampleStudies(dir)
    const plan = await planFolder(dir, { projectId })

    expect(plan.experiments).toEqual([
      { subject: 'SAMPLE-0001', experiment: 'SAMPLE-A0001', xsiType: 'xnat:mrSessionData', fileCount: 19 },
      { subject: 'SAMPLE-0002', experiment: 'SAMPLE-A0002', xsiType: 'xnat:ctSessionData', fileCount: 16 },
      { subject: 'SAMPLE-0003', experiment: 'SAMPLE-A0003', xsiType: 'xnat:crSessionData', fileCount: 1 },
    ])
    expect(plan).toMatchObject({ otherFiles: 0, notDicom: 0, skippedEntries: 0 })
    expect(plan.objects).toHaveLength(36)
    expect(plan.objects).toContainEqual({
      key: 'projects/TOUR/subjects/SAMPLE-0002/experiments/SAMPLE-A0002/scans/2/resources/DICOM/files/0008.dcm',
      sourcePath: join(dir, 'SAMPLE-0002/CT/series-2/0008.dcm'),
      sizeBytes: 9448,
      metadata: { 'xsi-type': 'xnat:ctSessionData' },
    })
  })

  it('is sorted by study and series, wherever in the folder the files lie and whatever they are called', async () => {
    await put('a/1.dcm', instance({ study: '1', series: '1.1' }))
    await put('a/2.jpg', instance({ study: '2', series: '2.1', accessionNumber: 'B' }))
    await put('b/c/3', instance({ study: '1', series: '1.1' }))

    expect(await keys()).toEqual([
      'projects/TOUR/subjects/PAT/experiments/A/scans/1/resources/DICOM/files/1.dcm',
      'projects/TOUR/subjects/PAT/experiments/A/scans/1/resources/DICOM/files/3',
      'projects/TOUR/subjects/PAT/experiments/B/scans/1/resources/DICOM/files/2.jpg',
    ])
  })

  it('keeps relative paths in a scan where two files have the same name', async () => {
    await put('left/1.dcm', instance({}))
    await put('right/1.dcm', instance({}))
    await put('right/2.dcm', instance({}))

    expect(await keys()).toEqual([
      'projects/TOUR/subjects/PAT/experiments/A/scans/1/resources/DICOM/files/left/1.dcm',
      'projects/TOUR/subjects/PAT/experiments/A/scans/1/resources/DICOM/files/right/1.dcm',
      'projects/TOUR/subjects/PAT/experiments/A/scans/1/resources/DICOM/files/right/2.dcm',
    ])
  })

  it('is planned without reading more than the start of its files', async () => {
    for (let number = 0; number < 20; number += 1) {
      await put(`${number}.dcm`, instance({}))
      await put(`${number}.raw`, Buffer.from('not DICOM'))
      await enlarge(`${number}.dcm`, 3 * 2 ** 30)
      await enlarge(`${number}.raw`, 3 * 2 ** 30)
    }
    const { experiments, otherFiles } = await planFolder(dir, { projectId })
    expect(experiments).toMatchObject([{ experiment: 'A', fileCount: 20 }])
    expect(otherFiles).toBe(20)
  })
})

describe('labels', () => {
  it('tell studies apart that share an accession number, the same way however many files there are', async () => {
    await put('1', instance({ study: '1', series: '1.1' }))
    await put('2', instance({ study: '2', series: '2.1' }))
    const [first, second] = await experimentLabels()
    expect(first).toMatch(/^A-[0-9a-f]{8}$/)
    expect(second).toMatch(/^A-[0-9a-f]{8}$/)
    expect(first).not.toBe(second)

    await put('0', instance({ study: '2', series: '2.1' }))
    expect(await experimentLabels()).toEqual([second, first])
  })

  it('tell studies apart whose accession numbers differ in case alone', async () => {
    await put('1', instance({ study: '1', series: '1.1', accessionNumber: 'ABC' }))
    await put('2', instance({ study: '2', series: '2.1', accessionNumber: 'abc' }))
    const [first, second] = await experimentLabels()
    expect(first).toMatch(/^ABC-[0-9a-f]{8}$/)
    expect(second).toMatch(/^abc-[0-9a-f]{8}$/)
  })

  it('hold only characters that XNAT takes, and keep patients apart whose ids then look alike', async () => {
    await put('1', instance({ study: '1', series: '1.1', patientId: 'Ä.1', accessionNumber: '2024/7 b' }))
    await put('2', instance({ study: '2', series: '2.1', patientId: 'Ö.1', accessionNumber: '' }))
    const { experiments } = await planFolder(dir, { projectId })
    expect(experiments.map(({ experiment }) => experiment)).toEqual(['2024_7_b', 'study'])
    const subjects = experiments.map(({ subject }) => subject)
    expect(subjects[0]).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(subjects[0]).not.toBe(subjects[1])
  })

  it('never put instances of two patients into one experiment, though the study UID is the same', async () => {
    await put('1', instance({ patientId: 'ONE' }))
    await put('2', instance({ patientId: 'TWO' }))
    const { experiments } = await planFolder(dir, { projectId })
    expect(experiments.map(({ subject }) => subject)).toEqual(['ONE', 'TWO'])
    expect(experiments[0]?.experiment).toMatch(/^A-[0-9a-f]{8}$/)
    expect(experiments[1]?.experiment).toMatch(/^A-[0-9a-f]{8}$/)
    expect(experiments[0]?.experiment).not.toBe(experiments[1]?.experiment)
  })

  it('shorten identifiers that are longer than DICOM allows, and still differ when only the lost end did', async () => {
    await put('1', instance({ study: '1', series: '1.1', patientId: `${'p'.repeat(200)}1` }))
    await put('2', instance({ study: '2', series: '2.1', patientId: `${'p'.repeat(200)}2` }))
    const { experiments } = await planFolder(dir, { projectId })
    const [first, second] = experiments.map(({ subject }) => subject)
    expect(first).toMatch(/^p{64}-[0-9a-f]{8}$/)
    expect(second).toMatch(/^p{64}-[0-9a-f]{8}$/)
    expect(first).not.toBe(second)
  })

  it('come from the study when there is no patient id, and from the series when it has no number', async () => {
    await put('1', instance({ patientId: '', seriesNumber: '', accessionNumber: '' }))
    const [key] = await keys()
    expect(key).toMatch(
      /^projects\/TOUR\/subjects\/subject-[0-9a-f]{8}\/experiments\/study\/scans\/series-[0-9a-f]{8}\/resources\/DICOM\/files\/1$/,
    )
  })

  it('tell two series of one number apart', async () => {
    await put('1', instance({ series: '1.1' }))
    await put('2', instance({ series: '1.2' }))
    const scans = (await keys()).map((key) => key.split('/')[7])
    expect(scans[0]).toMatch(/^1-[0-9a-f]{8}$/)
    expect(scans[1]).toMatch(/^1-[0-9a-f]{8}$/)
    expect(scans[0]).not.toBe(scans[1])
  })
})

describe('the type of an experiment', () => {
  it.each([
    { modalities: ['PT', 'CT', 'RTSTRUCT'], xsiType: 'xnat:petSessionData' },
    { modalities: ['MR', 'PT'], xsiType: 'xnat:petSessionData' },
    { modalities: ['SR', 'RTSTRUCT', 'MR'], xsiType: 'xnat:mrSessionData' },
    { modalities: ['RTSTRUCT'], xsiType: 'xnat:rtSessionData' },
    { modalities: ['DX', 'SR'], xsiType: 'xnat:dxSessionData' },
    { modalities: ['XA'], xsiType: 'xnat:xaSessionData' },
    { modalities: ['OT', 'SEG'], xsiType: 'xnat:otherDicomSessionData' },
    { modalities: [''], xsiType: 'xnat:otherDicomSessionData' },
  ])('of $modalities is $xsiType', async ({ modalities, xsiType }) => {
    for (const modality of modalities) await put(`${modality}-1`, instance({ series: `1.${modality}`, modality }))
    const { experiments, objects } = await planFolder(dir, { projectId })
    expect(experiments).toMatchObject([{ xsiType, fileCount: modalities.length }])
    for (const { metadata } of objects) expect(metadata).toEqual({ 'xsi-type': xsiType })
  })
})

describe('files that are not DICOM', () => {
  it('go to the project under their own paths, however unusual', async () => {
    const paths = [
      '.hidden',
      'notes & more/read me +1.txt',
      'notes & more/空 🩻.csv',
      'Ünïcode/50% done#2;a,b?.json',
      'back\\slash',
      'empty.dcm',
    ]
    for (const path of paths) await put(path, Buffer.from(path === 'empty.dcm' ? '' : `content of ${path}`))
    const plan = await planFolder(dir, { projectId })

    const keyPrefix = 'projects/TOUR/resources/FILES/files/'
    expect(plan.objects.map(({ key }) => key).sort()).toEqual(paths.map((path) => `${keyPrefix}${path}`).sort())
    expect(plan.objects.every(({ metadata }) => Object.keys(metadata).length === 0)).toBe(true)
    expect(plan.objects.find(({ key }) => key.endsWith('empty.dcm'))?.sizeBytes).toBe(0)
    expect(plan).toMatchObject({ experiments: [], otherFiles: 6, notDicom: 0 })
  })

  it('are counted apart when they begin as DICOM files do', async () => {
    await put('no-study.dcm', encodeDicomFile({ SOPClassUID: '1.2', SOPInstanceUID: '1.2.3', PatientID: 'PAT' }))
    await put('garbage.dcm', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(200, 0xff)]))
    await put('text.dcm', Buffer.from('no DICOM at all'))
    expect(await planFolder(dir, { projectId })).toMatchObject({ experiments: [], otherFiles: 3, notDicom: 2 })
  })

  it('do not include symbolic links, which are counted and left out', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'data-folder-outside-'))
    try {
      await writeFile(join(outside, 'secret.txt'), 'not part of the folder')
      await put('inside.txt', Buffer.from('part of the folder'))
      await symlink(outside, join(dir, 'folder-link'))
      await symlink(join(outside, 'secret.txt'), join(dir, 'file-link'))
      await symlink(dir, join(dir, 'loop'))
      const plan = await planFolder(dir, { projectId })
      expect(plan.objects.map(({ key }) => key)).toEqual(['projects/TOUR/resources/FILES/files/inside.txt'])
      expect(plan.skippedEntries).toBe(3)
    } finally {
      await rm(outside, { recursive: true })
    }
  })
})

describe('a folder that cannot be planned', () => {
  it('is named when it does not exist or is a file', async () => {
    await put('file', Buffer.from('x'))
    await expect(planFolder(join(dir, 'absent'), { projectId })).rejects.toThrow(
      `Cannot read the folder ${join(dir, 'absent')}: ENOENT`,
    )
    await expect(planFolder(join(dir, 'file'), { projectId })).rejects.toThrow(
      `Cannot read the folder ${join(dir, 'file')}: ENOTDIR`,
    )
  })

  it('is named when there is no file in it, only folders', async () => {
    await mkdir(join(dir, 'empty', 'deeper'), { recursive: true })
    await expect(planFolder(dir, { projectId })).rejects.toThrow(`There are no files in ${dir} or below`)
  })

  it('is told by the file that may not be read', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may read everything')
    await put('open/1.txt', Buffer.from('x'))
    await put('closed/1.txt', Buffer.from('x'))
    const closed = await open(join(dir, 'closed/1.txt'))
    await closed.chmod(0)
    await closed.close()
    await expect(planFolder(dir, { projectId })).rejects.toThrow(
      `Cannot read the file ${join(dir, 'closed/1.txt')}: EACCES`,
    )
  })

  it('is told by the file whose name is not UTF-8, since no key can name it', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux has such file names')
    const name = Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.of(0xe9), Buffer.from('.txt')])
    await writeFile(name, 'x')
    await expect(planFolder(dir, { projectId })).rejects.toThrow(`Cannot read the file ${dir}/caf\ufffd.txt: ENOENT`)
  })

  it('is told by the path that no S3 key can hold', async () => {
    const path = Array.from({ length: 6 }, () => 'n'.repeat(200)).join('/')
    await put(path, Buffer.from('x'))
    await expect(planFolder(dir, { projectId })).rejects.toThrow(`The path of ${join(dir, path)} is too long`)
  })
})

interface InstanceOptions {
  study?: string
  series?: string
  patientId?: string
  accessionNumber?: string
  seriesNumber?: string
  modality?: string
}

function instance(options: InstanceOptions): Buffer {
  const attributes: Dataset = {
    PatientID: options.patientId ?? 'PAT',
    AccessionNumber: options.accessionNumber ?? 'A',
    Modality: options.modality ?? 'MR',
    StudyInstanceUID: options.study ?? '1',
    SeriesInstanceUID: options.series ?? '1.1',
    SeriesNumber: options.seriesNumber ?? '1',
    PixelData: Buffer.alloc(64),
  }
  return encodeDicomFile({ ...attributes, SOPClassUID: '1.2.840.10008.5.1.4.1.1.4', SOPInstanceUID: '1.2.3' })
}

async function put(relativePath: string, bytes: Buffer): Promise<void> {
  const path = join(dir, relativePath)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
}

/** A sparse file: it takes no space on disk, and reading it whole would take minutes. */
async function enlarge(relativePath: string, sizeBytes: number): Promise<void> {
  const file = await open(join(dir, relativePath), 'r+')
  await file.truncate(sizeBytes)
  await file.close()
}

async function keys(): Promise<string[]> {
  const { objects } = await planFolder(dir, { projectId })
  return objects.map(({ key }) => key)
}

async function experimentLabels(): Promise<string[]> {
  const { experiments } = await planFolder(dir, { projectId })
  return experiments.map(({ experiment }) => experiment)
}
