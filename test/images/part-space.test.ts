import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Part, PartSpace } from '../../lib/images/part-space.ts'

const isSettled = async (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setImmediate(() => resolve(false)))])

it('never gives out a byte twice, whatever the order in which parts come back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 64 }), fc.nat())), async (steps) => {
      const space = new PartSpace(64)
      const held = new Map<Part, number>()
      let mark = 0
      for (const [size, pick] of steps) {
        const taking = space.take(size)
        while (!(await isSettled(taking))) free(held, pick)
        const part = await taking
        expect(part.bytes).toHaveLength(size)
        mark = (mark % 255) + 1
        part.bytes.fill(mark)
        held.set(part, mark)
        for (const [{ bytes }, value] of held) expect(bytes.every((byte) => byte === value)).toBe(true)
        if (pick % 3 === 0) free(held, pick)
      }
    }),
  )
})

function free(held: Map<Part, number>, pick: number): void {
  const part = [...held.keys()][pick % held.size]
  if (part === undefined) throw new Error('nothing is held, and yet there is no space')
  held.delete(part)
  part.free()
}
