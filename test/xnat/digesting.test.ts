import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { digesting } from '../../lib/xnat/digesting.ts'

async function* source(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part)
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

it.each([
  ['a single chunk', ['all']],
  ['several chunks', ['one', 'two', 'three']],
])('tells the digest to a reader that has %s and does not ask for more', async (_, parts) => {
  const told: string[] = []
  const chunks = digesting(source(...parts), (digest) => told.push(digest))
  for (const part of parts) {
    expect(told).toEqual([])
    expect((await chunks.next()).value?.toString()).toBe(part)
  }
  expect(told).toEqual([md5(parts.join(''))])
  expect((await chunks.next()).done).toBe(true)
  expect(told).toHaveLength(1)
})

it('tells that of nothing', async () => {
  const told: string[] = []
  const chunks = digesting(source(), (digest) => told.push(digest))
  expect((await chunks.next()).done).toBe(true)
  expect(told).toEqual([md5('')])
})

it('tells the one that is known, and none of a source that broke off', async () => {
  const told: string[] = []
  for await (const _ of digesting(source('x'), (digest) => told.push(digest), { known: 'known' }));
  expect(told).toEqual(['known'])
  const broken = digesting(brokenSource(), (digest) => told.push(digest))
  expect((await broken.next()).done).toBe(false)
  await expect(broken.next()).rejects.toThrow('broke off')
  expect(told).toHaveLength(1)
})

async function* brokenSource(): AsyncGenerator<Buffer> {
  yield Buffer.from('a')
  yield Buffer.from('b')
  throw new Error('it broke off')
}
