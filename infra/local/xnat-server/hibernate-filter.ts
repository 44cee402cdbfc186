// Filters of XNAT's paginated lists (HibernateFilter.java).
import * as z from 'zod'

const Value = z.union([z.string(), z.number(), z.boolean()])
const operators = ['eq', 'ne', 'lt', 'gt', 'le', 'ge', 'like', 'ilike', 'in', 'between'] as const

export interface Filter {
  operator?: (typeof operators)[number] | undefined
  value?: string | number | boolean | undefined
  values?: (string | number | boolean)[] | undefined
  lo?: string | number | boolean | undefined
  hi?: string | number | boolean | undefined
  not?: boolean | undefined
  andFilters?: Filter[] | undefined
  orFilters?: Filter[] | undefined
}
export const Filter: z.ZodType<Filter> = z.object({
  operator: z.enum(operators).optional(),
  value: Value.optional(),
  values: z.array(Value).optional(),
  lo: Value.optional(),
  hi: Value.optional(),
  not: z.boolean().optional(),
  get andFilters() {
    return z.array(Filter).optional()
  },
  get orFilters() {
    return z.array(Filter).optional()
  },
})

type Cell = string | number | boolean | undefined

export function passes(cell: Cell, filter: Filter): boolean {
  const { andFilters = [], orFilters = [] } = filter
  if (andFilters.length > 0 || orFilters.length > 0) {
    return (
      andFilters.every((each) => passes(cell, each)) &&
      (orFilters.length === 0 || orFilters.some((each) => passes(cell, each)))
    )
  }
  return matches(cell, filter) !== (filter.not ?? false)
}

function matches(cell: Cell, { operator = 'ilike', value, values = [], lo, hi }: Filter): boolean {
  switch (operator) {
    case 'eq':
      return cell === value
    case 'ne':
      return cell !== value
    case 'lt':
      return order(cell, value) < 0
    case 'gt':
      return order(cell, value) > 0
    case 'le':
      return order(cell, value) <= 0
    case 'ge':
      return order(cell, value) >= 0
    case 'in':
      return values.some((each) => each === cell)
    case 'between':
      return order(cell, lo) >= 0 && order(cell, hi) <= 0
    case 'like':
      return String(cell ?? '').includes(String(value))
    case 'ilike':
      return String(cell ?? '')
        .toLowerCase()
        .includes(String(value).toLowerCase())
  }
}

function order(one: Cell, other: Cell): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return String(one ?? '') < String(other ?? '') ? -1 : String(one ?? '') > String(other ?? '') ? 1 : 0
}
