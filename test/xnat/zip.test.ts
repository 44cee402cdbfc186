import { execFileSync, spawnSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { fromRandomAccessReaderPromise, openPromise as openZip, RandomAccessReader } from 'yauzl'
import type { ArchiveEntry } from '../../lib/xnat/archive-entry.ts'
import { zipLength, zipStream } from '../../lib/xnat/zip.ts'

interface Source extends ArchiveEntry {
  content: Buffer
}

const source = (path: string, content: Buffer): Source => ({ path, sizeBytes: content.length, content })

/** Hands the content over in pieces, as a disk or a socket would. */
async function open({ content }: Source): Promise<AsyncIterable<Uint8Array>> {
  return (async function* () {
    for (let at = 0; at < content.length; at += 40_000) yield content.subarray(at, at + 40_000)
  })()
}

async function written(entries: readonly Source[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zip-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'a.zip')
  await pipeline(zipStream(entries, open), createWriteStream(file))
  return file
}

const names = [
  'a.dcm',
  'sub/folder/b c.dcm',
  `long/${'x'.repeat(180)}.dcm`,
  `${'deep/'.repeat(60)}end.dcm`,
  'größe/磁共振/ñandú+1%.dcm',
  'quote\'"<&>.txt',
  'blocks.bin',
  'exact.bin',
]
const sizes = [0, 1, 511, 70_000, 5, 1024, 200_001, 2 * 65_535]
const entries = names.map((name, index) => source(name, Buffer.alloc(sizes[index] ?? 0, index + 1)))
const facts = entries.map(({ path, sizeBytes, content }) => [path, sizeBytes, content.at(-1) ?? 0])

it('is as long as announced and read by yauzl', async () => {
  const zip = await openZip(await written(entries), { lazyEntries: true, autoClose: false })
  onTestFinished(() => zip.close())
  const read: Source[] = []
  for await (const entry of zip.eachEntry()) {
    const content = Buffer.concat(await (await zip.openReadStreamPromise(entry)).toArray())
    read.push(source(entry.fileName, content))
  }
  expect(read).toEqual(entries)
  expect(zip.fileSize).toBe(zipLength(entries))
})

const isThere = (program: string, args: string[]) => spawnSync(program, args).status === 0

it.skipIf(!isThere('unzip', ['-v']))('is found whole by unzip (skipped without unzip)', async () => {
  const file = await written(entries)
  expect(execFileSync('unzip', ['-t', file], { encoding: 'utf8' })).toContain('No errors detected')
})

const readByPython = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    last = lambda content: content[-1] if content else 0
    print(json.dumps([[each.filename, each.file_size, last(archive.read(each))] for each in archive.infolist()]))
`

it.skipIf(!isThere('python3', ['--version']))('is read by Python (skipped without python3)', async () => {
  const told = execFileSync('python3', ['-c', readByPython, await written(entries)], { encoding: 'utf8' })
  expect(JSON.parse(told)).toEqual(facts)
})

// XNAT: reads archives with this class, from beginning to end as they arrive (XDAT/xft/utils/zip/ZipUtils.java).
const readByJava = `
import java.io.*; import java.util.zip.*;
public class Read {
  public static void main(String[] args) throws IOException {
    StringBuilder told = new StringBuilder();
    try (ZipInputStream zip = new ZipInputStream(new BufferedInputStream(new FileInputStream(args[0])))) {
      for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
        byte[] content = zip.readAllBytes();
        told.append(content.length).append(' ').append(content.length == 0 ? 0 : content[content.length - 1]);
        told.append(' ').append(entry.getName()).append('\\n');
      }
    }
    new PrintStream(System.out, true, "UTF-8").print(told);
  }
}`

it.skipIf(!isThere('java', ['--describe-module', 'jdk.compiler']))(
  'is read by the Java class that XNAT reads it with (skipped without a JDK)',
  async () => {
    const file = await written(entries)
    const program = file.replace('a.zip', 'Read.java')
    await writeFile(program, readByJava)
    const told = execFileSync('java', [program, file], { encoding: 'utf8' })
    expect(told.trimEnd().split('\n')).toEqual(facts.map(([path, size, last]) => `${size} ${last} ${path}`))
  },
)

it('holds more files than a plain zip can count', async () => {
  const many = Array.from({ length: 70_000 }, (_, index) => source(`${index}`, Buffer.of(index % 256)))
  const zip = await openZip(await written(many), { lazyEntries: true, autoClose: false })
  onTestFinished(() => zip.close())
  expect(zip.entryCount).toBe(70_000)
  expect(zip.fileSize).toBe(zipLength(many))
})

/** A file of which only the end is kept. */
class Tail extends RandomAccessReader {
  readonly #offset: number
  readonly #bytes: Buffer

  constructor(offset: number, bytes: Buffer) {
    super()
    this.#offset = offset
    this.#bytes = bytes
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from([this.#bytes.subarray(start - this.#offset, end - this.#offset)])
  }
}

it('holds a file of more than 4 GiB, and one behind it', async () => {
  const sizeBytes = 2 ** 32 + 5
  const zeros = Buffer.alloc(65_535 * 64)
  const big = { path: 'big', sizeBytes, content: zeros }
  const openBig = async (entry: Source) =>
    entry === big
      ? (async function* () {
          for (let left = sizeBytes; left > 0; left -= zeros.length)
            yield zeros.subarray(0, Math.min(left, zeros.length))
        })()
      : open(entry)
  let length = 0
  // yauzl looks at this much from the end.
  const small: Uint8Array[] = [Buffer.alloc(70_000)]
  const all = [big, source('behind', Buffer.from('content'))]
  for await (const chunk of zipStream(all, openBig)) {
    length += chunk.length
    if (chunk.length < 65_535) small.push(chunk)
  }
  expect(length).toBe(zipLength(all))
  const tail = Buffer.concat(small).subarray(-70_000)
  const zip = await fromRandomAccessReaderPromise(new Tail(length - tail.length, tail), length, { lazyEntries: true })
  const read: unknown[] = []
  for await (const entry of zip.eachEntry()) {
    read.push([entry.fileName, entry.uncompressedSize])
    if (entry.fileName !== 'behind') continue
    read.push(Buffer.concat(await (await zip.openReadStreamPromise(entry)).toArray()).toString())
  }
  expect(read).toEqual([['big', sizeBytes], ['behind', 7], 'content'])
}, 60_000)

it('has the announced length for any names and sizes', async () => {
  const file = fc.record({
    path: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
    content: fc.uint8Array({ maxLength: 2000 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 8 }), async (files) => {
      const some = files.map(({ path, content }) => source(path, Buffer.from(content)))
      let bytes = 0
      for await (const chunk of zipStream(some, open)) bytes += chunk.length
      expect(bytes).toBe(zipLength(some))
    }),
    { numRuns: 100 },
  )
})

it('ends between two files when one cannot be opened, so that nothing is emptied where it is unpacked', async () => {
  const chunks: Uint8Array[] = []
  const [one, other] = [source('a', Buffer.from('a')), source('b', Buffer.from('b'))]
  const openFirst = async (entry: Source) => {
    if (entry === other) throw new Error('gone')
    return open(entry)
  }
  const read = async () => {
    for await (const chunk of zipStream([one, other], openFirst)) chunks.push(chunk)
  }
  await expect(read()).rejects.toThrow('gone')
  expect(Buffer.concat(chunks).length).toBe(30 + 1 + 5 + 1 + 16)
})

it.each([
  ['shorter', 9],
  ['longer', 11],
])('breaks off when a body is %s than announced', async (_, length) => {
  await expect(written([{ ...source('a', Buffer.alloc(length)), sizeBytes: 10 }])).rejects.toMatchObject({
    code: 'OBJECT_CHANGED',
  })
})
