import type * as z from 'zod'
import type { Change } from './journal.ts'

interface TableOptions<T> {
  name: string
  schema: z.ZodType<T>
  keyOf: (record: T) => string
  /** Records of one group are found without walking the whole table. */
  groupOf?: (record: T) => string
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
  readonly #groups = new Map<string, Map<string, T>>()
  #watcher: Watcher<T> | undefined

  constructor(options: TableOptions<T>, save: (change: Change) => void) {
    this.#options = options
    this.#save = save
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
    return [...(this.#groups.get(group)?.values() ?? [])]
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
    this.#leaveGroup(key, record)
    this.#records.set(key, record)
    if (this.#options.groupOf === undefined) return
    const group = this.#options.groupOf(record)
    const members = this.#groups.get(group) ?? new Map<string, T>()
    members.set(key, record)
    this.#groups.set(group, members)
  }

  #remove(key: string): void {
    this.#leaveGroup(key, undefined)
    this.#records.delete(key)
  }

  #leaveGroup(key: string, successor: T | undefined): void {
    const present = this.#records.get(key)
    const { groupOf } = this.#options
    if (present === undefined || groupOf === undefined) return
    const group = groupOf(present)
    if (successor !== undefined && groupOf(successor) === group) return
    const members = this.#groups.get(group)
    members?.delete(key)
    if (members?.size === 0) this.#groups.delete(group)
  }
}
