// Bundles each function for Lambda: functions/api/health.ts -> dist/api/health/index.mjs. Run by `npm run build`.
import { cpSync, existsSync, globSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { buildPage } from './build-page.ts'

const root = join(import.meta.dirname, '..')

/** Leaves in `outDir` one folder for each function. Says how large each bundle is, by its file. */
export async function buildFunctions(outDir: string): Promise<Record<string, number>> {
  const sources = globSync('functions/{api,workers,schedules}/*.ts', { cwd: root }).filter(isFunction)
  const entryPoints = Object.fromEntries(sources.map((source) => [`${placeOf(source)}/index`, source]))
  rmSync(outDir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: outDir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    keepNames: true,
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    // CommonJS parts inside an ES module ask for a `require` that is not there.
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  })
  for (const source of sources) await addParts(source, join(outDir, placeOf(source)))
  return Object.fromEntries(Object.entries(metafile.outputs).map(([file, { bytes }]) => [file, bytes]))
}

/** What several functions share lies beside them and has no handler. */
const isFunction = (source: string) => /^export const handler\b/m.test(readFileSync(join(root, source), 'utf8'))

const placeOf = (source: string) => source.replace(/^functions\//, '').replace(/\.ts$/, '')

/** What a function reads from a folder of its own name goes where the bundle finds it the same way. */
async function addParts(source: string, bundleDir: string): Promise<void> {
  const parts = join(root, source.replace(/\.ts$/, ''))
  if (!existsSync(parts)) return
  const target = join(bundleDir, basename(parts))
  if (existsSync(join(parts, 'main.tsx'))) await buildPage(parts, join(target, 'dist'))
  else cpSync(parts, target, { recursive: true })
}

if (import.meta.main) {
  for (const [file, bytes] of Object.entries(await buildFunctions(join(root, 'dist')))) {
    console.log(`${String(Math.round(bytes / 1024)).padStart(6)} kB  ${file}`)
  }
}
