import type { Sender } from './imports.ts'

/** What a reader gets of each file in a list of files, by its path. */
export async function fileContents(site: Sender, files: string): Promise<Record<string, string>> {
  const paths = (await site.send(`GET ${files}`)).rows().map(({ URI = '' }) => URI.slice(URI.indexOf('/files/') + 7))
  const read = async (path: string) => [path, (await site.send(`GET ${files}/${path}`)).text] as const
  return Object.fromEntries(await Promise.all(paths.map(read)))
}
