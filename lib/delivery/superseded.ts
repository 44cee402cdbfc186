import type { ObjectStore } from '../aws/objects.ts'
import { mapInParts } from '../in-parts.ts'
import type { OrderedObject } from './order.ts'

interface LookDeps {
  incoming: ObjectStore
  signal: AbortSignal
}

/** Up to so many objects are asked for one by one, all at a time; more are looked up in listings. */
const fewObjects = 16

/** Of these objects below `keyPrefix`, the paths of those that are no longer the version that was ordered, or gone. */
export async function findSuperseded(
  deps: LookDeps,
  keyPrefix: string,
  objects: readonly OrderedObject[],
): Promise<ReadonlySet<string>> {
  const etags =
    objects.length <= fewObjects
      ? await askedOneByOne(deps, keyPrefix, objects)
      : await foundInListings(deps, keyPrefix, objects)
  return new Set(objects.filter(({ path, etag }) => etags.get(keyPrefix + path) !== etag).map(({ path }) => path))
}

/** ETags by key. */
type Versions = Map<string, string>

async function askedOneByOne(
  { incoming, signal }: LookDeps,
  keyPrefix: string,
  objects: readonly OrderedObject[],
): Promise<Versions> {
  const versions: Versions = new Map()
  const look = async ({ path }: OrderedObject) => {
    const key = keyPrefix + path
    const info = await incoming.find(key, { signal })
    if (info !== undefined) versions.set(key, info.etag.replaceAll('"', ''))
  }
  await mapInParts(objects, look, fewObjects)
  return versions
}

/** What a page holds at most (S3: MaxKeys). */
const pageSize = 1000

/** Reads no more pages than the objects would fill twice over: what lies beyond them is asked for one by one. */
async function foundInListings(
  deps: LookDeps,
  keyPrefix: string,
  objects: readonly OrderedObject[],
): Promise<Versions> {
  const { incoming, signal } = deps
  // S3: listings are in the order of the keys' UTF-8 bytes (ListObjectsV2), which JavaScript's own is not.
  const ordered = objects.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
  const [first, last] = [ordered[0], ordered.at(-1)]
  const versions: Versions = new Map()
  if (first === undefined || last === undefined) return versions
  // All but its last character sorts before a name, and little else lies between.
  let startAfter = keyPrefix + [...first.path].slice(0, -1).join('')
  for (let pages = 2 * Math.ceil(objects.length / pageSize); pages > 0; pages -= 1) {
    const { objects: found, isComplete } = await incoming.list(keyPrefix, { startAfter, signal })
    for (const { key, etag } of found) versions.set(key, etag)
    startAfter = found.at(-1)?.key ?? startAfter
    if (isComplete || isAtOrAfter(startAfter, keyPrefix + last.path)) return versions
  }
  const beyond = ordered.filter(({ path }) => !isAtOrAfter(startAfter, keyPrefix + path))
  return new Map([...versions, ...(await askedOneByOne(deps, keyPrefix, beyond))])
}

const isAtOrAfter = (key: string, other: string) => Buffer.compare(Buffer.from(key), Buffer.from(other)) >= 0
