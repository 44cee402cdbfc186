import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { ArchiveEntry } from '../../lib/xnat/archive-entry.ts'
import { tarLength, tarStream } from '../../lib/xnat/tar.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

interface Source extends ArchiveEntry {
  content: Buffer
}

const source = (path: string, content: Buffer): Source => ({ path, sizeBytes: content.length, content })

async function archive(entries: Source[]): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  const open = async ({ content }: Source) =>
    (async function* () {
      yield content
    })()
  for await (const chunk of tarStream(entries, open)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function extractedByGnuTar(bytes: Buffer): Map<string, Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'tar-test-'))
  folders.push(folder)
  writeFileSync(join(folder, 'a.tar'), bytes)
  execFileSync('tar', ['-xf', '../a.tar', '--warning=no-timestamp'], { cwd: join(folder, mkdir(folder)) })
  const files = readdirSync(join(folder, 'out'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
  return new Map(
    files.map((f) => {
      const path = join(f.parentPath, f.name)
      return [relative(join(folder, 'out'), path), readFileSync(path)]
    }),
  )
}

function mkdir(folder: string): string {
  execFileSync('mkdir', ['out'], { cwd: folder })
  return 'out'
}

describe('the tar that carries files to XNAT', () => {
  it('is read by GNU tar: long, deep, spaced and non-ASCII names, empty files, odd sizes', async () => {
    const names = [
      'a.dcm',
      'sub/folder/b c.dcm',
      `long/${'x'.repeat(180)}.dcm`,
      `${'deep/'.repeat(60)}end.dcm`,
      'größe/磁共振/ñandú+1%.dcm',
      'n'.repeat(100),
      'n'.repeat(101),
      'quote\'"<&>.txt',
    ]
    const entries = names.map((name, index) =>
      source(name, Buffer.alloc([0, 1, 511, 512, 513, 1024, 5, 70_000][index] ?? 0, index)),
    )
    const bytes = await archive(entries)

    expect(bytes.length).toBe(tarLength(entries))
    const extracted = extractedByGnuTar(bytes)
    expect([...extracted.keys()].sort()).toEqual(names.toSorted())
    for (const entry of entries) expect(extracted.get(entry.path)?.equals(entry.content)).toBe(true)
  })

  it('has the announced length for any names and sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            path: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
            content: fc.uint8Array({ maxLength: 2000 }),
          }),
          { maxLength: 8 },
        ),
        async (files) => {
          const entries = files.map(({ path, content }) => source(path, Buffer.from(content)))
          expect((await archive(entries)).length).toBe(tarLength(entries))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('states sizes beyond 8 GiB in a pax record, in the announced length too', () => {
    const size = 12 * 1024 ** 3
    expect(tarLength([{ path: 'big', sizeBytes: size }])).toBe(512 + 512 + 512 + size + 1024)
    expect(tarLength([{ path: 'big', sizeBytes: 0o77777777777 }])).toBe(512 + 8 * 1024 ** 3 + 1024)
  })

  it('ends between two entries when one cannot be opened, so that nothing is emptied where it is unpacked', async () => {
    const chunks: Uint8Array[] = []
    const entries = [source('a', Buffer.from('a')), source('b', Buffer.from('b'))]
    const open = async ({ path, content }: Source) => {
      if (path === 'b') throw new Error('gone')
      return (async function* () {
        yield content
      })()
    }
    const read = async () => {
      for await (const chunk of tarStream(entries, open)) chunks.push(chunk)
    }
    await expect(read()).rejects.toThrow('gone')
    expect(Buffer.concat(chunks).length).toBe(1024)
  })

  it('sends small files in few pieces, since each piece is a system call', async () => {
    const entries = Array.from({ length: 1_000 }, (_, index) => source(`${index}.dcm`, Buffer.alloc(1024, index)))
    const pieces: Uint8Array[] = []
    const open = async ({ content }: Source) => Readable.from([content])
    for await (const piece of tarStream(entries, open)) pieces.push(piece)
    expect(pieces.length).toBeLessThan(100)
    expect(Buffer.concat(pieces)).toEqual(await archive(entries))
  })

  it('keeps no more than a piece of many empty files', async () => {
    const entries = Array.from({ length: 1_000 }, (_, index) => source(`${index}.dcm`, Buffer.alloc(0)))
    const sizes: number[] = []
    for await (const piece of tarStream(entries, async () => Readable.from([]))) sizes.push(piece.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(32 * 1024)
  })

  it.each([
    ['shorter', 9],
    ['longer', 11],
  ])('breaks off when a body is %s than announced', async (_, length) => {
    const entries = [{ ...source('a', Buffer.alloc(length)), sizeBytes: 10 }]
    await expect(archive(entries)).rejects.toMatchObject({ code: 'OBJECT_CHANGED' })
  })
})
