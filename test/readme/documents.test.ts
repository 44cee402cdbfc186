// What the READMEs say that is no command: that each of it is held by something, and that it is so.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { exitCodes } from '../../functions/cli/failure.ts'
import { variableNames } from '../../lib/config.ts'
import { blockWays } from './blocks.ts'
import { codesIn, placeOf, projectDir, readmeAt, readmes, storedBefore, type Table } from './documents.ts'
import { buildWays, otherWays } from './other-ways.ts'
import { stackWays } from './stack-ways.ts'
import { bothStarts, startOfBundles, startWays } from './start-ways.ts'

const main = readmeAt('README.md')
const operating = readmeAt('infra/README.md')
const text = (path: string) => readFileSync(join(projectDir, path), 'utf8')

function tableOf(head: string, readme = main): Table {
  const found = readme.tables.find((table) => table.head[0]?.startsWith(head))
  if (found === undefined) throw new Error(`${readme.path} has no table of ${head}`)
  return found
}

describe('nothing is left untried', () => {
  const ways = [...stackWays, ...otherWays, ...startWays, ...buildWays, startOfBundles]
  const commands = readmes.flatMap((readme) => readme.commands)
  const blocks = readmes.flatMap((readme) => readme.blocks).filter(({ language }) => language !== 'sh')

  it('each command has one way in which it is tried', () => {
    const waysOf = (command: string) => ways.filter((way) => way.commands.test(command)).length
    const wrong = commands.filter((command) => waysOf(command.text) !== 1)
    expect(wrong.map((command) => `${placeOf(command)} ${command.text}: ${waysOf(command.text)} ways`)).toEqual([])
  })

  it('each block that holds no commands has one way in which it is held', () => {
    const waysOf = (block: (typeof blocks)[number]) => blockWays.filter((way) => way.holds(block)).length
    expect(blocks.filter((block) => waysOf(block) !== 1).map(placeOf)).toEqual([])
  })

  it('each way is of use', () => {
    const unused = ways.filter((way) => !commands.some(({ text }) => way.commands.test(text)))
    expect(unused.map((way) => String(way.commands))).toEqual([])
    expect(blockWays.filter((way) => !blocks.some(way.holds)).map(({ what }) => what)).toEqual([])
  })

  it('each option of npm start that there is stands in the table, and is tried', () => {
    const optionsIn = (words: string) => [...words.matchAll(/--[a-z-]{2,}/g)].map(([option]) => option)
    const [, usage = ''] = /const usage = `([\s\S]*?)\n`/.exec(text('infra/local/start.ts')) ?? []
    const told = tableOf('option').rows.flatMap(([cell = '']) => optionsIn(cell))
    expect(new Set(told)).toEqual(new Set(optionsIn(usage)))
    const tried = [...bothStarts, ...[...startWays, startOfBundles].map((way) => String(way.commands))]
    expect(new Set(tried.flatMap(optionsIn))).toEqual(new Set(told))
  })
})

describe.each(blockWays.map((way) => [way.what, way] as const))('%s', (_, way) => {
  const held = readmes.flatMap((readme) => readme.blocks).filter(way.holds)
  it.each(held.map((block) => [placeOf(block), block] as const))(
    'is right at %s',
    (_, block) => way.check(block),
    60_000,
  )
})

describe('what is named is there', () => {
  it('links, and the headings that they lead to', () => {
    const wrong = readmes.flatMap(({ path, prose }) =>
      [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^https?:/.test(target) && !leadsSomewhere(path, target))
        .map((target) => `${path}: ${target}`),
    )
    expect(wrong).toEqual([])
  })

  function leadsSomewhere(path: string, target: string): boolean {
    const [file = '', anchor] = target.split('#')
    const place = file === '' ? path : join(dirname(path), file)
    if (!existsSync(join(projectDir, place))) return false
    return anchor === undefined || anchorsOf(text(place)).includes(anchor)
  }

  /** As code hosts make them of headings. */
  const anchorsOf = (markdown: string) =>
    [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    )

  it('files and folders', () => {
    // What a command makes is not there before.
    const made = /^(?:\.local|\.serverless|dist)\b/
    const isFile = /^(?:[\w.*-]+\/)+[\w.*-]*$|^[\w.*-]+\.(?:ts|tsx|ya?ml)$/
    const missing = readmes.flatMap(({ path, codes }) =>
      codes
        .filter(({ text: name }) => isFile.test(name) && !made.test(name) && !isElsewhere.test(name))
        .filter(({ text: name }) => !isThere(dirname(path), name))
        .map((code) => `${placeOf(code)} ${code.text}`),
    )
    expect(missing).toEqual([])
  })

  /** Paths that are no files of ours: keys, data types, commands' words, images, time zones. */
  const isElsewhere =
    /^(?:projects|subjects|incoming|dicom|receipts|assessors|study|export|xnat|xnat-conduit|Europe|owner|dataDir)\//

  const isThere = (folder: string, name: string) =>
    [name, join(folder, name), `**/${name}`].some(
      (pattern) => globSync(pattern, { cwd: projectDir, exclude: ['node_modules'] }).length > 0,
    )

  it('routes of the API', () => {
    const routes = inject('service').functions.flatMap(({ events }) =>
      events.flatMap((event) => (event.kind === 'httpApi' ? [plain(`${event.method} ${event.path}`)] : [])),
    )
    const named = readmes.flatMap(({ codes }) =>
      codes.filter(({ text: code }) => /^(?:GET|POST|PUT|PATCH|DELETE) \//.test(code)),
    )
    // XNAT's own, and those of its stand-in, which are tried with their bodies.
    const ours = named.filter(({ text: code }) => !/ \/(?:data|xapi|__stand-in)\//.test(code))
    expect(ours.length).toBeGreaterThan(15)
    expect(ours.filter(({ text: code }) => !routes.includes(plain(code))).map(({ text: code }) => code)).toEqual([])
  })

  const plain = (route: string) => route.replace(/\?.*/, '').replaceAll(/\{\w+\}/g, '{}')
})

describe('tables', () => {
  it('of variables: each that is read, and no other', () => {
    const told = tableOf('variable').rows.flatMap(([cell]) => codesIn(cell))
    expect(told.toSorted()).toEqual(variableNames.toSorted())
  })

  it('of parameters: each that serverless.yml takes, with its default', () => {
    const sources = globSync(['serverless.yml', 'infra/*.yml', 'infra/deployment/*.ts'], { cwd: projectDir }).map(text)
    const used = sources.flatMap((source) => [...source.matchAll(/\$\{param:([\w-]+)(?:, '?([^'}]*)'?)?\}/g)])
    const defaults = new Map(used.map(([, name = '', value = '']) => [name, value]))
    const { rows } = tableOf('parameter', operating)
    // Those of one authorizer are told with it.
    const beside = rows.flatMap(([, , meaning]) => codesIn(meaning)).filter((code) => defaults.has(code))
    const told = rows.flatMap(([names, values]) => {
      const given = (values ?? '').split(', ').map((value) => codesIn(value)[0] ?? value.replace('none', ''))
      return codesIn(names).map((name, index) => [name, given[index] ?? given[0] ?? ''] as const)
    })
    expect(
      told
        .map(([name]) => name)
        .concat(beside)
        .toSorted(),
    ).toEqual([...defaults.keys()].toSorted())
    for (const [name, value] of told) expect([name, value]).toEqual([name, defaults.get(name)])
  })

  it('of what has to be stored before a deployment: as the functions are told its names', () => {
    const environment = text('infra/environment.yml')
      .replaceAll(/\$\{self:service\}/g, 'xnat-conduit')
      .replaceAll(/\$\{sls:stage\}/g, 'prod')
    const names = storedBefore().flatMap(([cell]) => codesIn(cell))
    expect(names.length).toBe(4)
    for (const name of names) expect(environment).toMatch(new RegExp(`[ :]${name}(?:}}'|$)`, 'm'))
  })

  it('of exit codes', () => {
    const { rows } = main.tables.find(({ rows: [first] }) => first?.[0] === '0') ?? { rows: [] }
    expect(rows.map(([code]) => Number(code))).toEqual(Object.values(exitCodes))
  })

  it('of packages: each that is installed, and no other', () => {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(text('package.json'))
    const there = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })
    const told = tableOf('package').rows.flatMap(([cell = '']) => packagesIn(cell))
    expect(told.toSorted()).toEqual(there.filter((name) => !comesWithAnother.test(name)).toSorted())
  })

  /** Types of a package that is told, and what measures for a tool that is. */
  const comesWithAnother = /^@types\/|^@vitest\//

  /** `@aws-sdk/client-s3, client-sqs` as two of one scope. */
  function packagesIn(cell: string): string[] {
    let scope = ''
    return cell
      .replace(/^\*.*\* /, '')
      .split(', ')
      .map((name) => {
        if (name.includes('/')) scope = `${name.split('/')[0]}/`
        const { dependencies } = JSON.parse(text('package.json'))
        return `${scope}${name}` in dependencies ? `${scope}${name}` : name
      })
  }
})
