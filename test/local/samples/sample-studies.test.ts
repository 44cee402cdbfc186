import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import dicomParser, { type DataSet } from 'dicom-parser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sampleStudies, writeSampleStudies } from '../../../infra/local/sample-studies.ts'

let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sample-studies-'))
})

afterEach(() => rm(dir, { recursive: true }))

describe('sample studies', () => {
  it('are an MR of three series, a CT of two and a CR of one', () => {
    const counts = new Map<string, number>()
    for (const image of readImages()) {
      const series = `${image.string('x00100020')} ${image.string('x00080060')} ${image.intString('x00200011')}`
      counts.set(series, (counts.get(series) ?? 0) + 1)
    }
    expect(Object.fromEntries(counts)).toEqual({
      'SAMPLE-0001 MR 1': 3,
      'SAMPLE-0001 MR 2': 8,
      'SAMPLE-0001 MR 3': 8,
      'SAMPLE-0002 CT 1': 8,
      'SAMPLE-0002 CT 2': 8,
      'SAMPLE-0003 CR 1': 1,
    })
  })

  it('have one study, and one UID for it, per patient and accession number', () => {
    const studies = readImages().map((image) =>
      ['x0020000d', 'x00100010', 'x00100020', 'x00080050'].map((tag) => image.string(tag)),
    )
    const distinct = [...new Set(studies.map((study) => study.join(' ')))]
    expect(distinct.map((study) => study.replace(/^2\.25\.\d+ /, ''))).toEqual([
      'SAMPLE^ONE SAMPLE-0001 SAMPLE-A0001',
      'SAMPLE^TWO SAMPLE-0002 SAMPLE-A0002',
      'SAMPLE^THREE SAMPLE-0003 SAMPLE-A0003',
    ])
  })

  it('name every instance by a valid UID of its own that no registered root can collide with', () => {
    const uids = readImages().map((image) => image.string('x00080018') ?? '')
    expect(new Set(uids).size).toBe(36)
    for (const uid of uids) {
      expect(uid).toMatch(/^2\.25\.[1-9]\d*$/)
      expect(uid.length).toBeLessThanOrEqual(64)
    }
  })

  it('repeat SOP class and instance in the file meta information', () => {
    for (const image of readImages()) {
      expect(image.string('x00020002')).toBe(image.string('x00080016'))
      expect(image.string('x00020003')).toBe(image.string('x00080018'))
      expect(image.string('x00020010')).toBe('1.2.840.10008.1.2.1')
    }
  })

  it('show another picture in every slice of a series', () => {
    const t1Slices = readImages().filter((image) => image.string('x0008103e') === 'T1 axial')
    const pictures = t1Slices.map((image) => pixelsOf(image).toString('base64'))
    expect(new Set(pictures).size).toBe(8)
    for (const image of t1Slices) {
      expect(pixelsOf(image).length).toBe(2 * 64 * 64)
      expect(new Set(pixelsOf(image)).size).toBeGreaterThan(3)
    }
  })

  it('lie in the patient where their pictures say, in one frame of reference', () => {
    const ct = readImages().filter((image) => image.string('x0008103e') === 'Chest lung')
    expect(ct.map((image) => image.floatString('x00200032', 2))).toEqual([-105, -75, -45, -15, 15, 45, 75, 105])
    expect(new Set(ct.map((image) => image.string('x00200052'))).size).toBe(1)

    const middle = ct[3]!
    const offsetHounsfield = middle.floatString('x00281052')!
    const atMillimetres = (x: number, y: number) => {
      const column = Math.round((x - middle.floatString('x00200032', 0)!) / middle.floatString('x00280030', 1)!)
      const row = Math.round((y - middle.floatString('x00200032', 1)!) / middle.floatString('x00280030', 0)!)
      return pixelsOf(middle).readUInt16LE(2 * (row * 64 + column)) + offsetHounsfield
    }
    expect(atMillimetres(0, 75)).toBe(600)
    expect(atMillimetres(100, 0)).toBe(-850)
    expect(atMillimetres(-180, -180)).toBe(-1000)
  })

  it('are the same bytes for the same seed, and other instances of the same patients for another', () => {
    expect([...sampleStudies({ seed: 1 })]).toEqual([...sampleStudies()])
    const [first, second] = [readImages(1), readImages(2)]
    for (const [index, image] of first.entries()) {
      expect(second[index]?.string('x00080018')).not.toBe(image.string('x00080018'))
      expect(second[index]?.string('x0020000d')).not.toBe(image.string('x0020000d'))
      expect(second[index]?.string('x00100020')).toBe(image.string('x00100020'))
    }
  })

  it('are written to a folder, once, however often that is done', async () => {
    await writeSampleStudies(join(dir, 'new', 'folder'))
    await writeSampleStudies(join(dir, 'new', 'folder'))
    const files = [...sampleStudies()]
    for (const { relativePath, bytes } of files) {
      expect(bytes.equals(await readFile(join(dir, 'new', 'folder', relativePath)))).toBe(true)
    }
    expect(await filesBelow(dir)).toHaveLength(files.length)
  })
})

describe('sample studies, judged by tools of others', () => {
  it('are DICOM files to dcmtk, readable to the last element', async ({ skip }) => {
    skip(!isInstalled('dcmdump'), 'dcmdump is not installed (Debian: dcmtk)')
    await writeSampleStudies(dir)
    for (const path of await filesBelow(dir)) {
      expect(execFileSync('dcmftest', [path], { encoding: 'utf8' })).toMatch(/^yes: /)
      const dump = spawnSync('dcmdump', ['+P', 'PixelData', path], { encoding: 'utf8' })
      expect(dump.stderr).toBe('')
      expect(dump.stdout).toMatch(/^\(7fe0,0010\) OW /)
    }
  })

  it('break no rule of their object definitions that dciodvfy knows', async ({ skip }) => {
    skip(!isInstalled('dciodvfy'), 'dciodvfy is not installed (Debian: dicom3tools)')
    await writeSampleStudies(dir)
    for (const path of await filesBelow(dir)) {
      const { stderr, stdout } = spawnSync('dciodvfy', [path], { encoding: 'utf8' })
      expect(`${stdout}${stderr}`).toMatch(/^(MR|CT|CR)Image\n$/)
    }
  })
})

function readImages(seed?: number): DataSet[] {
  const files = [...sampleStudies(seed === undefined ? {} : { seed })]
  return files.map(({ bytes }) => dicomParser.parseDicom(bytes))
}

function pixelsOf(image: DataSet): Buffer {
  const { dataOffset, length } = image.elements['x7fe00010']!
  return Buffer.from(image.byteArray.subarray(dataOffset, dataOffset + length))
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined
}
