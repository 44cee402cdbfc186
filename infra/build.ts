// Bundles each function for Lambda: functions/api/health.ts -> dist/api/health/index.mjs. Run by `npm run build`.
import { cpSync, existsSync, globSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { buildPage } from './build-page.ts'

const sources = globSync('functions/{api,workers,schedules}/*.ts')
const entryPoints = Object.fromEntries(
  sources.map((source) => [`${source.replace(/^functions\//, '').replace(/\.ts$/, '')}/index`, source]),
)

rmSync('dist', { recursive: true, force: true })
const { metafile } = await build({
  entryPoints,
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  keepNames: true,
  mainFields: ['module', 'main'],
  legalComments: 'none',
  metafile: true,
  // CommonJS parts inside an ES module ask for a `require` that is not there.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
})
for (const [entry, source] of Object.entries(entryPoints))
  await addParts(source, `dist/${entry.replace(/\/index$/, '')}`)

for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  console.log(`${String(Math.round(bytes / 1024)).padStart(6)} kB  ${file}`)
}

/** What a function reads from a folder of its own name goes where the bundle finds it the same way. */
async function addParts(source: string, bundleDir: string): Promise<void> {
  const parts = source.replace(/\.ts$/, '')
  if (!existsSync(parts)) return
  const target = join(bundleDir, basename(parts))
  if (existsSync(join(parts, 'main.tsx'))) await buildPage(parts, join(target, 'dist'))
  else cpSync(parts, target, { recursive: true })
}
