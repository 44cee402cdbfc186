// A page for people with all that belongs to it, open to everyone: it asks for the key itself.
import { readFileSync } from 'node:fs'
import { type Route, textRoute } from '../../lib/handler.ts'

interface Page {
  /** Where the page is. */
  path: string
  /** Below which its parts are. */
  partsPath: string
  /** Files beside `page.html` that it is made of. */
  parts: readonly string[]
  /** Where these files lie. They are read when they are asked for first. */
  folder: URL
}

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Its own parts and its own API, nothing else; and no text can become markup or script, whoever tries. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Routes for a page and its parts. In the page `{{key-header}}` stands for the name of the service key's header. */
export function pageRoutes({ path, partsPath, parts, folder }: Page): Route[] {
  const html = textOf(folder, 'page.html')
  const page = textRoute({
    path,
    headers: { 'content-type': contentType('page.html'), 'content-security-policy': policy },
    // The settings allow only letters, digits and hyphens in the header's name.
    text: ({ config }) => html().replace('{{key-header}}', config.serviceKey.header),
  })
  const others = parts.map((name) =>
    textRoute({
      path: `${partsPath}/${name}`,
      headers: { 'content-type': contentType(name) },
      text: textOf(folder, name),
    }),
  )
  return [page, ...others]
}

const contentType = (name: string) => contentTypes[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain'

function textOf(folder: URL, name: string): () => string {
  let text: string | undefined
  return () => {
    text ??= readFileSync(new URL(name, folder), 'utf8')
    return text
  }
}
