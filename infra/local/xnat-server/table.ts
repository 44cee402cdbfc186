import type * as z from 'zod'
import type { Change } from './journal.ts'
import { Groups } from './table-indexes.ts'

/** Follows every change of a table, what is read back at the start included. */
export interface TableIndex<T> {
  change(before: T | undefined, after: T | undefined): void
}

interface TableOptions<T> {
  name: string
  schema: z.ZodType<T>
  keyOf: (record: T) => string
  /** Records of one group are found without walking the whole table. */
  groupOf?: (record: T) => string
  /** Further ways to find records. */
  indexes?: readonly TableIndex<T>[]
}

interface Watcher<T> {
  created: (record: T) => void
  deleted?: (record: T) => void
}

/** Records by key, in the order in which they were created. Records are values: change one by putting another. */
export class Table<T> {
  readonly #options: TableOptions<T>
  readonly #save: (change: Change) => void
  readonly #records = new Map<string, T>()
  readonly #groups: Groups<T>
  readonly #indexes: readonly TableIndex<T>[]
  #watcher: Watcher<T> | undefined

  constructor(options: TableOptions<T>, save: (change: Change) => void) {
    const { keyOf, groupOf, indexes = [] } = options
    this.#options = options
    this.#save = save
    this.#groups = new Groups(keyOf, groupOf === undefined ? () => [] : (record) => [groupOf(record)])
    this.#indexes = [this.#groups, ...indexes]
  }

  get name(): string {
    return this.#options.name
  }

  get(key: string): T | undefined {
    return this.#records.get(key)
  }

  all(): T[] {
    return [...this.#records.values()]
  }

  group(group: string): T[] {
    return this.#groups.get(group)
  }

  find(matches: (record: T) => boolean): T | undefined {
    for (const record of this.#records.values()) if (matches(record)) return record
    return undefined
  }

  put(record: T): T {
    const key = this.#options.keyOf(record)
    const isNew = !this.#records.has(key)
    this.#save({ table: this.name, key, record })
    this.#set(key, record)
    if (isNew) this.#watcher?.created(record)
    return record
  }

  delete(key: string): void {
    const record = this.#records.get(key)
    if (record === undefined) return
    this.#save({ table: this.name, key })
    this.#remove(key)
    this.#watcher?.deleted?.(record)
  }

  /** Tells of every new record, and of every one that goes; not of those read back at the start. */
  watch(watcher: Watcher<T>): void {
    this.#watcher = watcher
  }

  replay(change: Change): void {
    if (change.record === undefined) this.#remove(change.key)
    else this.#set(change.key, this.#options.schema.parse(change.record))
  }

  changes(): Change[] {
    return [...this.#records].map(([key, record]) => ({ table: this.name, key, record }))
  }

  #set(key: string, record: T): void {
    const before = this.#records.get(key)
    this.#records.set(key, record)
    for (const index of this.#indexes) index.change(before, record)
  }

  #remove(key: string): void {
    const before = this.#records.get(key)
    this.#records.delete(key)
    for (const index of this.#indexes) index.change(before, undefined)
  }
}
