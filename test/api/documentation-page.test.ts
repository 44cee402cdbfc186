import { describe, expect, it } from 'vitest'
import { ask } from '../support/api-requests.ts'
import { testWired } from '../support/wired.ts'

const get = (path: string, wired = testWired()) => ask(wired, { method: 'GET', path, headers: {} })

describe('the documentation page', () => {
  it('is open, and holds nothing but the name of the key header', async () => {
    const { status, headers, text } = await get('/docs')
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(text).toContain('<meta name="key-header" content="x-trust-internal-service-key" />')
    expect(text).not.toMatch(/fake-key|\/projects|\{\{/)
  })

  it('runs nothing but its own script, loads nothing from elsewhere and goes into no frame', async () => {
    const { headers, text } = await get('/docs')
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

  it.each([
    ['script', /<script src="([^"]+)"/, 'text/javascript; charset=utf-8'],
    ['style sheet', /<link rel="stylesheet" href="([^"]+)"/, 'text/css; charset=utf-8'],
  ])('has its %s where it looks for it', async (_, link, contentType) => {
    const [, path = ''] = link.exec((await get('/docs')).text) ?? []
    const part = await get(path)
    expect(part.status).toBe(200)
    expect(part.headers['content-type']).toBe(contentType)
    expect(part.text).not.toMatch(/https?:\/\//)
  })

  it('inserts nothing as markup and evaluates nothing', async () => {
    const { text } = await get('/docs/page.js')
    expect(text).toMatch(/createElement/)
    expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|Function\(/)
  })
})
