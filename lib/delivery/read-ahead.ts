/**
 * Opens sources in their order, `ahead` of them at a time, while the first is being read: the wait for each source's
 * first byte is spent during the one before it. When the reader stops early, what was opened and not handed over is
 * given to `discard`.
 */
export async function* readAhead<Item, Opened>(
  items: readonly Item[],
  options: { ahead: number; open: (item: Item) => Promise<Opened>; discard: (opened: Opened) => void },
): AsyncGenerator<{ item: Item; opened: Opened }> {
  const waiting: { item: Item; opened: Promise<Opened> }[] = []
  let next = 0
  const fill = () => {
    while (waiting.length < options.ahead && next < items.length) {
      const item = items[next]
      next += 1
      if (item === undefined) return
      const opened = options.open(item)
      // A failure is met when its turn comes; until then it must not count as unhandled.
      opened.catch(() => undefined)
      waiting.push({ item, opened })
    }
  }
  try {
    for (fill(); waiting.length > 0; fill()) {
      const first = waiting.shift()
      if (first === undefined) return
      fill()
      yield { item: first.item, opened: await first.opened }
    }
  } finally {
    for (const { opened } of waiting) opened.then(options.discard, () => undefined)
  }
}
