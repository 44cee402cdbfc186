// Bundles a page of TSX sources for browsers: main.tsx and page.html -> page.js, page.css, page.html and pictures.
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

/** Files that go along as they are. */
const asTheyAre = ['page.html', 'icon.svg']

/** Makes the page anew. Each file is put in place whole, so that several may build at a time, and while it is read. */
export async function buildPage(sourceDir: string, outDir: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: { page: join(sourceDir, 'main.tsx') },
    outdir: outDir,
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
  const copied = asTheyAre.map(async (name) => ({ name, contents: await readFile(join(sourceDir, name)) }))
  const made = outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }))
  await mkdir(outDir, { recursive: true })
  for (const { name, contents } of [...made, ...(await Promise.all(copied))]) {
    const draft = join(outDir, `${name}.${randomUUID()}`)
    await writeFile(draft, contents)
    await rename(draft, join(outDir, name))
  }
}
