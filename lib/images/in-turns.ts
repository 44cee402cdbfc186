/** Works on all items, so many at a time, and gives the results in their order. */
export async function mapSome<T, R>(
  items: readonly T[],
  act: (item: T, index: number) => Promise<R>,
  atATime = 32,
): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += atATime) {
    const some = items.slice(start, start + atATime)
    results.push(...(await Promise.all(some.map((item, index) => act(item, start + index)))))
  }
  return results
}
