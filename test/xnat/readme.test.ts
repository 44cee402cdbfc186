import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

const library = new URL('../../lib/xnat/', import.meta.url)

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
