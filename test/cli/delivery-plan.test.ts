import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { maxFileBytes } from '../../functions/cli/deliver/content.ts'
import { listFolder } from '../../functions/cli/deliver/folder.ts'
import { planDelivery } from '../../functions/cli/deliver/plan.ts'

const file = (name: string, sizeBytes = 1) => ({ name, location: `/files/${name}`, sizeBytes })
const keysOf = (to: string, ...names: string[]) =>
  planDelivery(
    to,
    names.map((name) => file(name)),
  ).files.map(({ key }) => key)

describe('a planned delivery', () => {
  it.each(['projects/P1/resources/R/files', 'projects/P1/resources/R/files/'])(
    'puts the names of the files behind the prefix: %s',
    (to) => {
      expect(keysOf(to, 'a.txt', 'b/c.txt')).toEqual([
        'projects/P1/resources/R/files/a.txt',
        'projects/P1/resources/R/files/b/c.txt',
      ])
    },
  )

  it('takes a folder that is laid out as the keys are', () => {
    expect(keysOf('projects/hub:h1', 'resources/R/files/a', 'subjects/S/experiments/E/dicom/b.zip')).toEqual([
      'projects/hub:h1/resources/R/files/a',
      'projects/hub:h1/subjects/S/experiments/E/dicom/b.zip',
    ])
  })

  it('tells every file that cannot be delivered, by what is wrong with it', () => {
    const names = ['1', '2', '3', '4', '5', '6'].map((n) => `${n}_catalog.xml`)

    const plan = () =>
      planDelivery(
        'projects/P1/resources/R/files/',
        [...names, 'a.txt', 'b\\c'].map((name) => file(name)),
      )

    expect(plan).toThrow(
      /_catalog\.xml, which XNAT keeps for itself\.\n( {2}\d_catalog\.xml\n){5} {2}and 1 more\n.*backslash\.\n {2}b\\c$/s,
    )
  })

  it.each([
    ['no files', 'projects/P1/resources/R/files/', [], /no files to send/],
    ['no project', 'projects', [file('a')], /has to name a project/],
    ['a key that is too long', 'projects/P1/resources/R/files/', [file('ä'.repeat(500))], /more bytes than S3 takes/],
    ['a file that is too large', 'projects/P1/resources/R/files/', [file('a', maxFileBytes + 1)], /larger/],
    ['a marker below', 'projects/P1/subjects/S/experiments/E/dicom/', [file('a/_SUCCESS')], /a delivery of its own/],
  ])('is refused with %s', (_, to, files, words) => {
    expect(() => planDelivery(to, files)).toThrow(words)
  })
})

describe('the marker of loose DICOM', () => {
  const session = 'projects/P1/subjects/S/experiments/E/dicom/'
  const markers = (to: string, ...names: string[]) =>
    planDelivery(
      to,
      names.map((name) => file(name)),
    ).files.map(({ path, marker }) => [path, marker?.key])

  it('lies where the session begins, above all of its files', () => {
    expect(markers(session, 'a/1', '2')).toEqual([
      ['a/1', `${session}_SUCCESS`],
      ['2', `${session}_SUCCESS`],
    ])
    expect(markers('projects/P1/subjects/S', 'experiments/E/dicom/1')).toEqual([['1', `${session}_SUCCESS`]])
  })

  it('lies in the folder that the prefix names, so that no other files are taken along', () => {
    expect(markers(`${session}second/`, 'a/1')).toEqual([['a/1', `${session}second/_SUCCESS`]])
  })

  it('is not taken from the folder, and archives need none', () => {
    expect(markers(session, '1', '_SUCCESS', 'b.tgz')).toEqual([
      ['1', `${session}_SUCCESS`],
      ['b.tgz', undefined],
    ])
  })
})

describe('the files of a folder', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'folder-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('are those of all folders below it, links to files among them', async () => {
    await mkdir(join(folder, 'b'))
    await writeFile(join(folder, 'b/2.txt'), 'two')
    await writeFile(join(folder, 'z'), '')
    await symlink('b/2.txt', join(folder, 'a'))

    expect(await listFolder(folder)).toEqual([
      { name: 'a', location: join(folder, 'a'), sizeBytes: 3 },
      { name: 'b/2.txt', location: join(folder, 'b/2.txt'), sizeBytes: 3 },
      { name: 'z', location: join(folder, 'z'), sizeBytes: 0 },
    ])
  })

  it.each([
    ['to nothing', 'missing', /a cannot be read: ENOENT/],
    ['to a folder', '.', /a is neither a file nor a folder/],
  ])('are not sent when a link %s is among them', async (_, target, words) => {
    await symlink(target, join(folder, 'a'))

    await expect(listFolder(folder)).rejects.toThrow(words)
  })

  it('cannot be told of a folder that is not there', async () => {
    await expect(listFolder(join(folder, 'missing'))).rejects.toThrow(/missing cannot be read: ENOENT/)
  })
})
