// Ways to find records of a table without walking all of it.
import type { TableIndex } from './table.ts'

/** Records by names they go by, in the order in which each got its name. */
export class Groups<T> implements TableIndex<T> {
  readonly #keyOf: (record: T) => string
  readonly #namesOf: (record: T) => readonly string[]
  readonly #groups = new Map<string, Map<string, T>>()

  constructor(keyOf: (record: T) => string, namesOf: (record: T) => readonly string[]) {
    this.#keyOf = keyOf
    this.#namesOf = namesOf
  }

  get(name: string): T[] {
    return [...(this.#groups.get(name)?.values() ?? [])]
  }

  change(before: T | undefined, after: T | undefined): void {
    const names = after === undefined ? [] : this.#namesOf(after)
    for (const name of before === undefined ? [] : this.#namesOf(before)) {
      if (!names.includes(name) && before !== undefined) this.#leave(name, this.#keyOf(before))
    }
    for (const name of names) {
      const members = this.#groups.get(name) ?? new Map<string, T>()
      if (after !== undefined) members.set(this.#keyOf(after), after)
      this.#groups.set(name, members)
    }
  }

  #leave(name: string, key: string): void {
    const members = this.#groups.get(name)
    members?.delete(key)
    if (members?.size === 0) this.#groups.delete(name)
  }
}

interface LineOptions<T> {
  /** The line a record stands in; undefined: none. */
  lineOf: (record: T) => string | undefined
  /** Who is before whom in the same line. Never 0 for two records. */
  compare: (one: T, other: T) => number
}

/** Records that wait in lines, each line in order. */
export class Lines<T> implements TableIndex<T> {
  readonly #options: LineOptions<T>
  readonly #lines = new Map<string, T[]>()

  constructor(options: LineOptions<T>) {
    this.#options = options
  }

  names(): Iterable<string> {
    return this.#lines.keys()
  }

  /** As it is now; it is another one after the next change. */
  line(name: string): readonly T[] {
    return this.#lines.get(name) ?? []
  }

  change(before: T | undefined, after: T | undefined): void {
    if (before !== undefined) this.#leave(before)
    if (after !== undefined) this.#join(after)
  }

  #leave(record: T): void {
    const name = this.#options.lineOf(record)
    if (name === undefined) return
    const line = this.#lines.get(name) ?? []
    line.splice(this.#placeIn(line, record), 1)
    if (line.length === 0) this.#lines.delete(name)
  }

  #join(record: T): void {
    const name = this.#options.lineOf(record)
    if (name === undefined) return
    const line = this.#lines.get(name) ?? []
    line.splice(this.#placeIn(line, record), 0, record)
    this.#lines.set(name, line)
  }

  /** Where the record is, or belongs. */
  #placeIn(line: readonly T[], record: T): number {
    let [from, to] = [0, line.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      const there = line[middle]
      if (there !== undefined && this.#options.compare(there, record) < 0) from = middle + 1
      else to = middle
    }
    return from
  }
}
