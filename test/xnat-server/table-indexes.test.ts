import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { Table } from '../../infra/local/xnat-server/table.ts'
import { Groups, Lines } from '../../infra/local/xnat-server/table-indexes.ts'

const Ticket = z.object({ id: z.number(), desk: z.string().optional(), rank: z.number(), owners: z.array(z.string()) })
type Ticket = z.infer<typeof Ticket>

const ticket: fc.Arbitrary<Ticket> = fc.record({
  id: fc.nat(12),
  desk: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
  rank: fc.nat(3),
  owners: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
})
const change = fc.oneof(
  ticket.map((put) => ({ put })),
  fc.nat(12).map((remove) => ({ remove })),
)

const compare = (one: Ticket, other: Ticket) => one.rank - other.rank || one.id - other.id
const byId = (tickets: readonly Ticket[]) => tickets.toSorted((one, other) => one.id - other.id)

describe('the indexes of a table', () => {
  it('know, after any changes, what a walk through the table would find', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const lines = new Lines<Ticket>({ lineOf: ({ desk }) => desk, compare })
        const owners = new Groups<Ticket>(
          ({ id }) => String(id),
          (each) => each.owners,
        )
        const table = new Table<Ticket>(
          { name: 't', schema: Ticket, keyOf: ({ id }) => String(id), indexes: [lines, owners] },
          () => undefined,
        )
        for (const each of changes) {
          if ('put' in each) table.put(each.put)
          else table.delete(String(each.remove))
        }
        for (const desk of ['a', 'b']) {
          const waiting = table.all().filter((each) => each.desk === desk)
          expect(lines.line(desk)).toEqual(waiting.toSorted(compare))
          expect([...lines.names()].includes(desk)).toBe(waiting.length > 0)
        }
        for (const owner of ['x', 'y', 'z']) {
          expect(byId(owners.get(owner))).toEqual(byId(table.all().filter((each) => each.owners.includes(owner))))
        }
      }),
    )
  })
})
