// A download that was asked for -> the files of a study in the image tree, proved against XNAT's catalog.
import { isDeepStrictEqual } from 'node:util'
import type { ObjectStore } from '../aws/objects.ts'
import { ImagesError } from '../errors.ts'
import {
  type DownloadOrder,
  type DownloadPlan,
  downloadJobs,
  findValidMarker,
  type Marker,
} from '../images/download.ts'
import { type ExpectedZip, expectedZips } from '../images/expected-files.ts'
import type { Tally } from '../images/job.ts'
import { type JobOutcome, type JobReport, runJob } from '../images/run-job.ts'
import { changeMark } from '../images/session-change.ts'
import { type StagedTree, stageTree } from '../images/staged-tree.ts'
import { findStudy } from '../images/study.ts'
import { folderPath, isSafePath, markerKey, partShape, treeTag } from '../images/tree.ts'
import type { XnatClient } from '../xnat/client.ts'
import { downloadArchive } from '../xnat/downloads.ts'
import { unzip } from '../xnat/unzip.ts'

export interface ExportDeps {
  xnat: XnatClient
  images: ObjectStore
  state: ObjectStore
  signal: AbortSignal
  freshMs: number
  now?: () => Date
}

/** With the waits between them they outlast two minutes of XNAT being away; a client that waits longer asks again. */
const tries = 5

/**
 * Does one download. XNAT's zip is unpacked as it flows; its files are in S3 before any of them is seen, and replace what
 * stood there only when all are as XNAT's catalog lists them. Then files of this part that XNAT no longer has go, and the
 * marker is written, last. Until then nothing of the tree is touched but a marker that is no longer valid.
 *
 * Safe to repeat, and to die at any point: while the new files take the places of the old ones no marker says that the
 * part is whole, and the next try begins anew.
 */
export async function exportImages(deps: ExportDeps, { downloadId, jobId }: DownloadOrder): Promise<JobOutcome> {
  return runJob({ ...deps, tries }, downloadJobs, { id: downloadId, jobId }, async ({ order }, report) => {
    const valid = order.isForced ? undefined : await findValidMarker(deps, order)
    if (valid !== undefined) return valid
    return download(deps, order, report)
  })
}

async function download(deps: ExportDeps, plan: DownloadPlan, report: JobReport): Promise<Tally> {
  const { images, state, signal, now = () => new Date() } = deps
  const { folder, part } = plan
  await images.remove(markerKey(folder, part))
  const { projectId, experiment } = await findStudy(deps, folder)
  const session = { projectId, experiment: experiment.label ?? folder.accession }
  const startedAt = now().toISOString()
  const mark = await changeMark({ state, signal }, session)

  const { zips, staged } = await stage(deps, experiment.experimentId, plan, report)
  const total = totalOf(zips)
  await staged.publish()
  await removeOthers(deps, plan, zips)
  const marker: Marker = { ...session, changeMark: mark, startedAt, ...total }
  await images.writeText(markerKey(folder, part), JSON.stringify(marker), {
    contentType: 'application/json',
    tag: treeTag,
    signal,
  })
  return total
}

interface Staged {
  zips: readonly ExpectedZip[]
  staged: StagedTree
}

/** How often a study may change while it is read before the queue is to wait a while. */
const readings = 3

async function stage(deps: ExportDeps, experimentId: string, plan: DownloadPlan, report: JobReport): Promise<Staged> {
  let zips = await expectedZips(deps, experimentId, plan.part)
  for (let reading = 1; ; reading += 1) {
    requirePossible(zips, folderPath(plan.folder))
    const staged = stageTree(deps)
    try {
      await stageZips(deps, { zips, staged }, { folder: folderPath(plan.folder), report })
      return { zips, staged }
    } catch (error) {
      await staged.discard()
      if (!(error instanceof ImagesError) || reading === readings) throw error
      // What does not fit may have changed since it was listed.
      const now = await expectedZips(deps, experimentId, plan.part)
      if (isDeepStrictEqual(now, zips)) throw error
      zips = now
    }
  }
}

/** What one function can bring in its time, with its list in memory. */
const limits = { bytes: 100 * 1024 ** 3, files: 200_000 }

function requirePossible(zips: readonly ExpectedZip[], folder: string): void {
  if (zips.length === 0) throw new ImagesError('XNAT has no such files', { code: 'IMAGES_NOT_FOUND' })
  const { files, bytes } = totalOf(zips)
  if (files > limits.files || bytes > limits.bytes) {
    throw new ImagesError('the study is too large', { code: 'IMAGES_TOO_LARGE', context: { files, bytes } })
  }
  if (!expectedFiles(zips).every(({ path }) => isSafePath(`${folder}/${path}`))) {
    throw unsafe()
  }
}

/** A file that XNAT may call by two names counts once. */
const expectedFiles = (zips: readonly ExpectedZip[]) => zips.flatMap(({ files }) => [...new Set(files.values())])

function totalOf(zips: readonly ExpectedZip[]): Tally {
  const files = expectedFiles(zips)
  return { files: files.length, bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}

async function stageZips(
  { xnat, signal }: ExportDeps,
  { zips, staged }: Staged,
  { folder, report }: { folder: string; report: JobReport },
): Promise<void> {
  const total = totalOf(zips)
  const done: Tally = { files: 0, bytes: 0 }
  for (const { source, files } of zips) {
    const missing = new Set(files.values())
    const fileOf = (name: string) => files.get(name.slice(name.indexOf('/') + 1))
    const { body } = await downloadArchive(xnat, source, { signal })
    const sizeOf = (name: string) => {
      if (!isSafePath(name)) throw unsafe()
      return fileOf(name)?.sizeBytes
    }
    for await (const member of unzip(body, { members: files.size + maxFolders, sizeOf })) {
      const expected = fileOf(member.name)
      if (expected === undefined || !missing.delete(expected)) throw differs()
      const taken = await staged.add(`${folder}/${expected.path}`, member.body, expected.sizeBytes)
      if (taken.sizeBytes !== expected.sizeBytes || taken.md5 !== (expected.md5 ?? taken.md5)) throw differs()
      done.files += 1
      done.bytes += taken.sizeBytes
      report.progress({ ...done }, total)
    }
    if (missing.size > 0) throw differs()
  }
}

const unsafe = () => new ImagesError('a file has a name that leads out of its folder', { code: 'IMAGES_UNSAFE' })
const differs = () => new ImagesError('XNAT sent other files than it lists', { code: 'IMAGES_DIFFER' })

/** XNAT packs no folders; what else may pass for one. */
const maxFolders = 1_000

/** Files of this part that stand in the tree from earlier, and that XNAT no longer has. */
async function removeOthers(
  { images, signal }: ExportDeps,
  { folder, part }: DownloadPlan,
  zips: readonly ExpectedZip[],
): Promise<void> {
  const home = `${folderPath(folder)}/`
  const present = new Set(expectedFiles(zips).map(({ path }) => path))
  const shape = partShape(part)
  for (let startAfter = home; ; ) {
    const { objects, isComplete } = await images.list(home, { startAfter, signal })
    const others = objects.filter(({ key }) => {
      const path = key.slice(home.length)
      return shape.test(path) && !present.has(path)
    })
    if (others.length > 0) await images.removeUnchanged(others, { signal })
    const last = objects.at(-1)
    if (isComplete || last === undefined) return
    startAfter = last.key
  }
}
