import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openPromise as openZip } from 'yauzl'
import { ensureAssessor } from '../../lib/xnat/assessors.ts'
import { downloadArchiveFile, downloadFile } from '../../lib/xnat/download-file.ts'
import { downloadExperiment, downloadFolder } from '../../lib/xnat/download-folder.ts'
import type { Progress } from '../../lib/xnat/progress.ts'
import { listParentFiles, putFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import { uploadFolder } from '../../lib/xnat/upload-folder.ts'
import { zipEntries } from '../support/archive-bytes.ts'
import { bytes, misbehaveNext, startWithSession } from './stand-in.ts'

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xnat-downloads-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A session with files on itself, on its scan, and on an assessor (what it took in, and what it gave out). */
async function startWithFiles() {
  const started = await startWithSession()
  const { client, experimentId, scan, onSession } = started
  const { assessorId } = await ensureAssessor(client, {
    experimentId,
    label: 'QC1',
    xsiType: 'xnat:qcManualAssessorData',
  })
  const ofAssessor = (direction: 'in' | 'out'): ResourceRef => ({
    parent: { level: 'assessor', experimentId, assessorId, direction },
    resourceLabel: 'REPORT',
  })
  await putFile(client, scan, 'sub/1.dcm', bytes('one'))
  await putFile(client, onSession, 'n.txt', bytes('note'))
  await putFile(client, ofAssessor('in'), 'config.json', bytes('{}'))
  await putFile(client, ofAssessor('out'), 'report.txt', bytes('good'))
  return { ...started, ofAssessor }
}

it('downloads one file, tells how far it is, and replaces what was there', async () => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, 'sub/big.bin', bytes('x'.repeat(300_000)))
  const location = join(await temporaryFolder(), 'big.bin')
  await writeFile(location, 'older')
  const progress: Progress[] = []
  const onProgress = (step: Progress) => progress.push(step)
  expect(await downloadFile(client, scan, { path: 'sub/big.bin', location, onProgress })).toEqual({ bytes: 300_000 })
  expect(await readFile(location, 'utf8')).toBe('x'.repeat(300_000))
  expect(progress.length).toBeGreaterThan(1)
  expect(progress.at(-1)).toEqual({ doneBytes: 300_000, totalBytes: 300_000 })
})

it('leaves what was there when a download breaks off, and nothing beside it', async () => {
  const { xnat, client, scan } = await startWithSession()
  await putFile(client, scan, 'a.bin', bytes('x'.repeat(300_000)))
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'a.bin'), 'older')
  misbehaveNext(xnat, 'cut-during-reply', { when: { path: /a\.bin/ } })
  const download = downloadFile(client, scan, { path: 'a.bin', location: join(folder, 'a.bin') })
  await expect(download).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
  expect(await readdir(folder)).toEqual(['a.bin'])
  expect(await readFile(join(folder, 'a.bin'), 'utf8')).toBe('older')
})

it('says that a resource has no such file', async () => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, 'a.bin', bytes('x'))
  const download = downloadFile(client, scan, { path: 'b.bin', location: join(await temporaryFolder(), 'b.bin') })
  await expect(download).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it('downloads an archive to a file, and tells how far it is', async () => {
  const { client, experimentId } = await startWithFiles()
  const location = join(await temporaryFolder(), 'scans.zip')
  const steps: number[] = []
  const source = { kind: 'scans', experimentId, scanIds: 'all' } as const
  const told = await downloadArchiveFile(client, source, location, { onProgress: (doneBytes) => steps.push(doneBytes) })
  const zip = await openZip(location, { lazyEntries: true, autoClose: false })
  onTestFinished(() => zip.close())
  const names: string[] = []
  for await (const entry of zip.eachEntry()) names.push(entry.fileName)
  expect(names).toEqual(['MR1/scans/1/resources/DICOM/files/sub/1.dcm'])
  expect(told).toEqual({ bytes: zip.fileSize })
  expect(steps.at(-1)).toBe(zip.fileSize)
})

it('writes nothing of a resource with a name that no URL can carry, which an archive brings', async () => {
  const { client, scan } = await startWithSession()
  const sent = await temporaryFolder()
  await writeFile(join(sent, 'a.dcm'), 'one')
  await writeFile(join(sent, '100%;.dcm'), 'odd')
  await uploadFolder(client, scan, sent)
  const folder = await temporaryFolder()
  await expect(downloadFolder(client, scan, folder)).rejects.toMatchObject({ code: 'UNSAFE_PATH_VALUE' })
  expect(await readdir(folder)).toEqual([])
  await downloadArchiveFile(client, { kind: 'resource', ref: scan }, join(folder, 'all.zip'))
  const names = (await zipEntries(await readFile(join(folder, 'all.zip')))).map(({ name }) => name.split('/').at(-1))
  expect(names.sort()).toEqual(['100%;.dcm', 'a.dcm'])
})

it('downloads an experiment with its scans and what its assessors gave out', async () => {
  const { client, experimentId } = await startWithFiles()
  const folder = join(await temporaryFolder(), 'MR1')
  const progress: Progress[] = []
  const onProgress = (step: Progress) => progress.push(step)
  expect(await downloadExperiment(client, experimentId, folder, { onProgress })).toEqual({
    files: 3,
    bytes: 11,
    unlabelled: [],
  })
  expect(await readFile(join(folder, 'NOTES/n.txt'), 'utf8')).toBe('note')
  expect(await readFile(join(folder, 'scans/1/DICOM/sub/1.dcm'), 'utf8')).toBe('one')
  expect(await readFile(join(folder, 'assessors/QC1/REPORT/report.txt'), 'utf8')).toBe('good')
  expect(progress.at(-1)).toEqual({ doneBytes: 11, totalBytes: 11 })
  await expect(downloadExperiment(client, 'NONE', folder)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it('lists the files of all resources of a parent, what went in and what came out apart', async () => {
  const { client, experimentId, scan, ofAssessor } = await startWithFiles()
  await putFile(client, { ...scan, resourceLabel: 'NIFTI' }, '1.nii', bytes('nii'))
  const labelled = async (parent: ResourceRef['parent']) =>
    (await listParentFiles(client, parent)).map(({ resourceLabel, path }) => `${resourceLabel} ${path}`).sort()
  expect(await labelled(scan.parent)).toEqual(['DICOM sub/1.dcm', 'NIFTI 1.nii'])
  expect(await labelled({ level: 'experiment', experimentId })).toEqual(['NOTES n.txt'])
  expect(await labelled(ofAssessor('in').parent)).toEqual(['REPORT config.json'])
  expect(await labelled(ofAssessor('out').parent)).toEqual(['REPORT report.txt'])
})
