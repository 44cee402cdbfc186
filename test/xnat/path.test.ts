import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodedSegment, filePath, xnatPath } from '../../lib/xnat/path.ts'
import { isPlainFilePath } from '../../lib/xnat/resources.ts'

const unsafe = expect.objectContaining({ code: 'UNSAFE_PATH_VALUE', retry: 'never' })
const anyText = () =>
  fc.oneof(
    fc.stringMatching(/^[\w-]{1,9}$/),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme-composite' }),
    fc
      .array(
        fc.constantFrom(
          '.',
          '..',
          '/',
          '%2e',
          '%2F',
          '%',
          ';',
          '\\',
          '?',
          '#',
          ' ',
          '*',
          ',',
          '\n',
          '\r',
          'a',
          'é',
          '\ud800',
        ),
      )
      .map((parts) => parts.join('')),
  )

describe('a path', () => {
  it('puts values in their places and keeps them out of the template', () => {
    const path = xnatPath`/data/projects/${'P_1'}/subjects/${'S-1'}/experiments`
    expect(path.path).toBe('/data/projects/P_1/subjects/S-1/experiments')
    expect(path.template).toBe('/data/projects/{project}/subjects/{subject}/experiments')
  })

  it('continues another path', () => {
    const project = xnatPath`/data/projects/${'P'}`
    const path = xnatPath`${project}/resources/${'R'}/files/${filePath('a/b.txt')}`
    expect(path.path).toBe('/data/projects/P/resources/R/files/a/b.txt')
    expect(path.template).toBe('/data/projects/{project}/resources/{resource}/files/{file}')
  })

  it('names a value without a segment before it plainly', () => {
    expect(xnatPath`/data/prearchive/projects/${'P'}/${'20260101_000000'}`.template).toBe(
      '/data/prearchive/projects/{project}/{value}',
    )
  })

  it.each([
    '',
    '.',
    '..',
    'a/b',
    'a%2Fb',
    'a;b',
    'a\\b',
    'a b',
    'é',
    'a\nb',
    '*',
    'a,b',
    'a?b',
    'a#b',
    '\u0085',
    '\ud800',
  ])('refuses %j as an ID or label, without repeating it', (value) => {
    expect(() => xnatPath`/data/projects/${value}`).toThrow(unsafe)
    expect(() => xnatPath`/data/projects/${value}`).toThrow(/^A value cannot be part of an XNAT path$/)
  })

  it.each(['', '/a', 'a/', 'a//b', './a', 'a/../b', 'a%b', 'a;b', 'a\\b', 'a\r\nb', '\ud800'])(
    'refuses %j as a file path',
    (path) => {
      expect(() => filePath(path)).toThrow(unsafe)
    },
  )

  it('escapes what XNAT decodes in file names, and leaves alone what it would store escaped', () => {
    expect(filePath('a b+c/d(1)=@,:$.txt').encoded).toBe('a%20b%2Bc/d(1)=@,:$.txt')
    expect(decodedSegment('ann@example.org').encoded).toBe('ann%40example.org')
  })

  it('stays inside its template whatever the values are', () => {
    let accepted = 0
    fc.assert(
      fc.property(anyText(), anyText(), anyText(), (project, label, file) => {
        const path = orRefused(() => xnatPath`/data/projects/${project}/resources/${label}/files/${filePath(file)}`)
        if (path === undefined) return
        accepted += 1
        // What a URL parser, a proxy or a servlet container would make of it.
        const url = new URL(`http://xnat.example${path.path}?x=1`)
        const [, data, projects, first, resources, second, files, ...rest] = url.pathname.split('/')
        expect([data, projects, resources, files]).toEqual(['data', 'projects', 'resources', 'files'])
        expect([first, second, rest.map(decodeURIComponent).join('/')]).toEqual([project, label, file])
        expect(url.search + url.hash).toBe('?x=1')
        expect(path.path).toBe(url.pathname)
        expect(path.path).not.toMatch(/%2f|%5c|%25|%2e|;|\/\//i)
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(20)
  })
})

function orRefused<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    expect(error).toEqual(unsafe)
    return undefined
  }
}

describe('a plain file path', () => {
  it.each([
    'a',
    'a.dcm',
    'sub/folder/3.dcm',
    'with space.txt',
    'a+b.txt',
    'a b+c',
    '(1)_x-y~z=@,.nii.gz',
    'x.zip',
    '_',
    'a/b/c',
  ])('is %j', (path) => expect(isPlainFilePath(path)).toBe(true))

  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '.',
    '..',
    '../a',
    'a/./b',
    'a#b',
    'a?b',
    'a%20b',
    'é.txt',
    "a'b",
    'a&b',
    'a*',
    ' a',
    'a ',
    'a/ b',
    'a\nb',
    'x.zip/inner',
    'a\\b',
    'a;b',
    'a:b',
    'a!b',
  ])('is not %j', (path) => expect(isPlainFilePath(path)).toBe(false))

  it('is stored by XNAT under exactly its name', () => {
    fc.assert(
      fc.property(anyText(), (path) => {
        if (!isPlainFilePath(path)) return
        expect(storedName(filePath(path).encoded)).toBe(path)
      }),
      { numRuns: 3_000 },
    )
  })

  it('is told in linear time from one that is not', () => {
    const startedAt = performance.now()
    expect(isPlainFilePath(`${'a '.repeat(50_000)}#`)).toBe(false)
    expect(isPlainFilePath(`${'a/'.repeat(50_000)}#`)).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

// XNAT: the path is decoded, "+" to a space included, only if it holds %20 or %2B (RES/files/FileList.java).
function storedName(sent: string): string {
  return /%20|%2B/.test(sent) ? decodeURIComponent(sent.replaceAll('+', ' ')) : sent
}
