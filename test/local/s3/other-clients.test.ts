// The programs other people reach S3 with, unmodified, from their Debian packages.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { credentials, makeFolder, region, type Started, startServer } from './start-server.ts'

interface Client {
  program: string
  /** Command lines of the program: its arguments, given the server's address and a folder of its own. */
  upload: (from: string) => string[]
  list: string[]
  download: (to: string) => string[]
  remove: string[]
  settings: (server: Started['server'], home: string) => Promise<{ args: string[]; env?: Record<string, string> }>
}

const rclone: Client = {
  program: '/usr/bin/rclone',
  settings: async ({ url }, home) => ({
    args: ['--config', join(home, 'none.conf'), '--s3-chunk-size', '5Mi', '--s3-upload-cutoff', '5Mi'],
    env: {
      RCLONE_CONFIG_LOCAL_TYPE: 's3',
      RCLONE_CONFIG_LOCAL_PROVIDER: 'Other',
      RCLONE_CONFIG_LOCAL_ENDPOINT: url,
      RCLONE_CONFIG_LOCAL_REGION: region,
      RCLONE_CONFIG_LOCAL_ACCESS_KEY_ID: credentials.accessKeyId,
      RCLONE_CONFIG_LOCAL_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  }),
  upload: (from) => ['copy', from, 'local:images/tree'],
  list: ['lsf', '--recursive', '--files-only', 'local:images/tree'],
  download: (to) => ['copy', 'local:images/tree', to],
  remove: ['delete', 'local:images/tree'],
}

const s3cmd: Client = {
  program: '/usr/bin/s3cmd',
  settings: async ({ port }, home) => {
    const config = join(home, 's3cfg')
    await writeFile(
      config,
      `[default]\naccess_key = ${credentials.accessKeyId}\nsecret_key = ${credentials.secretAccessKey}\n`,
    )
    const host = `127.0.0.1:${port}`
    return {
      args: ['-c', config, '--no-ssl', `--host=${host}`, `--host-bucket=${host}`, '--multipart-chunk-size-mb=5'],
    }
  },
  upload: (from) => ['put', '--recursive', `${from}/`, 's3://images/tree/'],
  list: ['ls', '--recursive', 's3://images/tree/'],
  download: (to) => ['get', '--recursive', 's3://images/tree/', `${to}/`],
  remove: ['del', '--recursive', '--force', 's3://images/tree/'],
}

const awscli: Client = {
  program: '/usr/bin/aws',
  settings: async ({ url }, home) => {
    const config = join(home, 'config')
    await writeFile(config, '[default]\ns3 =\n  multipart_threshold = 5MB\n  multipart_chunksize = 5MB\n')
    return {
      args: ['--endpoint-url', url],
      env: {
        AWS_CONFIG_FILE: config,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    }
  },
  upload: (from) => ['s3', 'cp', '--recursive', from, 's3://images/tree/'],
  list: ['s3', 'ls', '--recursive', 's3://images/tree/'],
  download: (to) => ['s3', 'cp', '--recursive', 's3://images/tree/', to],
  remove: ['s3', 'rm', '--recursive', 's3://images/tree/'],
}

const names = ['small.txt', 'with space + plus & more/stüdy [1].txt', 'a/b/c/deep 100%.txt', 'big.bin', 'empty']

for (const client of [rclone, s3cmd, awscli]) {
  const isMissing = !existsSync(client.program)
  if (isMissing) process.stderr.write(`skipped: ${client.program} is not installed\n`)

  it.skipIf(isMissing)(
    `${client.program} uploads a tree, lists it, brings it back unchanged and deletes it`,
    { timeout: 120_000 },
    async () => {
      const { server, s3 } = await startServer()
      const home = await makeFolder()
      const [from, to] = [await makeTree(join(home, 'from')), join(home, 'to')]
      await mkdir(to)
      const { args, env } = await client.settings(server, home)
      const run = async (command: string[]) => {
        // Nothing of the machine's own AWS or proxy settings.
        const options = { env: { PATH: process.env['PATH'], HOME: home, LC_ALL: 'C.UTF-8', ...env } }
        const { stdout } = await promisify(execFile)(client.program, [...args, ...command], options)
        return stdout
      }
      await run(client.upload(from))
      const stored = await s3.send(new ListObjectsV2Command({ Bucket: 'images' }))
      expect(stored.Contents?.map((object) => object.Key).sort()).toEqual(names.map((name) => `tree/${name}`).sort())
      const big = stored.Contents?.find((object) => object.Key === 'tree/big.bin')
      expect(big).toMatchObject({ Size: 20_000_000, ETag: expect.stringMatching(/-4"$/) })
      const listing = await run(client.list)
      for (const name of names) expect(listing).toContain(name)
      await run(client.download(to))
      expect(await readTree(to)).toEqual(await readTree(from))
      await run(client.remove)
      expect((await s3.send(new ListObjectsV2Command({ Bucket: 'images' }))).KeyCount).toBe(0)
    },
  )
}

async function makeTree(folder: string): Promise<string> {
  for (const name of names) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    const content = name === 'big.bin' ? randomBytes(20_000_000) : name === 'empty' ? '' : `content of ${name}`
    await writeFile(path, content)
  }
  return folder
}

async function readTree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const contents = files.map(async (file) => [file.slice(folder.length), await readFile(file, 'base64')])
  return Object.fromEntries(await Promise.all(contents))
}
