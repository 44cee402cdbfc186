import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { findExperiment } from '../../lib/xnat/archive.ts'
import { listFiles } from '../../lib/xnat/resources.ts'
import { startStandIn } from './stand-in.ts'

const library = new URL('../../lib/xnat/', import.meta.url)

it('runs the program in the README', async () => {
  const { xnat, client } = await startStandIn()
  const readme = await readFile(new URL('README.md', library), 'utf8')
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  expect(program.trim().split('\n').length).toBeLessThan(20)
  const folder = await mkdtemp(join(tmpdir(), 'xnat-readme-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'program.ts'), program.replaceAll("'./", `'${library.href}`))
  const env = { ...process.env, XNAT_URL: xnat.url, XNAT_USER: xnat.user, XNAT_PASSWORD: xnat.password, FOLDER: folder }
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'program.ts')], { env })
  expect(stdout).toContain("kind: 'stored', files: 1")
  const found = await findExperiment(client, { projectId: 'DEMO', experiment: 'MR1' })
  const parent = { level: 'scan', experimentId: found?.experimentId ?? '', scanId: '1' } as const
  expect((await listFiles(client, { parent, resourceLabel: 'DICOM' })).map(({ path }) => path)).toEqual(['program.ts'])
})

it('names only files and functions that there are', async () => {
  const readme = await readFile(new URL('README.md', library), 'utf8')
  const files = [...readme.matchAll(/`([a-z-]+\.ts)`/g)].map(([, name = '']) => name)
  const sources = await Promise.all([...new Set(files)].map((name) => readFile(new URL(name, library), 'utf8')))
  const table = readme.split('## For users of xnatpy')[1] ?? ''
  const ours = [...table.matchAll(/^\|[^|]*\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z]+[A-Z]\w+)`/g)].map(([, name = '']) => name),
  )
  expect(ours.length).toBeGreaterThan(30)
  const missing = ours.filter(
    (name) => !sources.some((source) => new RegExp(`function ${name}\\b|  async ${name}\\(`).test(source)),
  )
  expect(missing).toEqual([])
})
