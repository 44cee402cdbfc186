/** A request's query as XNAT's resources read it. */
export class Query {
  readonly #params: URLSearchParams

  constructor(text: string) {
    this.#params = new URLSearchParams(text)
  }

  has(name: string): boolean {
    return this.#params.has(name)
  }

  // XNAT: query values are XML-escaped on reading, so & and < in metadata come back escaped (SecureResource.java getQueryVariable).
  get(name: string): string | undefined {
    const value = this.#params.get(name)
    return value === null ? undefined : escapeXml(value)
  }

  all(name: string): string[] {
    return this.#params.getAll(name).map(escapeXml)
  }

  // XNAT: any value but "false" and "0" is true, the empty one included (SecureResource.java isQueryVariableTrue).
  isTrue(name: string): boolean {
    const value = this.#params.get(name)
    return value !== null && value.toLowerCase() !== 'false' && value !== '0'
  }

  isFalse(name: string): boolean {
    const value = this.#params.get(name)
    return value !== null && (value.toLowerCase() === 'false' || value === '0')
  }

  keys(): string[] {
    return [...new Set(this.#params.keys())]
  }

  entries(): [name: string, value: string][] {
    return [...this.#params].map(([name, value]) => [name, escapeXml(value)])
  }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
