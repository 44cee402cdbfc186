import { createHash } from 'node:crypto'
import { describe, expect, vi } from 'vitest'
import type { Fault } from '../../infra/local/xnat-server/faults.ts'
import { type Site, scanFiles, session, test } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }
const upload = (site: Site, body = 'content') => site.send(`PUT ${scanFiles}/a?inbody=true`, { headers: bytes, body })
const listed = async (site: Site) => (await site.send(`GET ${scanFiles}`)).rows()

const replies: [fault: Fault, status: number, text: RegExp][] = [
  [{ kind: 'status' }, 503, /Status page/],
  [{ kind: 'status', status: 429 }, 429, /Status page/],
  [{ kind: 'login-page' }, 200, /BEGIN xnat-templates\/screens\/Login\.vm/],
  [{ kind: 'redirect-to-login' }, 302, /^$/],
  [{ kind: 'unauthorized' }, 401, /HTTP Status 401/],
]

describe('arranged faults', () => {
  for (const [fault, status, text] of replies) {
    test(`${fault.kind} ${fault.status ?? ''} answers ${status} once and does nothing`, async ({ site }) => {
      site.server.faults.next(fault)
      const answer = await upload(site)
      expect(answer.status).toBe(status)
      expect(answer.text).toMatch(text)
      expect(await listed(site)).toEqual([])
      expect((await upload(site)).text).toBe('')
    })
  }

  test('throttle takes the body bit by bit, and whole', async ({ site }) => {
    site.server.faults.next({ when: { method: 'PUT' }, kind: 'throttle', delayMs: 50 })
    const startedAt = performance.now()
    expect((await upload(site, 'x'.repeat(2_000_000))).status).toBe(200)
    expect(performance.now() - startedAt).toBeGreaterThan(250)
    expect(await listed(site)).toMatchObject([{ Size: '2000000' }])
  })

  test('every hits each so-manieth of the requests that fit, as often as it may', async ({ site }) => {
    site.server.faults.next({ when: { method: 'PUT' }, kind: 'unauthorized', every: 3, times: 2 })
    const statuses = []
    for (let count = 0; count < 9; count += 1) {
      await listed(site)
      statuses.push((await upload(site)).status)
    }
    expect(statuses).toEqual([200, 200, 401, 200, 200, 401, 200, 200, 200])
  })

  test('500-after-write answers 500 for what was done', async ({ site }) => {
    site.server.faults.next({ kind: '500-after-write' })
    expect((await upload(site)).status).toBe(500)
    expect(await listed(site)).toMatchObject([{ Name: 'a', Size: '7' }])
  })

  test('truncate-store answers 200 for a file that lost its end, and lists it as it is', async ({ site }) => {
    site.server.faults.next({ when: { method: 'PUT' }, kind: 'truncate-store' })
    expect((await upload(site)).status).toBe(200)
    expect(await listed(site)).toMatchObject([{ Size: '3', digest: createHash('md5').update('con').digest('hex') }])
    expect((await site.send(`GET ${scanFiles}/a`)).text).toBe('con')
  })

  for (const kind of ['cut-before', 'cut-during-request'] as const) {
    test(`${kind} breaks the connection and does nothing`, async ({ site }) => {
      site.server.faults.next({ when: { method: 'PUT' }, kind })
      await expect(upload(site)).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/)
      expect(await listed(site)).toEqual([])
    })
  }

  test('cut-during-request breaks a request without a body too', async ({ site }) => {
    await site.send('GET /data/projects')
    site.server.faults.next({ kind: 'cut-during-request' })
    await expect(site.send('GET /data/projects')).rejects.toThrow(/socket hang up|ECONNRESET/)
  })

  test('cut-during-reply breaks the connection after half of the answer, and the work is done', async ({ site }) => {
    await upload(site, 'x'.repeat(100_000))
    site.server.faults.next({ when: { path: /\/files\/a$/ }, kind: 'cut-during-reply' })
    await expect(site.send(`GET ${scanFiles}/a`)).rejects.toThrow(/aborted|ECONNRESET/)
    site.server.faults.next({ when: { method: 'PUT' }, kind: 'cut-during-reply' })
    await expect(site.send(`PUT ${session}/resources/R`)).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect((await site.send(`GET ${session}/resources`)).rows()).toMatchObject([{ label: 'R' }])
  })

  test('hang gives no answer, and does not keep the server from stopping', async ({ site }) => {
    site.server.faults.next({ kind: 'hang' })
    const answer = site.send('GET /data/projects', { as: 'nobody' })
    const early = Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 100, 'nothing yet'))])
    expect(await early).toBe('nothing yet')
    const broken = expect(answer).rejects.toThrow()
    await site.server.stop()
    await broken
  })

  test('a slow answer does not keep the server from stopping either', async ({ site }) => {
    await site.send('GET /data/projects')
    site.server.faults.next({ kind: 'slow', delayMs: 60_000 })
    const broken = expect(site.send('GET /data/projects')).rejects.toThrow()
    await vi.waitFor(() => expect(site.server.requests.list().at(-1)?.status).toBeUndefined())
    await site.server.stop()
    await broken
  })

  test('slow answers late', async ({ site }) => {
    await site.send('GET /data/projects')
    site.server.faults.next({ kind: 'slow', delayMs: 150 })
    const began = performance.now()
    expect((await site.send('GET /data/projects')).status).toBe(200)
    expect(performance.now() - began).toBeGreaterThan(140)
  })

  test('a fault waits for the requests it is meant for, as often as it is told', async ({ site }) => {
    site.server.faults.next({ when: { method: 'GET', path: /\/scans$/ }, kind: 'status', status: 502, times: 2 })
    const statuses = []
    for (const what of ['GET /data/projects', `GET ${session}/scans`, `GET ${session}/scans`, `GET ${session}/scans`]) {
      statuses.push((await site.send(what)).status)
    }
    expect(statuses).toEqual([200, 502, 502, 200])
    site.server.faults.next({ kind: 'status' })
    site.server.faults.clear()
    expect((await site.send('GET /data/projects')).status).toBe(200)
  })

  test('another process arranges faults and reads the requests over HTTP', async ({ site }) => {
    const order = { when: { method: 'GET', path: 'projects' }, kind: 'status', status: 504 }
    const headers = { 'content-type': 'application/json' }
    expect(
      (await site.send('POST /__stand-in/faults', { as: 'nobody', headers, body: JSON.stringify(order) })).status,
    ).toBe(204)
    expect((await site.send('DELETE /__stand-in/requests', { as: 'nobody' })).status).toBe(204)
    expect((await site.send('GET /data/projects')).status).toBe(504)
    const requests = (await site.send('GET /__stand-in/requests', { as: 'nobody' })).json()
    expect(requests).toMatchObject([{ method: 'GET', path: '/data/projects', status: 504 }])
    await site.send('POST /__stand-in/faults', { as: 'nobody', headers, body: JSON.stringify(order) })
    await site.send('DELETE /__stand-in/faults', { as: 'nobody' })
    expect((await site.send('GET /data/projects')).status).toBe(200)
  })

  test('an order that is none is refused', async ({ site }) => {
    for (const body of ['{"kind":"explode"}', 'no json', '{"kind":"status","when":{"path":"("}}']) {
      expect((await site.send('POST /__stand-in/faults', { as: 'nobody', body })).status).toBe(400)
    }
  })

  test('the request log counts by method', async ({ site }) => {
    site.server.requests.clear()
    await site.send('GET /data/projects')
    await site.send('PUT /data/projects/P2')
    expect(site.server.requests.count()).toBe(2)
    expect(site.server.requests.count('PUT')).toBe(1)
  })
})
