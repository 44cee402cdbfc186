// A user's scratch space, a source for imports (UserDataCache.java).
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Exchange } from './exchange.ts'
import { isInside } from './file-path.ts'
import { HttpFailure } from './http-failure.ts'
import { ifMissing } from './missing.ts'

/** The folder of a user, or one of its resources. */
export function cacheFolder({ xnat, user }: Exchange, resource?: string): string {
  const names = [user?.username ?? 'guest', ...(resource === undefined ? [] : [resource])]
  return join(xnat.archive.userCache, ...names.map(folderName))
}

/** Where a file is, or would be. */
export function cachePath(exchange: Exchange, resource: string, path: string): string {
  if (!isInside(path)) throw new HttpFailure(400, 'Invalid Operation.')
  return join(cacheFolder(exchange, resource), path)
}

export async function cachedFile(exchange: Exchange, resource: string, path: string): Promise<string | undefined> {
  const file = cachePath(exchange, resource, path)
  const found = await stat(file).catch(ifMissing(undefined))
  return found?.isFile() === true ? file : undefined
}

export async function cachedFiles(exchange: Exchange, resource: string): Promise<string[] | undefined> {
  const folder = cacheFolder(exchange, resource)
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(ifMissing(undefined))
  return found
    ?.filter((file) => file.isFile())
    .map((file) => relative(folder, join(file.parentPath, file.name)))
    .toSorted()
}

function folderName(name: string): string {
  return encodeURIComponent(name).replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E'))
}
