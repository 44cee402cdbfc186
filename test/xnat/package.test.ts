// The client as another program gets it: the built entry, found by its package name, with nothing else of ours.
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { buildClient } from '../../infra/build-client.ts'
import { findExperiment } from '../../lib/xnat/archive.ts'
import * as source from '../../lib/xnat/public.ts'
import { listFiles } from '../../lib/xnat/resources.ts'
import { startStandIn } from './stand-in.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** A folder in which `xnat-conduit` and the packages it asks for are installed. */
async function installed(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xnat-package-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const ours = join(folder, 'node_modules/xnat-conduit')
  await mkdir(ours, { recursive: true })
  await copyFile(join(root, 'package.json'), join(ours, 'package.json'))
  await buildClient(join(ours, 'dist/xnat'))
  for (const name of ['@types', 'undici', 'undici-types', 'zod', 'fast-xml-parser']) {
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  return folder
}

const compilerOptions = {
  target: 'es2024',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  // Our declarations are checked too.
  skipLibCheck: false,
}

const typeCheck = (folder: string) =>
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )

it('runs the program in the README from the built package, and its types fit', async () => {
  const { xnat, client } = await startStandIn()
  const readme = await readFile(join(root, 'lib/xnat/README.md'), 'utf8')
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  expect(program.trim().split('\n').length).toBeLessThan(20)
  const folder = await installed()
  await writeFile(join(folder, 'program.ts'), program)
  expect(await typeCheck(folder)).toBe('')

  const sent = join(folder, 'sent')
  await mkdir(sent)
  await writeFile(join(sent, '1.dcm'), 'one')
  const env = { XNAT_URL: xnat.url, XNAT_USER: xnat.user, XNAT_PASSWORD: xnat.password, FOLDER: sent }
  const { stdout } = await run(process.execPath, ['program.ts'], { cwd: folder, env: { ...process.env, ...env } })
  expect(stdout).toContain("kind: 'stored', files: 1")
  const found = await findExperiment(client, { projectId: 'DEMO', experiment: 'MR1' })
  const parent = { level: 'scan', experimentId: found?.experimentId ?? '', scanId: '1' } as const
  expect((await listFiles(client, { parent, resourceLabel: 'DICOM' })).map(({ path }) => path)).toEqual(['1.dcm'])
}, 60_000)

it('offers by its name what its source does, and refuses a program that misuses it', async () => {
  const folder = await installed()
  await writeFile(
    join(folder, 'names.ts'),
    "import * as xnat from 'xnat-conduit/xnat'\nconsole.log(JSON.stringify(Object.keys(xnat)))\n",
  )
  const { stdout } = await run(process.execPath, ['names.ts'], { cwd: folder })
  expect(JSON.parse(stdout)).toEqual(Object.keys(source).sort())
  await writeFile(
    join(folder, 'names.ts'),
    "import { XnatClient } from 'xnat-conduit/xnat'\nnew XnatClient({ url: 1 })\n",
  )
  expect(await typeCheck(folder)).toMatch(/names\.ts\(2,\d+\): error TS2345|names\.ts\(2,\d+\): error TS2322/)
}, 60_000)
