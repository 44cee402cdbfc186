/**
 * Works on all items, so many at a time, and takes the next only when there is room for it. After a failure no further
 * item is begun.
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // All take from one generator: one that fails leaves its loop, and that ends the generator for all.
  const queue = (async function* () {
    yield* items
  })()
  const worker = async () => {
    for await (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
