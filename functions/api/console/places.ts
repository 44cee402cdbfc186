// Places in the console as they are written behind the `#` of an address.

export interface Place {
  /** `/projects/P1` as `['projects', 'P1']`. */
  segments: readonly string[]
  query: URLSearchParams
}

export function parsePlace(text: string): Place {
  const [path = '', search = ''] = splitOnce(text.replace(/^#/, ''), '?')
  const segments = path.split('/').filter((segment) => segment !== '')
  return { segments: segments.map(decoded), query: new URLSearchParams(search) }
}

/** The address of a place, for links. What is undefined or empty is left out of the query. */
export function linkTo(segments: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []))
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`
  return `#/${segments.map(encodeURIComponent).join('/')}${search}`
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    if (error instanceof URIError) return segment
    throw error
  }
}
