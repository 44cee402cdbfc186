/** Gives the smallest first, and equal ones in the order in which they came: a binary heap. */
export class PriorityQueue<Item> {
  readonly #heap: { rank: number; number: number; item: Item }[] = []
  #added = 0

  get size(): number {
    return this.#heap.length
  }

  add(rank: number, item: Item): void {
    const entry = { rank, number: this.#added, item }
    this.#added += 1
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || !isBefore(entry, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = entry
  }

  takeFirst(): { rank: number; item: Item } | undefined {
    const [first] = this.#heap
    const last = this.#heap.pop()
    if (last !== undefined && last !== first) this.#sink(last)
    return first
  }

  #sink(entry: { rank: number; number: number; item: Item }): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      if (left === undefined) break
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (!isBefore(child, entry)) break
      heap[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = entry
  }
}

const isBefore = (a: { rank: number; number: number }, b: { rank: number; number: number }) =>
  a.rank === b.rank ? a.number < b.number : a.rank < b.rank
