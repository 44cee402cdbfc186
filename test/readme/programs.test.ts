// The programs that READMEs show, type-checked by this project's settings and run, with their imports meant as from
// beside the README. What `xnat.` calls stand in the sentences of the stand-in's README is one program more.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isProgram } from './blocks.ts'
import { placeOf, projectDir, readmeAt, readmes } from './documents.ts'

const run = promisify(execFile)
const standIn = readmeAt('infra/local/xnat-server/README.md')
const calls = standIn.codes.map(({ text }) => text).filter((code) => /^xnat\.[\w.]+\(.*\)$/.test(code))
const ofCalls = [
  "import { startXnat } from './server.ts'",
  "const [when, kind, times] = [{ path: /files/ }, 'cut-during-request' as const, 1]",
  'const xnat = await startXnat()',
  ...calls.map((call) => `await ${call}`),
  'await xnat.stop()',
]

const programs = [
  ...readmes.flatMap(({ blocks }) => blocks.filter(isProgram)).map((block) => ({ ...block, title: placeOf(block) })),
  { readme: standIn.path, text: ofCalls.join('\n'), title: `${standIn.path}, its calls` },
].map((program, index) => ({ ...program, file: `program-${index}.mts` }))

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'readme-programs-'))
  for (const { file, readme, text } of programs) {
    const beside = join(projectDir, dirname(readme))
    await writeFile(join(dir, file), text.replaceAll(/(?<= from ')\.\//g, `${beside}/`))
  }
})
afterAll(() => rm(dir, { recursive: true }))

it('fit the types', async () => {
  expect(calls.length).toBeGreaterThan(5)
  const compilerOptions = { typeRoots: [join(projectDir, 'node_modules/@types')] }
  const settings = { extends: join(projectDir, 'tsconfig.json'), compilerOptions, include: ['*.mts'], exclude: [] }
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify(settings))
  const checked = run(process.execPath, [join(projectDir, 'node_modules/typescript/bin/tsc'), '-p', dir])
  const faults = await checked.then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
  expect(faults).toBe('')
}, 60_000)

it.each(programs)('run: $title', async ({ file }) => {
  await run(process.execPath, [file], { cwd: dir })
})
