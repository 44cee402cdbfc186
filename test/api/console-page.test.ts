import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildPage } from '../../infra/build-page.ts'
import { ask } from '../support/api-requests.ts'
import { testWired } from '../support/wired.ts'

const source = join(import.meta.dirname, '../../functions/api/console')
beforeAll(() => buildPage(source, join(source, 'dist')))

const get = (path: string, wired = testWired()) => ask(wired, { method: 'GET', path, headers: {} })

const parts = [
  ['/console/page.js', 'text/javascript; charset=utf-8'],
  ['/console/page.css', 'text/css; charset=utf-8'],
  ['/console/icon.svg', 'image/svg+xml'],
] as const

describe("the console's page", () => {
  it('is open, and holds nothing but the name of the key header', async () => {
    const wired = testWired({}, { TRUST_INTERNAL_SERVICE_KEY_HEADER: 'X-My-Key' })
    const { status, headers, text } = await get('/', wired)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(text).toContain('<meta name="key-header" content="x-my-key" />')
    expect(text).not.toMatch(/fake-key|\{\{/)
  })

  it('runs and styles nothing that stands in the page, loads nothing from elsewhere and goes into no frame', async () => {
    const { headers, text } = await get('/')
    expect(headers['content-security-policy']?.split('; ')).toEqual([
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
    ])
    expect(text).not.toMatch(/https?:|<style|\son\w+=|\sstyle=/)
    expect([...text.matchAll(/<script[^>]*>([^<]*)</g)].map(([, inline]) => inline)).toEqual([''])
  })

  it.each(parts)('has its part where it looks for it: %s', async (path, contentType) => {
    const part = await get(path)
    expect((await get('/')).text).toContain(`"${path}"`)
    expect(part.status).toBe(200)
    expect(part.headers['content-type']).toBe(contentType)
    expect(part.headers['x-content-type-options']).toBe('nosniff')
  })

  it('weighs at most 150 kB, as a network carries it', async () => {
    const texts = await Promise.all(['/', ...parts.map(([path]) => path)].map(async (path) => (await get(path)).text))
    const bytes = texts.reduce((sum, text) => sum + gzipSync(text).length, 0)
    expect(bytes).toBeLessThan(150_000)
  })
})
