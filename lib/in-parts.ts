// Lists that are too long to be handled at once.

/** The list in parts of so many items, the last with the rest. */
export function* parts<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

/** Works on all items, a part of so many at a time, and gives the results in their order. */
export async function mapInParts<T, R>(items: readonly T[], act: (item: T) => Promise<R>, size = 32): Promise<R[]> {
  const results: R[] = []
  for (const part of parts(items, size)) results.push(...(await Promise.all(part.map(act))))
  return results
}
