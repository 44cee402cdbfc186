// Builds the XNAT client as a package of its own: dist/xnat/index.mjs and its types. Run by `npm run build`.
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')

/** Leaves in `outDir` what `exports` in package.json names below `dist/xnat`. */
export async function buildClient(outDir: string): Promise<void> {
  rmSync(outDir, { recursive: true, force: true })
  await build({
    entryPoints: [join(root, 'lib/xnat/public.ts')],
    outfile: join(outDir, 'index.mjs'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: true,
    logLevel: 'warning',
    plugins: [versionOnly],
  })
  writeTypes(join(outDir, 'types'))
}

/** Of package.json the client needs its version. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup({ onLoad }) {
    onLoad({ filter: /package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8'))
      return { contents: JSON.stringify({ version }), loader: 'json' }
    })
  },
}

function writeTypes(typesDir: string): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const project = join(import.meta.dirname, 'client-types.tsconfig.json')
  execFileSync(process.execPath, [compiler, '-p', project, '--outDir', typesDir], { stdio: 'inherit' })
  // The compiler leaves `./call.ts` as it is in declarations, and there is no such file beside them.
  for (const file of globSync('**/*.d.ts', { cwd: typesDir })) {
    const path = join(typesDir, file)
    writeFileSync(path, readFileSync(path, 'utf8').replace(/((?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g, '$1.js'))
  }
}

if (import.meta.main) {
  await buildClient(join(root, 'dist/xnat'))
  console.log('the XNAT client: dist/xnat')
}
