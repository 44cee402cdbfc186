// Which files an overwrite has been begun on. XNAT writes over a file in place and lists it anew only at the end
// (WEB/helpers/FileWriterWrapper.java, WEB/utils/CatalogUtils.java): after a sending that broke off, its catalog may
// vouch for bytes that are gone. A marked file is therefore sent again, whatever the catalog says of it.
import * as z from 'zod'
import type { ObjectStore } from '../aws/objects.ts'
import { StorageError } from '../errors.ts'
import type { DeliveryTarget } from './object-key.ts'
import { deliveryGroup } from './order.ts'

const Marks = z.object({ paths: z.array(z.string()) })

interface MarkDeps {
  state: ObjectStore
  signal: AbortSignal
}

/** The marked paths of this resource: empty for nearly all, at all times. */
export async function readMarks(deps: MarkDeps, target: DeliveryTarget): Promise<ReadonlySet<string>> {
  return new Set((await storedMarks(deps, target)).paths)
}

/** Marks these paths; to be done before the first of their bytes goes out. */
export async function addMarks(deps: MarkDeps, target: DeliveryTarget, paths: ReadonlySet<string>): Promise<void> {
  await changeMarks(deps, target, (marked) => [...new Set([...marked, ...paths])])
}

/** Takes the marks of these paths away; to be done when XNAT's catalog has shown them as they were sent. */
export async function removeMarks(deps: MarkDeps, target: DeliveryTarget, paths: ReadonlySet<string>): Promise<void> {
  await changeMarks(deps, target, (marked) => marked.filter((path) => !paths.has(path)))
}

const markKey = (target: DeliveryTarget) => `overwriting/${deliveryGroup(target)}.json`

async function storedMarks(
  { state, signal }: MarkDeps,
  target: DeliveryTarget,
): Promise<{ paths: string[]; etag: string | undefined }> {
  const stored = await state.readText(markKey(target), { signal })
  if (stored === undefined) return { paths: [], etag: undefined }
  return { paths: Marks.parse(JSON.parse(stored.text)).paths, etag: stored.etag }
}

/** A resource has one writer; the tries are for the moment in which a queue holds an order to be lost that is not. */
const tries = 5

async function changeMarks(
  deps: MarkDeps,
  target: DeliveryTarget,
  change: (marked: readonly string[]) => string[],
): Promise<void> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const { paths, etag } = await storedMarks(deps, target)
    const changed = change(paths)
    if (changed.length === paths.length) return
    const { kind } = await deps.state.writeText(markKey(target), JSON.stringify({ paths: changed }), {
      contentType: 'application/json',
      signal: deps.signal,
      ...(etag === undefined ? { ifAbsent: true } : { ifMatch: etag }),
    })
    if (kind === 'written') return
  }
  throw new StorageError('the marks of a resource are being changed by others', { code: 'STORAGE_BUSY' })
}
