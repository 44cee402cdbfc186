/**
 * The name under which XNAT stores a file whose URL path is `raw`.
 *
 * XNAT: the path is decoded only when it holds %20 or %2B, and then altogether; any other escape is stored as it
 * stands (FileList.java).
 */
export function storedPath(raw: string): string {
  return /%20|%2B/i.test(raw) ? decodeForm(raw) : raw
}

/** The names to try for a read: as sent, then decoded. */
export function readPaths(raw: string): string[] {
  const decoded = decodeForm(raw)
  return decoded === raw ? [raw] : [raw, decoded]
}

/** Whether a path stays below the folder it is relative to. */
export function isInside(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..')
}

// java.net.URLDecoder leaves nothing undecoded; a stray % is an exception there and stays a % here.
function decodeForm(raw: string): string {
  const spaced = raw.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch (error) {
    if (error instanceof URIError) return raw
    throw error
  }
}
