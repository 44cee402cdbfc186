import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { tarCount } from '../../lib/delivery/tar-count.ts'
import { countZip } from '../../lib/delivery/zip-count.ts'
import { tarStream } from '../../lib/xnat/tar.ts'

const run = promisify(execFile)
const names = ['a.dcm', `${'long/'.repeat(60)}b.dcm`, 'ü 1/c', 'empty', 'd/e.dcm']
const unreadable = expect.objectContaining({ code: 'ARCHIVE_NOT_READABLE', retry: 'never' })

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'archive-count-'))
  for (const name of names) {
    await mkdir(join(dir, name, '..'), { recursive: true })
    await writeFile(join(dir, name), name === 'empty' ? '' : `content of ${name}`.repeat(100))
  }
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function countTar(archive: Buffer, format: 'tar' | 'tgz' = 'tar', chunkBytes = 700) {
  const counter = tarCount(format)
  for (let start = 0; start < archive.length; start += chunkBytes) {
    await counter.take(archive.subarray(start, start + chunkBytes))
  }
  return counter.end()
}

const rangeOf =
  (archive: Buffer) =>
  async ({ first, last }: { first: number; last: number }) =>
    Readable.from([archive.subarray(first, last + 1)])
const countOf = (archive: Buffer) => countZip(rangeOf(archive), archive.length)

async function zipOf(members: readonly string[], forceZip64Format = false): Promise<Buffer> {
  const zip = new ZipFile()
  for (const name of members) {
    if (name.endsWith('/')) zip.addEmptyDirectory(name)
    else zip.addBuffer(Buffer.from(`content of ${name}`), name, { forceZip64Format })
  }
  zip.end({ forceZip64Format, comment: 'made here' })
  return buffer(zip.outputStream)
}

async function tarOf(members: readonly string[]): Promise<Buffer> {
  const tar = pack()
  for (const name of members) tar.entry({ name, type: name.endsWith('/') ? 'directory' : 'file' }, 'content')
  tar.finalize()
  return buffer(tar)
}

describe('the files of a tar', () => {
  it.each(['gnu', 'pax', 'ustar'])('are counted as GNU tar wrote them: %s, folders left out', async (format) => {
    const members = format === 'ustar' ? names.filter((name) => name.length < 100) : names
    const { stdout } = await run('tar', ['-C', dir, `--format=${format}`, '-cf', '-', ...members], {
      encoding: 'buffer',
    })

    expect(await countTar(stdout)).toEqual({ files: members.length })
    expect(await countTar(gzipSync(stdout), 'tgz', 100)).toEqual({ files: members.length })
  })

  it.each([1, 511, 512, 513, 100_000])('are counted whatever the size of the chunks: %i', async (chunkBytes) => {
    const entries = names.map((path) => ({ path, sizeBytes: 1000 }))
    const archive = await buffer(tarStream(entries, async () => Readable.from([Buffer.alloc(1000)])))

    expect(await countTar(archive, 'tar', chunkBytes)).toEqual({ files: names.length })
  })

  it('are not taken for whole when the archive breaks off', async () => {
    const archive = await tarOf(['a', 'b'])

    await expect(countTar(archive.subarray(0, 600))).rejects.toEqual(unreadable)
    await expect(countTar(archive.subarray(0, 1024))).rejects.toEqual(unreadable)
    await expect(countTar(gzipSync(archive).subarray(0, 50), 'tgz')).rejects.toEqual(unreadable)
  })

  it('are not counted in what is no tar, or no gzip', async () => {
    await expect(countTar(Buffer.alloc(2000, 'x'))).rejects.toEqual(unreadable)
    await expect(countTar(Buffer.alloc(200_000, 'x'), 'tgz')).rejects.toEqual(unreadable)
  })

  it('are not counted when one of them is an archive, which XNAT would open', async () => {
    await expect(countTar(await tarOf(['a', 'b.zip']))).rejects.toEqual(unreadable)
    await expect(countTar(await tarOf([`${'long/'.repeat(60)}b.tar.gz`]))).rejects.toEqual(unreadable)
    await expect(countTar(gzipSync(await tarOf(['b.zip'])), 'tgz')).rejects.toEqual(unreadable)
  })
})

/** The header of an entry, without its body. */
async function headerOf(type: string, sizeBytes: number): Promise<Buffer> {
  const header = (await tarOf(['a'])).subarray(0, 512)
  header.write(sizeBytes.toString(8).padStart(11, '0'), 124)
  header.write(`${type}ustar`, 156)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

describe('a name without length before a file of a tar', () => {
  it.each(['x', 'L'])('does not keep the file in memory: type %s', async (type) => {
    const chunk = Buffer.alloc(1024 ** 2)
    const counter = tarCount('tar')
    await counter.take(Buffer.concat([await headerOf(type, 0), await headerOf('0', 64 * chunk.length)]))
    const before = process.memoryUsage().arrayBuffers

    for (let taken = 0; taken < 64; taken += 1) await counter.take(chunk)

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * chunk.length)
    await counter.take(Buffer.alloc(1024))
    expect(await counter.end()).toEqual({ files: 1 })
  })
})

describe('the files of a zip', () => {
  it.each([false, true])('are counted by its directory, folders left out (zip64: %s)', async (isZip64) => {
    expect(await countOf(await zipOf([...names, 'folder/'], isZip64))).toEqual({ files: names.length })
  })

  it('are none in an empty zip', async () => {
    expect(await countOf(await zipOf([]))).toEqual({ files: 0 })
  })

  it.each([
    ['no zip', () => Buffer.alloc(5000, 'x')],
    ['nothing', () => Buffer.alloc(0)],
  ])('are not counted in %s', async (_, make) => {
    await expect(countOf(make())).rejects.toEqual(unreadable)
  })

  it('are not counted when the zip is cut, or one of them is an archive', async () => {
    const whole = await zipOf(names)
    await expect(countOf(whole.subarray(0, -30))).rejects.toEqual(unreadable)
    await expect(countOf(whole.subarray(50))).rejects.toEqual(unreadable)
    await expect(countOf(await zipOf(['a', 'b.tgz']))).rejects.toEqual(unreadable)
  })
})

describe('whatever bytes there are', () => {
  it('are counted or refused, and neither hang nor end otherwise', async () => {
    const whole = { tar: await tarOf(['a', `${'long/'.repeat(60)}b`, 'c']), zip: await zipOf(names, true) }
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 })
    const damaged = (archive: Buffer, changes: readonly (readonly [number, number])[]) => {
      const bytes = Buffer.from(archive)
      for (const [at, value] of changes) bytes.writeUInt8(value, at % bytes.length)
      return bytes
    }
    const countedOrRefused = async (count: Promise<{ files: number }>) => {
      const outcome = await count.catch((error: unknown) => error)
      if (outcome instanceof Error) expect(outcome).toEqual(unreadable)
      else expect(outcome).toEqual({ files: expect.any(Number) })
    }
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        await countedOrRefused(countTar(damaged(whole.tar, changes)))
        await countedOrRefused(countTar(damaged(gzipSync(whole.tar), changes), 'tgz'))
        await countedOrRefused(countOf(damaged(whole.zip, changes)))
      }),
      { numRuns: 300 },
    )
  })
})
