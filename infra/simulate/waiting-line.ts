/** First in, first out; Array.shift() moves all that is left when there is much. */
export class WaitingLine<Item> {
  #items: Item[] = []
  #start = 0

  join(item: Item): void {
    this.#items.push(item)
  }

  /** So many, or as many as there are. */
  take(count: number): Item[] {
    const taken = this.#items.slice(this.#start, this.#start + count)
    this.#start += taken.length
    if (this.#start > 10_000 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start)
      this.#start = 0
    }
    return taken
  }
}
