// A training client that has the images bucket mounted, by Debian's s3fs on the embedded S3.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ImagesRig, startImagesRig } from '../support/images-rig.ts'

const run = promisify(execFile)
const canMount = existsSync('/usr/bin/s3fs') && existsSync('/dev/fuse') && process.getuid?.() === 0

let folder: string
let mount: string
let rig: ImagesRig
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mounted-images-'))
  mount = join(folder, 'images')
  await mkdir(mount)
  rig = await startImagesRig({ environment: { BASE_IMAGES_DOWNLOAD_DIR: mount, ANSWER_WITHIN_SECONDS: '20' } })
  rig.workAtOnce()
})
afterEach(async () => {
  await rig.stop()
  await rm(folder, { recursive: true, force: true })
})

async function mountBucket(): Promise<void> {
  const keys = join(folder, 'keys')
  await writeFile(keys, 'TESTKEY:test-secret-key', { mode: 0o600 })
  const options = [
    `url=${rig.aws.s3Server.url}`,
    'use_path_request_style',
    `passwd_file=${keys}`,
    'endpoint=eu-central-1',
  ]
  await run('/usr/bin/s3fs', ['images', mount, '-o', options.join(',')])
}

it.skipIf(!canMount)(
  'opens the answered path as it opens any folder (needs s3fs, /dev/fuse and root)',
  async () => {
    await mountBucket()
    try {
      await mkdir(join(mount, 'net-1/upload/run 1'), { recursive: true })
      const file = join(mount, 'net-1/upload/run 1/mask.nii')
      await writeFile(file, 'a mask')

      expect((await rig.upload({ files: [file] })).status).toBe(200)
      const { status, body } = await rig.download({ query: { resource_type: 'SEG' } })

      expect(status).toBe(200)
      const { path } = body as { path: string }
      expect(path).toBe(join(mount, 'net-1/hub-1/E1'))
      expect(await readdir(path)).toEqual(expect.arrayContaining(['.flip_complete-scan-SEG', 'scans']))
      expect(await readFile(join(path, 'scans/7/resources/SEG/files/run 1/mask.nii'), 'utf8')).toBe('a mask')
    } finally {
      execFileSync('/usr/bin/fusermount', ['-u', '-z', mount])
    }
  },
  60_000,
)
