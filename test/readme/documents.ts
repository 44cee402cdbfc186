// The READMEs of this repository, as what can be tried of them: fenced blocks, commands, words in code, tables, links.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const projectDir = join(import.meta.dirname, '../..')

interface Place {
  /** Of the README, from the root of the repository. */
  readme: string
  line: number
  text: string
}

/** What stands between fences. */
export interface Block extends Place {
  language: string
}

/** One command for a shell, from a block of `sh` or from the middle of a sentence, without its comment. */
export type Command = Place

/** Words set as code within a line. */
export type Code = Place

export interface Table {
  readme: string
  line: number
  head: string[]
  rows: string[][]
}

export interface Document {
  path: string
  text: string
  /** The text with its fenced blocks left out, line by line as it was. */
  prose: string
  blocks: Block[]
  codes: Code[]
  commands: Command[]
  tables: Table[]
}

export const readmes: readonly Document[] = globSync('**/README.md', {
  cwd: projectDir,
  exclude: (name) => /^(?:node_modules|dist|\.\w+)$/.test(name),
})
  .toSorted()
  .map(readDocument)

/** @throws when there is no such README. */
export function readmeAt(path: string): Document {
  const found = readmes.find((readme) => readme.path === path)
  if (found === undefined) throw new Error(`There is no ${path}`)
  return found
}

/** `README.md:51`, for people who look. */
export const placeOf = ({ readme, line }: Omit<Place, 'text'>) => `${readme}:${line}`

function readDocument(path: string): Document {
  const text = readFileSync(join(projectDir, path), 'utf8')
  const blocks: Block[] = []
  const prose = text.replaceAll(/^```(\w*)\n([\s\S]*?)^```$/gm, (whole, language, body, offset) => {
    blocks.push({ readme: path, line: lineAt(text, offset) + 1, language, text: body })
    return whole.replaceAll(/[^\n]/g, '')
  })
  const codes = [...prose.matchAll(/`([^`]+)`/g)].map((match) => ({
    readme: path,
    line: lineAt(prose, match.index),
    text: (match[1] ?? '').replaceAll(/\s+/g, ' '),
  }))
  const said = codes.filter(({ text }) => /^(?:[A-Z_]+=\S+ )*(?:npm|npx|node|bash|aws|curl|vitest) /.test(text))
  const commands = [...blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf), ...said]
  return { path, text, prose, blocks, codes, commands: commands.flatMap(apart), tables: tablesOf(path, prose) }
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** A block's lines, put together where a command goes over several: the shell itself says when it is whole. */
function commandsOf(block: Block): Command[] {
  const commands: Command[] = []
  let begun = ''
  for (const [index, line] of block.text.split('\n').entries()) {
    begun += begun === '' ? line : `\n${line}`
    if (begun.endsWith('\\') || spawnSync('bash', ['-n', '-c', begun]).status !== 0) continue
    const text = begun.replace(/(?:^|\s{2,})#.*$/, '').trim()
    const lines = begun.split('\n').length
    if (text !== '') commands.push({ readme: block.readme, line: block.line + index - lines + 1, text })
    begun = ''
  }
  if (begun !== '') throw new Error(`${placeOf(block)} ends within a command: ${begun}`)
  return commands
}

/** `a; b && c` as three commands. */
function apart(command: Command): Command[] {
  if (/["']/.test(command.text)) return [command]
  return command.text.split(/\s*(?:;|&&)\s+/).map((text) => ({ ...command, text }))
}

function tablesOf(path: string, prose: string): Table[] {
  return [...prose.matchAll(/^\|.*\|\n\|[-| ]+\|\n(?:\|.*\|\n?)+/gm)].map((match) => {
    const [head = [], , ...rows] = match[0].trim().split('\n').map(cellsOf)
    return { readme: path, line: lineAt(prose, match.index), head, rows }
  })
}

function cellsOf(row: string): string[] {
  const cells = row.slice(1, -1).split('|')
  return cells.map((cell) => cell.trim())
}

/** What has to be stored in an account before a deployment: name and content. */
export function storedBefore(): string[][] {
  const tables = readmeAt('infra/README.md').tables.filter(({ rows: [first] }) =>
    first?.[0]?.startsWith('SSM parameter'),
  )
  return tables.flatMap(({ rows }) => rows)
}

/** The words set as code in one cell. */
export const codesIn = (cell: string | undefined): string[] =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
