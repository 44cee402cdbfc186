// Fenced blocks that hold no commands, and what each is held against.
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, inject } from 'vitest'
import { parseObjectKey } from '../../lib/delivery/object-key.ts'
import { markerKey, partShape, StudyPart, uploadPrefix } from '../../lib/images/tree.ts'
import { createLogger } from '../../lib/log.ts'
import { type Block, projectDir } from './documents.ts'

interface BlockWay {
  what: string
  holds(block: Block): boolean
  check(block: Block): Promise<void> | void
}

const folder = { net: 'net', hubProjectId: 'hub', accession: 'ACC1' }
const filled = (line: string) =>
  line
    .trim()
    .split(/ {3,}/)[0]
    ?.replace('{path...}', 'a/1.dcm')
    .replace('{in|out}', 'out')
    .replaceAll(/\{\w+\}/g, 'X1') ?? ''

/** One that the tests run; that of the package `xnat-conduit/xnat` is run by the test of the package. */
export function isProgram({ language, readme }: Block): boolean {
  return language === 'ts' && readme !== packageReadme
}

const packageReadme = 'lib/xnat/README.md'

export const blockWays: readonly BlockWay[] = [
  {
    what: 'a program',
    holds: isProgram,
    /** By programs.test.ts, which checks and runs all of them. */
    check: ({ text }) => expect(text).toContain("from './"),
  },
  {
    what: 'the program that uses the client as a package',
    holds: ({ language, readme }) => language === 'ts' && readme === packageReadme,
    /** Against the built package, from a folder of its own. */
    check: async ({ text }) => {
      const test = await readFile(join(projectDir, 'test/xnat/package.test.ts'), 'utf8')
      expect(test).toContain(packageReadme)
      const readme = await readFile(join(projectDir, packageReadme), 'utf8')
      expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(text)
    },
  },
  {
    what: 'the drawing',
    holds: ({ text }) => text.includes('hub, operators -->'),
    check({ text }) {
      const { functions, queues } = inject('service')
      const workers = globSync('functions/workers/*.ts', { cwd: projectDir }).map((file) => basename(file, '.ts'))
      for (const worker of workers) expect(text).toContain(worker)
      const ordered = queues.map(({ properties }) => JSON.stringify(properties['QueueName']))
      for (const [, name] of text.matchAll(/(\w+)\.fifo/g)) expect(ordered.join()).toMatch(new RegExp(`${name}\\.fifo`))
      const schedules = functions.flatMap(({ events }) => events.filter(({ kind }) => kind === 'schedule'))
      const [, minutes] = /every (\d+) minutes/.exec(text) ?? []
      expect(schedules).toMatchObject([{ everyMs: Number(minutes) * 60_000 }])
    },
  },
  {
    what: 'what npm start prints',
    holds: ({ text }) => text.includes('digests equal'),
    /** By the way in which `npm start` is tried, which looks for these lines by their shape. */
    check: ({ text }) => expect(text.trim().split('\n').length).toBeGreaterThan(5),
  },
  {
    what: 'forms of keys',
    holds: ({ text }) => text.startsWith('projects/{P}/'),
    check({ text }) {
      const kinds = text
        .trim()
        .split('\n')
        .map((line) => parseObjectKey(filled(line)).kind)
      expect(new Set(kinds)).toEqual(new Set(['file', 'session']))
    },
  },
  {
    what: 'the image tree',
    holds: ({ text }) => text.startsWith('{net}/upload/'),
    check({ text }) {
      const [upload = '', scans = '', assessors = '', marker = ''] = text
        .trim()
        .split('\n')
        .map((line) => line.replace('{net}', 'net').replace('{hub project}', 'hub').replace('{accession}', 'ACC1'))
      const study = 'net/hub/ACC1/'
      expect(upload.startsWith(uploadPrefix('net'))).toBe(true)
      expect(filled(scans).slice(study.length)).toMatch(partShape({ assessorType: 'scan', resourceType: 'ALL' }))
      expect(filled(assessors).slice(study.length)).toMatch(
        partShape({ assessorType: 'assessor', resourceType: 'ALL' }),
      )
      for (const assessorType of StudyPart.shape.assessorType.options) {
        const named = marker.split(/ {3,}/)[0]?.replace('{scan|assessor}', assessorType)
        expect(named?.replace('{R|ALL}', 'ALL')).toBe(markerKey(folder, { assessorType, resourceType: 'ALL' }))
      }
    },
  },
  {
    what: 'where things live',
    holds: ({ text }) => /^functions\/ /.test(text),
    check({ text }) {
      let above = ''
      const named = text
        .trim()
        .split('\n')
        .flatMap((line) => {
          const [, indent = '', names = ''] = /^( *)(\S+(?: \S+\.ts)*)/.exec(line) ?? []
          if (indent === '') above = names
          return [indent === '' ? names : above + names]
        })
      expect(named.length).toBeGreaterThan(10)
      expect(named.filter((path) => globSync(path, { cwd: projectDir }).length === 0)).toEqual([])
      const inside = [...text.matchAll(/(?<= )[\w-]+\.ts(?= )/g)].map(([file]) => `lib/${file}`)
      expect(inside.filter((file) => globSync(file, { cwd: projectDir }).length === 0)).toEqual([])
    },
  },
  {
    what: 'a question to the logs',
    holds: ({ text }) => text.startsWith('filter '),
    /** A field that is not on the logger's list is left out of the line. */
    check({ text }) {
      const [, filter = '', display = ''] = /^filter (\w+) .*\| display (.*)$/m.exec(text) ?? []
      const fields = [filter, ...display.split(', ')]
      let line = ''
      const log = createLogger({
        level: 'info',
        write: (written) => {
          line = written
        },
      })
      log.info('said', Object.fromEntries(fields.map((field) => [field, 1])))
      expect(Object.keys(JSON.parse(line))).toEqual(expect.arrayContaining(fields))
    },
  },
]
