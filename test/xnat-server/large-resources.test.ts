import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import { describe, expect } from 'vitest'
import { scanFiles, session, test } from './site.ts'

const bytes = { 'content-type': 'application/octet-stream' }

describe('a resource of 10,000 files', () => {
  test('is unpacked, listed, counted and added to', { timeout: 120_000 }, async ({ site }) => {
    const packing = pack()
    for (let i = 0; i < 10_000; i += 1) packing.entry({ name: `d${i % 100}/f${i}.dcm` }, Buffer.alloc(64, i))
    packing.finalize()
    const body = await buffer(packing)
    const stored = await site.send(`PUT ${scanFiles}/x.tar?inbody=true&extract=true`, { headers: bytes, body })
    expect({ status: stored.status, text: stored.text }).toEqual({ status: 200, text: '' })
    await site.send(`PUT ${scanFiles}/one-more?inbody=true`, { headers: bytes, body: 'x' })
    expect((await site.send(`GET ${scanFiles}`)).rows()).toHaveLength(10_001)
    const [resource] = (await site.send(`GET ${session}/scans/1/resources`)).rows()
    expect(resource).toMatchObject({ file_count: '10001', file_size: '640001' })
  })
})
