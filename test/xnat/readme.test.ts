import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as offered from '../../lib/xnat/public.ts'

const library = new URL('../../lib/xnat/', import.meta.url)

/** The cells of every table row below a heading: theirs, ours, the test. */
async function rowsBelow(heading: string): Promise<string[][]> {
  const readme = await readFile(new URL('README.md', library), 'utf8')
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = [...section.matchAll(/^\|(.*)\|$/gm)].map(([, line = '']) => line)
  const rows = lines.map((line) => line.split('|').map((cell) => cell.trim()))
  return rows.slice(2)
}

const parity = async () => [
  ...(await rowsBelow('For users of xnatpy')),
  ...(await rowsBelow("For users of XNAT's Image Assessor Resource API")),
]

it('names files that there are', async () => {
  const readme = await readFile(new URL('README.md', library), 'utf8')
  const files = new Set([...readme.matchAll(/`([a-z-]+\.ts)`/g)].map(([, name = '']) => name))
  expect(files.size).toBeGreaterThan(20)
  await Promise.all([...files].map((name) => readFile(new URL(name, library))))
})

it('names calls that the package offers', async () => {
  const names = (await parity()).flatMap(([, ours = '']) =>
    [...ours.matchAll(/`(?:client\.)?([a-z]+[A-Z]\w+)`/g)].map(([, name = '']) => name),
  )
  expect(new Set(names).size).toBeGreaterThan(60)
  const others = ['xnatPath', 'onRequest', 'projectId', 'subjectId', 'insertedAt', 'removeFiles', 'openBody']
  const known = [...Object.keys(offered), ...Object.getOwnPropertyNames(offered.XnatClient.prototype), ...others]
  expect(names.filter((name) => !known.includes(name))).toEqual([])
})

it('names a test for each call, and a reason for what is not offered', async () => {
  const rows = (await parity()).filter(([, ours = '']) => ours !== '' && ours !== 'below' && !ours.startsWith('as for'))
  const missing: string[] = []
  for (const [theirs = '', ours = '', test = ''] of rows) {
    const [, file, title] = /^([a-z-]+): (.+)$/.exec(test) ?? []
    if (file === undefined || title === undefined) {
      if (!ours.startsWith('not offered')) missing.push(`no test: ${theirs}`)
      continue
    }
    const source = await readFile(new URL(`${file}.test.ts`, import.meta.url), 'utf8')
    if (!source.includes(title)) missing.push(`no such test: ${test}`)
  }
  expect(missing).toEqual([])
  const refusals = rows.filter(([, ours = '']) => ours.startsWith('not offered'))
  expect(refusals.filter(([, ours = '']) => !/^not offered[^:]*: .{10,}/.test(ours))).toEqual([])
})
