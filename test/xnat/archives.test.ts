import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, gzipSync } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { expect, it } from 'vitest'
import { fromBufferPromise } from 'yauzl'
import yazl from 'yazl'
import { ensureScan } from '../../lib/xnat/archive.ts'
import { type DownloadSource, downloadArchive } from '../../lib/xnat/downloads.ts'
import { listFiles, openFile, putArchive, putFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import { bytes, startWithSession, textOf } from './stand-in.ts'

const names = ['1.dcm', 'sub/2.dcm', 'sub/empty.dcm', 'é ü#%41;.dcm']
const contentOf = (name: string) => (name.includes('empty') ? '' : `content of ${name}`)

async function tarOf(paths: readonly string[]): Promise<Buffer> {
  const archive = pack()
  for (const path of paths) archive.entry({ name: path }, contentOf(path))
  archive.finalize()
  return collect(archive)
}

async function zipOf(paths: readonly string[]): Promise<Buffer> {
  const archive = new yazl.ZipFile()
  for (const path of paths) archive.addBuffer(Buffer.from(contentOf(path)), path, { compress: false })
  archive.end()
  return collect(archive.outputStream)
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}

it.each([
  ['tar', tarOf],
  ['tgz', async (paths: readonly string[]) => gzipSync(await tarOf(paths))],
  ['zip', zipOf],
] as const)('unpacks a %s with names kept exactly, empty files too', async (format, make) => {
  const { client, scan } = await startWithSession()
  const archive = await make(names)
  expect(await putArchive(client, scan, { format, ...bytes(archive) })).toEqual({ kind: 'stored' })
  const listed = await listFiles(client, scan)
  expect(new Map(listed.map(({ path, sizeBytes }) => [path, sizeBytes]))).toEqual(
    new Map(names.map((name) => [name, Buffer.byteLength(contentOf(name))])),
  )
  expect(await textOf((await openFile(client, scan, 'sub/2.dcm')).body)).toBe('content of sub/2.dcm')
})

it('tells which files of an archive were there, and stores the others', async () => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, 'sub/2.dcm', bytes('older'))
  const source = { format: 'tar', ...bytes(await tarOf(['1.dcm', 'sub/2.dcm'])) } as const
  expect(await putArchive(client, scan, source)).toEqual({ kind: 'duplicates', paths: ['sub/2.dcm'] })
  expect(await textOf((await openFile(client, scan, 'sub/2.dcm')).body)).toBe('older')
  expect(await putArchive(client, scan, source, { overwrite: true })).toEqual({ kind: 'stored' })
  expect(await textOf((await openFile(client, scan, 'sub/2.dcm')).body)).toBe('content of sub/2.dcm')
})

async function members(format: 'zip' | 'tar' | 'tgz', body: Readable): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  if (format === 'zip') {
    const zip = await fromBufferPromise(await collect(body))
    for await (const entry of zip.eachEntry()) {
      found[entry.fileName] = (await collect(await zip.openReadStreamPromise(entry))).toString()
    }
    return found
  }
  const unpack = extract()
  const sending = format === 'tgz' ? pipeline(body, createGunzip(), unpack) : pipeline(body, unpack)
  for await (const entry of unpack) found[entry.header.name] = (await collect(entry)).toString()
  await sending
  return found
}

it.each(['zip', 'tar', 'tgz'] as const)('downloads a resource as %s', async (format) => {
  const { client, scan } = await startWithSession()
  await putFile(client, scan, '1.dcm', bytes('one'))
  await putFile(client, scan, 'sub/2.dcm', bytes('two'))
  const { body, sizeBytes } = await downloadArchive(client, { kind: 'resource', ref: scan }, { format })
  expect(sizeBytes).toBe(undefined)
  expect(await members(format, body)).toEqual({
    'MR1/scans/1/resources/DICOM/files/1.dcm': 'one',
    'MR1/scans/1/resources/DICOM/files/sub/2.dcm': 'two',
  })
})

it('downloads all scans, some scans, one kind of resource, or a whole session', async () => {
  const { client, experimentId, scan, onSession } = await startWithSession()
  const scan2: ResourceRef = { parent: { level: 'scan', experimentId, scanId: '2' }, resourceLabel: 'NIFTI' }
  await ensureScan(client, { experimentId, scanId: '2', xsiType: 'xnat:mrScanData' })
  await putFile(client, scan, '1.dcm', bytes('one'))
  await putFile(client, scan2, '2.nii', bytes('two'))
  await putFile(client, onSession, 'n.txt', bytes('note'))
  const dicom = 'MR1/scans/1/resources/DICOM/files/1.dcm'
  const nifti = 'MR1/scans/2/resources/NIFTI/files/2.nii'
  const note = 'MR1/resources/NOTES/files/n.txt'
  const wanted: [DownloadSource, string[]][] = [
    [{ kind: 'scans', experimentId, scanIds: 'all' }, [dicom, nifti]],
    [{ kind: 'scans', experimentId, scanIds: ['2'] }, [nifti]],
    [{ kind: 'scans', experimentId, scanIds: ['1', '2'], resourceLabel: 'DICOM' }, [dicom]],
    [{ kind: 'parent', parent: { level: 'experiment', experimentId } }, [note]],
  ]
  for (const [source, paths] of wanted) {
    const { body } = await downloadArchive(client, source)
    expect(Object.keys(await members('zip', body)).sort()).toEqual(paths)
  }
})

it('says that there is nothing to download', async () => {
  const { client, scan } = await startWithSession()
  await expect(downloadArchive(client, { kind: 'resource', ref: scan })).rejects.toMatchObject({
    code: 'XNAT_NOT_FOUND',
  })
})

it.each([[[]], [['1', 'ALL']], [['1,2']], [['*']]])('refuses %j as a list of scans', async (scanIds) => {
  const { client, experimentId } = await startWithSession()
  const source: DownloadSource = { kind: 'scans', experimentId, scanIds }
  await expect(downloadArchive(client, source)).rejects.toMatchObject({ code: 'UNSAFE_PATH_VALUE' })
})

it('uploads what it reads as it reads it: memory does not grow with the file', async () => {
  const { client, scan } = await startWithSession()
  const size = 512 * 1024 * 1024
  let peak = 0
  const chunk = Buffer.alloc(256 * 1024)
  const source = {
    sizeBytes: size,
    openBody: () =>
      Readable.from(
        (function* () {
          for (let left = size; left > 0; left -= chunk.length) {
            peak = Math.max(peak, process.memoryUsage().arrayBuffers)
            yield chunk
          }
        })(),
      ),
  }
  const before = process.memoryUsage().arrayBuffers
  expect(await putFile(client, scan, 'big.bin', source)).toEqual({ kind: 'stored' })
  expect(await listFiles(client, scan)).toMatchObject([{ sizeBytes: size }])
  expect(peak - before).toBeLessThan(128 * 1024 * 1024)
})
