import { InvalidInputError } from '../errors.ts'
import type { Call, CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { filePath, xnatPath } from './path.ts'
import { resourcePath } from './resource-path.ts'
import { listFiles, type ResourceRef } from './resources.ts'

/**
 * Deletes a file, or with `folder` everything below a folder. Needs the right to delete, which members lack.
 *
 * @throws {InvalidInputError} DELETE_TAKES_OTHERS when XNAT would delete other files along with this one.
 */
export async function deleteFile(
  client: XnatClient,
  ref: ResourceRef,
  path: string,
  { folder = false, ...options }: CallOptions & { folder?: boolean } = {},
): Promise<{ kind: 'deleted'; paths: string[] } | { kind: 'not-there' }> {
  if (path.includes('*'))
    throw new InvalidInputError('A file name to delete cannot hold *', { code: 'DELETE_TAKES_OTHERS' })
  const target = xnatPath`${resourcePath(ref)}/files/${filePath(path)}`
  // XNAT: every file whose path begins with the given one is deleted (WEB/utils/CatalogUtils.java
  // findCatEntriesWithinPath), so "a" takes "a2.dcm" along.
  const prefix = folder ? `${path}/` : path
  const paths = (await listFiles(client, ref, options))
    .map((file) => file.path)
    .filter((each) => each.startsWith(prefix))
  if (paths.length === 0 || !(folder || paths.includes(path))) return { kind: 'not-there' }
  if (!folder && paths.length > 1) {
    throw new InvalidInputError('Other files begin with the same path', { code: 'DELETE_TAKES_OTHERS' })
  }
  const call: Call = { method: 'DELETE', path: folder ? xnatPath`${target}/` : target, accept: [404], ...options }
  const { status } = await client.send(call)
  return status === 404 ? { kind: 'not-there' } : { kind: 'deleted', paths }
}

/** Deletes a resource with its files. XNAT says the same whether it was there or not. */
export async function deleteResource(client: XnatClient, ref: ResourceRef, options: CallOptions = {}): Promise<void> {
  await client.send({ method: 'DELETE', path: resourcePath(ref), isSlow: true, ...options })
}
