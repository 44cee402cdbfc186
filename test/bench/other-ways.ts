// The ways that bench delivery is held against: the limit, one PUT per file, and an archive packed on disk.
import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { readAhead } from '../../lib/delivery/read-ahead.ts'
import { sendFiles } from '../../lib/delivery/send-files.ts'
import { putArchive, putFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import type { BenchObject, BenchRig } from './delivery-rig.ts'

interface Way {
  rig: BenchRig
  name: string
  objects: readonly BenchObject[]
  experimentId: string
}

const resource = (experimentId: string, resourceLabel: string): ResourceRef => ({
  parent: { level: 'experiment', experimentId },
  resourceLabel,
})

/** All bytes from S3 into one file of XNAT, with nothing looked at, named or proved. */
export async function limit({ rig, name, objects, experimentId }: Way): Promise<void> {
  const bytes = async function* () {
    const open = (object: BenchObject) => rig.incoming.open(rig.keyOf(name, object))
    for await (const { opened } of readAhead(objects, { ahead: 16, open, discard: ({ body }) => body.destroy() })) {
      yield* opened.body
    }
  }
  const sizeBytes = objects.reduce((sum, object) => sum + object.sizeBytes, 0)
  const openBody = () => Readable.from(bytes(), { objectMode: false })
  await putFile(rig.xnat, resource(experimentId, 'RAW'), 'all.bin', { openBody, sizeBytes })
}

/** One PUT per file; each worker has a resource of its own, since XNAT's catalog takes one writer at a time. */
export async function onePutPerFile(way: Way, workers: number): Promise<void> {
  const { rig, name, objects, experimentId } = way
  const waiting = [...objects]
  const work = async (worker: number) => {
    for (let object = waiting.shift(); object !== undefined; object = waiting.shift()) {
      const { body } = await rig.incoming.open(rig.keyOf(name, object))
      const source = { openBody: () => body, sizeBytes: object.sizeBytes }
      await putFile(rig.xnat, resource(experimentId, `R${worker}`), object.path, source)
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker + 1)).map((each) => each))
}

/** All files in one tar that is made as it flows, as a delivery sends several. */
export async function oneTar({ rig, name, objects, experimentId }: Way): Promise<void> {
  const deps = { xnat: rig.xnat, incoming: rig.incoming, signal: AbortSignal.timeout(900_000) }
  await sendFiles(deps, resource(experimentId, 'TAR'), { keyPrefix: `${name}/`, objects })
}

/** Downloads to disk, packs with gzip -9, and sends the archive, as xnatpy and xnat-ingest do. */
export async function packedOnDisk({ rig, name, objects, experimentId }: Way): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-packed-'))
  try {
    await mkdir(join(folder, 'files'))
    for (const object of objects) {
      const { body } = await rig.incoming.open(rig.keyOf(name, object))
      await pipeline(body, createWriteStream(join(folder, 'files', object.path)))
    }
    const archive = join(folder, 'all.tgz')
    await promisify(execFile)('tar', ['-C', join(folder, 'files'), '-I', 'gzip -9', '-cf', archive, '.'])
    const source = {
      format: 'tgz',
      openBody: () => createReadStream(archive),
      sizeBytes: (await stat(archive)).size,
    } as const
    await putArchive(rig.xnat, resource(experimentId, 'PACKED'), source)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
