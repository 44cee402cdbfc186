import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import { basic, type Site, scanFiles, test } from './site.ts'

const mebibyte = Buffer.alloc(1024 * 1024, 7)
const sizeMiB = 512
/** What may be in flight at once: socket buffers, the pieces of a stream, and some slack for the collector. */
const allowedMiB = 150

describe('a file of half a gigabyte', () => {
  test('is stored, digested and read back without being held in memory', { timeout: 120_000 }, async ({ site }) => {
    const before = process.memoryUsage().rss
    const peak = watchMemory()
    expect(await upload(site)).toEqual({ status: 200, text: '' })
    const [file] = (await site.send(`GET ${scanFiles}`)).rows()
    expect(file).toMatchObject({ Size: String(sizeMiB * 1024 * 1024), digest: 'f3074860f0778cb6d0b790229079b11e' })
    expect(await readLength(site)).toBe(sizeMiB * 1024 * 1024)
    expect((peak.stop() - before) / mebibyte.length).toBeLessThan(allowedMiB)
  })
})

function upload(site: Site): Promise<{ status: number; text: string }> {
  const { url, user, password } = site.server
  const headers = {
    ...basic(user, password),
    'content-type': 'application/octet-stream',
    'content-length': sizeMiB * mebibyte.length,
  }
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${scanFiles}/big.bin?inbody=true`, { method: 'PUT', headers }, (reply) => {
      text(reply).then((body) => resolve({ status: reply.statusCode ?? 0, text: body }), reject)
    })
    sent.once('error', reject)
    let left = sizeMiB
    const write = () => {
      for (; left > 0; left -= 1) {
        if (!sent.write(mebibyte)) {
          left -= 1
          sent.once('drain', write)
          return
        }
      }
      sent.end()
    }
    write()
  })
}

function readLength(site: Site): Promise<number> {
  const { url, user, password } = site.server
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${scanFiles}/big.bin`, { headers: basic(user, password) }, (reply) => {
      let length = 0
      reply.on('data', (chunk: Buffer) => {
        length += chunk.length
      })
      reply.once('end', () => resolve(length))
      reply.once('error', reject)
    })
    sent.once('error', reject)
    sent.end()
  })
}

function watchMemory(): { stop(): number } {
  let peak = 0
  const look = () => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  const timer = setInterval(look, 20)
  return {
    stop() {
      look()
      clearInterval(timer)
      return peak
    },
  }
}
