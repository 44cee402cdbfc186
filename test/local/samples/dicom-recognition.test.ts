import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planFolder } from '../../../infra/local/data-folder.ts'
import { sampleStudies } from '../../../infra/local/sample-studies.ts'

let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dicom-recognition-'))
})

afterEach(() => rm(dir, { recursive: true }))

describe('DICOM is recognised', () => {
  it.each([
    { form: 'explicit little endian without meta information', bytes: () => dataset(explicit) },
    { form: 'implicit little endian without meta information', bytes: () => dataset(implicit) },
    { form: 'implicit little endian', bytes: () => part10('1.2.840.10008.1.2', dataset(implicit)) },
    { form: 'explicit big endian', bytes: () => part10('1.2.840.10008.1.2.2', dataset(bigEndian)) },
    { form: 'deflated', bytes: () => part10('1.2.840.10008.1.2.1.99', deflateRawSync(dataset(explicit))) },
  ])('in $form', async ({ bytes }) => {
    await writeFile(join(dir, 'file'), bytes())
    expect(await plannedKeys()).toEqual([expectedKey])
  })

  it('when it is deflated and longer than what is read of it', async () => {
    const pixels = explicit(0x7fe00010, 'OW', Buffer.alloc(17 * 2 ** 20))
    const deflated = deflateRawSync(dataset(explicit, [pixels]), { level: 0 })
    await writeFile(join(dir, 'file'), part10('1.2.840.10008.1.2.1.99', deflated))
    expect(await plannedKeys()).toEqual([expectedKey])
  })

  it.each([{ sizeBytes: 60_000 }, { sizeBytes: 65_300 }, { sizeBytes: 200_000 }, { sizeBytes: 3_000_000 }])(
    'though $sizeBytes bytes stand before the study',
    async ({ sizeBytes }) => {
      const bulk = explicit(0x00091010, 'OB', Buffer.alloc(sizeBytes))
      await writeFile(join(dir, 'file'), part10('1.2.840.10008.1.2.1', dataset(explicit, [bulk])))
      expect(await plannedKeys()).toEqual([expectedKey])
    },
  )

  it('at whatever byte of its header the part that is read first ends', async () => {
    const header = part10('1.2.840.10008.1.2.1', dataset(explicit)).length
    for (let shift = 0; shift <= header; shift += 2) {
      const bulk = explicit(0x00091010, 'OB', Buffer.alloc(65_536 - 12 - shift))
      const tail = explicit(0x7fe00010, 'OW', Buffer.alloc(5000))
      await writeFile(join(dir, 'file'), part10('1.2.840.10008.1.2.1', dataset(explicit, [bulk, tail])))
      expect(await plannedKeys()).toEqual([expectedKey])
    }
  })

  it('when the file ends in the middle of its pixels', async () => {
    const { bytes } = [...sampleStudies()][0]!
    await writeFile(join(dir, 'whole'), bytes)
    await writeFile(join(dir, 'cut-off'), bytes.subarray(0, bytes.length - 1000))
    const { experiments, otherFiles } = await planFolder(dir, { projectId: 'P' })
    expect(experiments).toMatchObject([{ subject: 'SAMPLE-0001', fileCount: 2 }])
    expect(otherFiles).toBe(0)
  })

  it('only up to where the file ends: without a series it is no part of a study', async () => {
    const { bytes } = [...sampleStudies()][0]!
    await writeFile(join(dir, 'cut-off'), bytes.subarray(0, 500))
    expect(await planFolder(dir, { projectId: 'P' })).toMatchObject({ experiments: [], otherFiles: 1, notDicom: 1 })
  })
})

describe('real de-identified files', () => {
  const realData = resolve(import.meta.dirname, '../../../../shared/data/dicom')

  it('are all planned, the malformed ones too, each under a key of its own', async ({ skip }) => {
    skip(!existsSync(realData), `no sample data in ${realData}`)
    const plan = await planFolder(realData, { projectId: 'P' })
    expect(plan.objects).toHaveLength(36)
    expect(new Set(plan.objects.map(({ key }) => key)).size).toBe(36)
    const malformed = plan.objects.filter(({ sourcePath }) => sourcePath.includes('/malformed/'))
    expect(malformed.map(({ key }) => key).sort()).toEqual([
      'projects/P/resources/FILES/files/malformed/no_meta.dcm',
      'projects/P/subjects/4MR1/experiments/4MR1/scans/1/resources/DICOM/files/MR_truncated.dcm',
      'projects/P/subjects/id11111/experiments/S1/scans/1/resources/DICOM/files/badVR.dcm',
    ])
  })

  it('are sorted by study where one folder mixes studies and studies share an accession number', async ({ skip }) => {
    skip(!existsSync(realData), `no sample data in ${realData}`)
    const { experiments } = await planFolder(join(realData, 'studies'), { projectId: 'P' })
    const counted = experiments.map(({ subject, experiment, xsiType, fileCount }) => {
      const isSuffixed = /^2-[0-9a-f]{8}$/.test(experiment)
      return `${subject} ${isSuffixed ? '2-#' : experiment} ${xsiType} ${fileCount}`
    })
    expect(counted.sort()).toEqual([
      '77654033 2-# xnat:crSessionData 3',
      '77654033 2-# xnat:ctSessionData 4',
      '98890234 134 xnat:mrSessionData 4',
      '98890234 2-# xnat:ctSessionData 7',
      '98890234 2-# xnat:mrSessionData 11',
      '98890234 428 xnat:mrSessionData 2',
    ])
    expect(new Set(experiments.map(({ experiment }) => experiment)).size).toBe(6)
  })
})

const expectedKey = 'projects/P/subjects/PAT/experiments/ACC/scans/7/resources/DICOM/files/file'

async function plannedKeys(): Promise<string[]> {
  const { objects } = await planFolder(dir, { projectId: 'P' })
  return objects.map(({ key }) => key)
}

type Encode = (tag: number, vr: string, value: Buffer) => Buffer

/** The few elements that place an instance, in the order of their tags, with others put where their tags belong. */
function dataset(encode: Encode, others: readonly Buffer[] = []): Buffer {
  const text = (tag: number, vr: string, value: string) =>
    encode(tag, vr, Buffer.from(value.length % 2 === 0 ? value : `${value}${vr === 'UI' ? '\0' : ' '}`))
  const elements = [
    text(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'),
    text(0x00080050, 'SH', 'ACC'),
    text(0x00080060, 'CS', 'CT'),
    ...others.filter((element) => element.readUInt16LE(0) === 0x0009),
    text(0x00100020, 'LO', 'PAT'),
    text(0x0020000d, 'UI', '1.2.3'),
    text(0x0020000e, 'UI', '1.2.3.4'),
    text(0x00200011, 'IS', '7'),
    ...others.filter((element) => element.readUInt16LE(0) === 0x7fe0),
  ]
  return Buffer.concat(elements)
}

function explicit(tag: number, vr: string, value: Buffer): Buffer {
  const isLong = vr === 'OB' || vr === 'OW'
  const header = Buffer.alloc(isLong ? 12 : 8)
  header.writeUInt16LE(tag >>> 16, 0)
  header.writeUInt16LE(tag & 0xffff, 2)
  header.write(vr, 4)
  if (isLong) header.writeUInt32LE(value.length, 8)
  else header.writeUInt16LE(value.length, 6)
  return Buffer.concat([header, value])
}

function implicit(tag: number, _vr: string, value: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16LE(tag >>> 16, 0)
  header.writeUInt16LE(tag & 0xffff, 2)
  header.writeUInt32LE(value.length, 4)
  return Buffer.concat([header, value])
}

function bigEndian(tag: number, vr: string, value: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(tag, 0)
  header.write(vr, 4)
  header.writeUInt16BE(value.length, 6)
  return Buffer.concat([header, value])
}

function part10(transferSyntaxUid: string, encodedDataset: Buffer): Buffer {
  const padded = transferSyntaxUid.length % 2 === 0 ? transferSyntaxUid : `${transferSyntaxUid}\0`
  const meta = explicit(0x00020010, 'UI', Buffer.from(padded))
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta, encodedDataset])
}
