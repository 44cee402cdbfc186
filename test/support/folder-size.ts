import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** How many bytes there are in the files of a folder. */
export async function sizeOfFiles(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
