import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { structureFaults } from '../../infra/check-structure.ts'

let root: string | undefined
afterEach(() => {
  if (root !== undefined) rmSync(root, { recursive: true, force: true })
})

function tree(files: Record<string, string>): string {
  root = mkdtempSync(join(tmpdir(), 'structure-'))
  for (const [file, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), source)
  }
  return root
}

describe('the structure check', () => {
  it('finds nothing wrong with this project', () => {
    expect(structureFaults(join(import.meta.dirname, '../..'))).toEqual([])
  })

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a cycle of value imports',
      { 'lib/xnat/a.ts': "import { b } from './b.ts'", 'lib/xnat/b.ts': "import { a } from './a.ts'" },
      /cycle: lib\/xnat\/a\.ts -> lib\/xnat\/b\.ts -> lib\/xnat\/a\.ts/,
    ],
    [
      'a cycle through a dynamic import',
      { 'lib/xnat/a.ts': "import './b.ts'", 'lib/xnat/b.ts': "await import('./a.ts')" },
      /cycle/,
    ],
    [
      'an upward import',
      { 'lib/xnat/a.ts': "import { s } from '../services/s.ts'" },
      /lib\/xnat\/a\.ts imports lib\/services\/s\.ts/,
    ],
    [
      'an upward import of a type',
      { 'lib/aws/a.ts': "import type { W } from '../wire.ts'" },
      /lib\/aws\/a\.ts imports lib\/wire\.ts/,
    ],
    [
      'one service importing another',
      { 'lib/services/a.ts': "import { b } from './b.ts'" },
      /lib\/services\/a\.ts imports lib\/services\/b\.ts/,
    ],
    ['lib importing infra', { 'lib/log.ts': "import { x } from '../infra/x.ts'" }, /lib\/log\.ts imports infra/],
    [
      'the stand-in importing lib',
      { 'infra/local/xnat-server/a.ts': "import { x } from '../../../lib/errors.ts'" },
      /xnat-server\/a\.ts imports lib\/errors\.ts/,
    ],
    [
      'process.env outside the settings',
      { 'functions/api/a.ts': 'const x = process.env.HOME' },
      /functions\/api\/a\.ts reads process\.env/,
    ],
    ['the environment by another door', { 'lib/log.ts': "import { env } from 'node:process'" }, /reads process\.env/],
    [
      'the AWS SDK outside lib/aws',
      { 'lib/services/a.ts': "import { S3Client } from '@aws-sdk/client-s3'" },
      /only lib\/aws\//,
    ],
    ['undici outside the client', { 'lib/aws/a.ts': "import { Agent } from 'undici'" }, /only lib\/xnat\/client\.ts/],
    ['middy outside the handler', { 'functions/api/a.ts': "import middy from '@middy/core'" }, /only lib\/handler\.ts/],
    [
      'a page that knows the server',
      { 'functions/api/console/a.tsx': "import type { X } from '../retrieval.ts'" },
      /functions\/api\/console\/a\.tsx imports functions\/api\/retrieval\.ts/,
    ],
    [
      "a page that takes more than the server's types",
      { 'functions/api/console/answers.ts': "import { X } from '../retrieval.ts'" },
      /answers\.ts imports more than types/,
    ],
    [
      'a multi-line import',
      { 'functions/api/a.ts': "import {\n  x,\n  y,\n} from '../../lib/xnat/client.ts'" },
      /functions\/api\/a\.ts imports lib\/xnat\/client\.ts/,
    ],
  ])('tells of %s', (_, files, fault) => {
    expect(structureFaults(tree(files)).join('\n')).toMatch(fault)
  })

  it('lets types go round', () => {
    const files = { 'lib/xnat/a.ts': "import type { B } from './b.ts'", 'lib/xnat/b.ts': "import { a } from './a.ts'" }
    expect(structureFaults(tree(files))).toEqual([])
  })
})
