import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseObjectKey } from '../../lib/delivery/object-key.ts'

describe('an object key', () => {
  it.each([
    [
      'projects/P/subjects/S/experiments/E/scans/1-MR1/resources/DICOM/files/a/b c.dcm',
      { projectId: 'P', subject: 'S', experiment: 'E', scanId: '1-MR1', resourceLabel: 'DICOM' },
      'a/b c.dcm',
    ],
    [
      'projects/P/experiments/E/scans/1/resources/R/files/x',
      { projectId: 'P', experiment: 'E', scanId: '1', resourceLabel: 'R' },
      'x',
    ],
    [
      'projects/P/subjects/S/experiments/E/resources/R/files/x',
      { projectId: 'P', subject: 'S', experiment: 'E', resourceLabel: 'R' },
      'x',
    ],
    ['projects/P/subjects/S/resources/R/files/x', { projectId: 'P', subject: 'S', resourceLabel: 'R' }, 'x'],
    ['projects/P/resources/R/files/x', { projectId: 'P', resourceLabel: 'R' }, 'x'],
    [
      'projects/P/resources/R/files/files/resources/y/files/z',
      { projectId: 'P', resourceLabel: 'R' },
      'files/resources/y/files/z',
    ],
    [
      'projects/P/subjects/S/experiments/E/assessors/A/in/resources/R/files/x',
      { projectId: 'P', subject: 'S', experiment: 'E', assessor: 'A', direction: 'in', resourceLabel: 'R' },
      'x',
    ],
    ['projects/hub:3f2b.c-1/resources/R/files/x', { projectId: 'hub:3f2b.c-1', resourceLabel: 'R' }, 'x'],
    ['projects/P/resources/R/files/_SUCCESS', { projectId: 'P', resourceLabel: 'R' }, '_SUCCESS'],
    ['projects/P/resources/R/files/größe/磁共振.dcm', { projectId: 'P', resourceLabel: 'R' }, 'größe/磁共振.dcm'],
  ])('names a resource and a file: %s', (key, target, path) => {
    expect(parseObjectKey(key)).toEqual({ kind: 'file', target, path, prefix: key.slice(0, -path.length) })
  })

  it.each([
    ['a.zip', 'archive'],
    ['x/y.TAR.GZ', 'archive'],
    ['b.tgz', 'archive'],
    ['c.tar', 'archive'],
    ['_SUCCESS', 'marker'],
    ['series 1/_SUCCESS', 'marker'],
    ['series 1/0001', 'loose'],
    ['a_SUCCESS', 'loose'],
    ['d.gz', 'loose'],
  ])('names DICOM of a session: %s is its %s part', (path, part) => {
    const prefix = 'projects/P/subjects/S/experiments/E/dicom/'
    const target = { projectId: 'P', subject: 'S', experiment: 'E' }
    expect(parseObjectKey(prefix + path)).toEqual({ kind: 'session', target, prefix, path, part })
  })

  it('that ends in a slash is a folder', () => {
    expect(parseObjectKey('projects/P/resources/R/files/sub/')).toEqual({ kind: 'folder' })
  })

  it.each([
    'a.dcm',
    '/projects/P/resources/R/files/x',
    'projects/P/resources/R/x',
    'projects//resources/R/files/x',
    'projects/../resources/R/files/x',
    'projects/P/subjects/../resources/R/files/x',
    'projects/P/subjects/S 1/resources/R/files/x',
    'projects/P/subjects/S%2F1/resources/R/files/x',
    'projects/P;x/resources/R/files/x',
    'projects/P/scans/1/resources/R/files/x',
    'projects/P/subjects/S/scans/1/resources/R/files/x',
    'projects/P/resources/123/files/x',
    'projects/P/experiments/E/assessors/A/resources/R/files/x',
    'projects/P/experiments/E/assessors/A/both/resources/R/files/x',
    'projects/P/experiments/E/dicom/a.zip',
    'projects/P/subjects/S/experiments/E/dicom/../a.zip',
    'projects/hub:/resources/R/files/x',
    'projects/HUB:1/resources/R/files/x',
    `projects/${'P'.repeat(300)}/resources/R/files/x`,
    "projects/P/resources/R'/files/x",
    'projects/P/resources/R/files/../x',
    'projects/P/resources/R/files/a/./x',
    'projects/P/resources/R/files/a//x',
    'projects/P/resources/R/files/a\\x',
    'projects/P/resources/R/files/a\nx',
    'projects/P/resources/R/files/a\u0000x',
    'projects/P/resources/R/files/scan_1_catalog.xml',
    `projects/P/subjects/${'S'.repeat(300)}/resources/R/files/x`,
  ])('that XNAT could not store under that very name is refused: %j', (key) => {
    expect(() => parseObjectKey(key)).toThrow(expect.objectContaining({ code: 'KEY_NOT_UNDERSTOOD', retry: 'never' }))
  })

  it('never appears in the refusal', () => {
    expect(() => parseObjectKey('projects/P/subjects/SMITH JOHN/resources/R/files/x')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('SMITH') }),
    )
  })

  it('gives only parts that are one safe path segment each, whatever it holds', () => {
    const part = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('..', '.', '%2e', 'a b', 'É'))
    const key = fc
      .tuple(part, part, part, part, part, part)
      .map(([p, s, e, n, r, f]) => `projects/${p}/subjects/${s}/experiments/${e}/scans/${n}/resources/${r}/files/${f}`)
    fc.assert(
      fc.property(key, (text) => {
        try {
          const parsed = parseObjectKey(text)
          if (parsed.kind === 'folder') return
          expect(parsed.prefix + parsed.path).toBe(text)
          for (const value of Object.values(parsed.target)) expect(value).toMatch(/^(?!\.{1,2}$)[A-Za-z0-9._-]+$/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'KEY_NOT_UNDERSTOOD' })
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
