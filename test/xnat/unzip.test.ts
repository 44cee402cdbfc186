import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { unzip } from '../../lib/xnat/unzip.ts'
import { zipStream } from '../../lib/xnat/zip.ts'
import { zipEnd, zipMember } from '../support/archive-bytes.ts'

const files = new Map<string, Buffer>([
  ['E1/scans/1/resources/DICOM/files/a.dcm', randomBytes(100_000)],
  ['E1/scans/1/resources/DICOM/files/empty', Buffer.alloc(0)],
  ['E1/scans/1/resources/DICOM/files/größe 磁.dcm', Buffer.alloc(300_000, 'abc')],
  ['E1/scans/2/resources/NIFTI/files/PK\u0003\u0004.nii', Buffer.from('PK\u0003\u0004PK\u0007\b')],
])

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const exact = (name: string) => files.get(name)?.length

async function unpacked(
  zip: Buffer,
  { chunk = 4_099, members = 100, sizeOf = exact }: { chunk?: number; members?: number; sizeOf?: typeof exact } = {},
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for await (const { name, body } of unzip(chunked(zip, chunk), { members, sizeOf })) {
    found.set(name, await buffer(Readable.from(body)))
  }
  return found
}

function yazl(add: (zip: ZipFile) => void): Promise<Buffer> {
  const zip = new ZipFile()
  add(zip)
  zip.end()
  return buffer(Readable.from(zip.outputStream))
}

const everyWay: [string, () => Promise<Buffer>][] = [
  ...[true, false].flatMap((compress): [string, () => Promise<Buffer>][] => [
    [
      `of streams, ${compress ? 'deflated' : 'stored'}: sizes behind the bodies`,
      () =>
        yazl((zip) => [...files].map(([name, body]) => zip.addReadStream(Readable.from([body]), name, { compress }))),
    ],
    [
      `of buffers, ${compress ? 'deflated' : 'stored'}: sizes before the bodies`,
      () => yazl((zip) => [...files].map(([name, body]) => zip.addBuffer(body, name, { compress }))),
    ],
    [
      `in zip64, ${compress ? 'deflated' : 'stored'}`,
      () =>
        yazl((zip) =>
          [...files].map(([name, body]) =>
            zip.addReadStream(Readable.from([body]), name, { compress, forceZip64Format: true }),
          ),
        ),
    ],
  ]),
  [
    'of our own, deflated in stored blocks',
    () =>
      buffer(
        Readable.from(
          zipStream(
            [...files].map(([path, body]) => ({ path, sizeBytes: body.length, body })),
            async ({ body }) => chunked(body, 1_000),
          ),
        ),
      ),
  ],
]

describe('a zip that flows by', () => {
  it.each(everyWay)('is taken apart: %s', async (_, make) => {
    expect(await unpacked(await make())).toEqual(files)
  })

  it.each([1, 2, 3, 7, 30, 1_000_000])('is taken apart in chunks of %i bytes', async (chunk) => {
    const name = 'a/b'
    const body = Buffer.from('content '.repeat(20))
    for (const compress of [true, false]) {
      const zip = await yazl((it) => it.addReadStream(Readable.from([body]), name, { compress }))
      expect(await unpacked(zip, { chunk, sizeOf: () => body.length })).toEqual(new Map([[name, body]]))
    }
  })

  it('may hold folders, which are left out, and nothing at all', async () => {
    const zip = await yazl((it) => {
      it.addEmptyDirectory('folder')
      it.addBuffer(Buffer.from('x'), 'folder/x')
    })
    expect([...(await unpacked(zip, { sizeOf: () => 1 })).keys()]).toEqual(['folder/x'])
    expect(await unpacked(await yazl(() => undefined))).toEqual(new Map())
  })

  it('goes on behind a member of which no more was asked for than its end', async () => {
    const zip = await yazl((it) => [...files].map(([name, body]) => it.addBuffer(body, name)))
    const reading = (async () => {
      for await (const _ of unzip(chunked(zip, 1_000), { members: 10, sizeOf: exact }));
    })()
    await expect(reading).rejects.toThrow('not read to its end')
  })
})

describe('a zip that is not as it should be', () => {
  const one = { sizeOf: () => 3 }

  it.each<[string, Buffer, string, string]>([
    ['no zip', Buffer.from('<html>an error page</html>'), 'ZIP_NOT_READABLE', 'never'],
    ['nothing', Buffer.alloc(0), 'ZIP_CUT_OFF', 'later'],
    ['a member without its directory', zipMember('a', Buffer.from('abc')), 'ZIP_CUT_OFF', 'later'],
    ['a cut body', zipMember('a', Buffer.from('abc')).subarray(0, -1), 'ZIP_CUT_OFF', 'later'],
    ['a cut header', zipMember('a', Buffer.from('abc')).subarray(0, 20), 'ZIP_CUT_OFF', 'later'],
    [
      'an encrypted member',
      zipMember('a', Buffer.from('abc'), (it) => it.writeUInt16LE(1, 6)),
      'ZIP_NOT_READABLE',
      'never',
    ],
    [
      'an unknown method',
      zipMember('a', Buffer.from('abc'), (it) => it.writeUInt16LE(12, 8)),
      'ZIP_NOT_READABLE',
      'never',
    ],
    [
      'a wrong checksum',
      zipMember('a', Buffer.from('abc'), (it) => it.writeUInt32LE(1, 14)),
      'ZIP_NOT_READABLE',
      'never',
    ],
    ['a name that is no text', zipMember('\u0000', Buffer.from('abc')).fill(0xff, 30, 31), 'ZIP_NOT_READABLE', 'never'],
    [
      'damaged deflate',
      zipMember('a', Buffer.from('\xff\xff\xff', 'latin1'), (it) => it.writeUInt16LE(8, 8)),
      'ZIP_NOT_READABLE',
      'never',
    ],
  ])('is refused: %s', async (_, bytes, code, retry) => {
    await expect(
      unpacked(
        Buffer.concat(
          [bytes, bytes.length > 33 ? zipEnd : Buffer.alloc(0)].slice(0, code === 'ZIP_NOT_READABLE' ? 2 : 1),
        ),
        one,
      ),
    ).rejects.toMatchObject({ code, retry })
  })

  it('is refused before a byte is handed on, when it claims a terabyte', async () => {
    const zip64 = Buffer.alloc(20)
    zip64.writeUInt16LE(1, 0)
    zip64.writeUInt16LE(16, 2)
    zip64.writeBigUInt64LE(2n ** 40n, 4)
    zip64.writeBigUInt64LE(2n ** 40n, 12)
    const header = Buffer.alloc(31, 'a')
    header.fill(0, 0, 30).writeUInt32LE(0x04034b50, 0)
    header.fill(0xff, 18, 26)
    header.writeUInt16LE(1, 26)
    header.writeUInt16LE(20, 28)
    let opened = 0
    const reading = async () => {
      for await (const _ of unzip(chunked(Buffer.concat([header, zip64]), 10), one && { members: 1, ...one }))
        opened += 1
    }
    await expect(reading()).rejects.toMatchObject({ code: 'ZIP_TOO_LARGE', retry: 'never' })
    expect(opened).toBe(0)
  })

  it('is refused when a member unpacks to more than it may, having handed on no more than that', async () => {
    const bomb = Buffer.alloc(100 * 1024 ** 2)
    const zip = await yazl((it) => it.addReadStream(Readable.from([bomb]), 'bomb'))
    expect(zip.length).toBeLessThan(200_000)
    let seen = 0
    const reading = async () => {
      for await (const { body } of unzip(chunked(zip, 65_536), { members: 1, sizeOf: () => 1_000_000 })) {
        for await (const chunk of body) seen += chunk.length
      }
    }
    await expect(reading()).rejects.toMatchObject({ code: 'ZIP_TOO_LARGE' })
    expect(seen).toBeLessThanOrEqual(1_000_000)
  })

  it('is refused for a member that there is to be none of, and for too many', async () => {
    const names = ['../x', '/etc/passwd', 'a']
    const zip = (name: string) => zipMember(name, Buffer.from('abc'))
    for (const name of names) {
      const sizeOf = () => undefined
      await expect(unpacked(zip(name), { sizeOf })).rejects.toMatchObject({ code: 'ZIP_TOO_LARGE' })
    }
    const many = Buffer.concat([...Array(100_000).fill(zip('a')), zipEnd])
    await expect(unpacked(many, { ...one, members: 50_000 })).rejects.toMatchObject({ code: 'ZIP_TOO_LARGE' })
    await expect(unpacked(many, { ...one, members: 100_000 })).resolves.toBeDefined()
  }, 60_000)

  it('is cut off, wherever it is cut', async () => {
    const body = randomBytes(40)
    for (const compress of [true, false]) {
      const zip = await yazl((it) => it.addReadStream(Readable.from([body]), 'a', { compress }))
      const directory = zip.indexOf('PK\u0001\u0002')
      for (let length = 0; length < directory; length += 1) {
        const cut = unpacked(zip.subarray(0, length), { sizeOf: () => body.length })
        await expect(cut).rejects.toMatchObject({ code: 'ZIP_CUT_OFF' })
      }
    }
  })
})

const has = (command: string, ...args: string[]) => {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('what other programs pack', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'unzip-'))
    for (const [name, body] of files) writeFileSync(join(folder, String([...files.keys()].indexOf(name))), body)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const expected = () => new Map([...files.values()].map((body, index) => [String(index), body]))
  const sizeOf = (name: string) => [...files.values()][Number(name)]?.length

  it.skipIf(!has('zip', '-v'))('Info-ZIP, into a pipe', async () => {
    for (const level of ['-0', '-6']) {
      const names = [...expected().keys()]
      const zip = execFileSync('zip', ['-q', level, '-', ...names], { cwd: folder, maxBuffer: 1024 ** 3 })
      expect(await unpacked(zip, { sizeOf })).toEqual(expected())
    }
  })

  it.skipIf(!has('java', '-version'))(
    "java.util.zip, as XNAT's ZipUtils uses it: stored and deflated",
    async () => {
      writeFileSync(join(folder, 'Pack.java'), javaPacker)
      for (const method of ['stored', 'deflated']) {
        execFileSync('java', ['Pack.java', method, 'out.zip', ...expected().keys()], { cwd: folder })
        expect(await unpacked(readFileSync(join(folder, 'out.zip')), { sizeOf })).toEqual(expected())
      }
    },
    60_000,
  )
})

// ZipOutputStream wants size and CRC of a stored entry before its body, and writes those of a deflated one behind it.
const javaPacker = `
import java.io.*; import java.nio.file.*; import java.util.zip.*;
public class Pack {
  public static void main(String[] a) throws Exception {
    try (ZipOutputStream out = new ZipOutputStream(new FileOutputStream(a[1]))) {
      out.setMethod(a[0].equals("stored") ? ZipOutputStream.STORED : ZipOutputStream.DEFLATED);
      for (int i = 2; i < a.length; i++) {
        byte[] body = Files.readAllBytes(Path.of(a[i]));
        ZipEntry entry = new ZipEntry(a[i]);
        if (a[0].equals("stored")) { CRC32 crc = new CRC32(); crc.update(body); entry.setSize(body.length); entry.setCrc(crc.getValue()); }
        out.putNextEntry(entry); out.write(body); out.closeEntry();
      }
    }
  }
}`
