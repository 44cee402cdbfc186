import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { AppError } from '../../lib/errors.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { bodyOf, createClient, isSignedIn, type ScriptedXnat, startScriptedXnat } from './scripted-xnat.ts'

const path = xnatPath`/data/upload`
const mebibyte = Buffer.alloc(1024 * 1024, 'x')

function zeros(sizeBytes: number): Readable {
  return Readable.from(
    (function* () {
      for (let left = sizeBytes; left > 0; left -= mebibyte.length) yield mebibyte.subarray(0, left)
    })(),
  )
}

function upload(openBody: () => Readable | Promise<Readable>, sizeBytes: number | undefined) {
  return { body: { openBody, sizeBytes, contentType: 'application/octet-stream' } }
}

it('opens the body anew for each try and sends all of it', async () => {
  const received: string[] = []
  const xnat = await startScriptedXnat(async (request, response) => {
    if (request.method === 'GET') return void response.end('still here')
    received.push((await bodyOf(request)).toString())
    response.writeHead(received.length === 1 ? 500 : 200).end()
  })
  const { client } = createClient(xnat.url)
  let opened = 0
  const open = () => {
    opened += 1
    return Readable.from([Buffer.from('abc'), Buffer.from('def')])
  }
  const reply = await client.put(path, upload(open, 6))
  expect(received).toEqual(['abcdef', 'abcdef'])
  expect(opened).toBe(2)
  expect(reply.tookWholeBody).toBe(true)
  expect(xnat.seen.at(-1)?.headers).toMatchObject({ 'content-length': '6', 'content-type': 'application/octet-stream' })
})

it('makes sure of its session before it sends a body again', async () => {
  const xnat = await startScriptedXnat((request, response) => {
    if (request.method === 'GET') return void response.end('still here')
    request.socket.destroy()
  })
  const { client } = createClient(xnat.url, { retry: { attempts: 2 } })
  await expect(
    client.put(
      path,
      upload(() => zeros(10), 10),
    ),
  ).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
  expect(xnat.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'PUT /data/upload',
    'GET /data/auth',
    'PUT /data/upload',
  ])
})

it('sends chunks when the length is unknown', async () => {
  const xnat = await startScriptedXnat(async (request, response) => {
    response.end(String((await bodyOf(request)).length))
  })
  const { client } = createClient(xnat.url)
  expect(
    (
      await client.put(
        path,
        upload(() => zeros(3_000_000), undefined),
      )
    ).text,
  ).toBe('3000000')
  expect(xnat.seen[0]?.headers).toMatchObject({ 'transfer-encoding': 'chunked' })
})

it.each([
  ['at once', () => new Readable({ read: failWith(new AppError('gone', { code: 'GONE', retry: 'later' })) })],
  ['on the way', () => Readable.from(breaking(new AppError('gone', { code: 'GONE', retry: 'later' })))],
  [
    'while opening',
    () => {
      throw new AppError('gone', { code: 'GONE', retry: 'later' })
    },
  ],
])("rethrows what the caller's body fails with %s, and does not try again", async (_, openBody) => {
  const xnat = await startScriptedXnat((request) => void request.resume())
  const { client } = createClient(xnat.url)
  let opened = 0
  const open = () => {
    opened += 1
    return openBody()
  }
  await expect(client.put(path, upload(open, 10 * mebibyte.length))).rejects.toMatchObject({
    name: 'AppError',
    message: 'gone',
    code: 'GONE',
  })
  expect(opened).toBe(1)
})

function failWith(error: Error) {
  return function read(this: Readable) {
    this.destroy(error)
  }
}

async function* breaking(error: Error) {
  yield mebibyte
  yield mebibyte
  throw error
}

it("lets XNAT see a broken upload when the caller's body fails", async () => {
  const outcome = Promise.withResolvers<string>()
  const xnat = await startScriptedXnat((request) => {
    request.once('end', () => outcome.resolve('complete')).once('error', () => outcome.resolve('broken'))
    request.resume()
  })
  const { client } = createClient(xnat.url)
  const size = 10 * mebibyte.length
  await expect(
    client.put(
      path,
      upload(() => Readable.from(breaking(new Error('gone'))), size),
    ),
  ).rejects.toThrow('gone')
  expect(await outcome.promise).toBe('broken')
})

it.each([
  ['shorter', 9],
  ['longer', 11],
])('refuses a body that turns out %s than announced, and does not try again', async (_, actual) => {
  const xnat = await startScriptedXnat((request) => void request.resume())
  const { client, slept } = createClient(xnat.url)
  const call = client.put(
    path,
    upload(() => zeros(actual), 10),
  )
  await expect(call).rejects.toMatchObject({ code: 'BODY_SIZE_DIFFERS', retry: 'never' })
  expect(slept).toEqual([])
})

it('survives a 401 sent before the body was read: one new sign-in, then the whole body', async () => {
  const size = 64 * mebibyte.length
  const starting: Promise<ScriptedXnat> = startScriptedXnat(async (request, response, seen) => {
    const xnat = await starting
    if (!isSignedIn(xnat, seen)) return void response.writeHead(401).end('<h3>who are you</h3>')
    if (request.method === 'GET') return void response.end('pong')
    let length = 0
    for await (const chunk of request) length += chunk.length
    response.end(String(length))
  })
  const xnat = await starting
  const { client } = createClient(xnat.url)
  await client.get(path)
  xnat.sessions.clear()
  const opened: Readable[] = []
  const open = () => {
    const body = zeros(size)
    opened.push(body)
    return body
  }
  const reply = await client.put(path, upload(open, size))
  expect(reply.text).toBe(String(size))
  expect(opened).toHaveLength(2)
  expect(opened.every((body) => body.destroyed)).toBe(true)
  expect(xnat.signIns).toHaveLength(2)
})

it('tells an answer that came before the body was read', async () => {
  const xnat = await startScriptedXnat((_, response) => void response.end())
  const { client } = createClient(xnat.url)
  const size = 64 * mebibyte.length
  expect(
    (
      await client.put(
        path,
        upload(() => zeros(size), size),
      )
    ).tookWholeBody,
  ).toBe(false)
})

it('believes an answer that comes at the last byte, before a slow source has ended', async () => {
  const xnat = await startScriptedXnat((request, response) => {
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length === 2 * mebibyte.length) response.end('stored')
    })
  })
  const { client } = createClient(xnat.url)
  const source = new Readable({ read: () => undefined })
  source.push(mebibyte)
  source.push(mebibyte)
  const reply = await client.put(
    path,
    upload(() => source, 2 * mebibyte.length),
  )
  expect(reply).toMatchObject({ text: 'stored', tookWholeBody: true })
  expect(source.destroyed).toBe(true)
})

it("lets go of the caller's body when XNAT stops reading", async () => {
  const xnat = await startScriptedXnat((request) => void request.pause())
  const { client } = createClient(xnat.url, { retry: { attempts: 1 }, timeouts: { headersMs: 300 } })
  let body: Readable | undefined
  const open = () => {
    body = zeros(64 * mebibyte.length)
    return body
  }
  const call = client.put(path, upload(open, 64 * mebibyte.length))
  await expect(call).rejects.toMatchObject({ code: 'XNAT_UNREACHABLE' })
  expect(body?.destroyed).toBe(true)
})

it("lets go of the caller's body when the caller stops", async () => {
  const xnat = await startScriptedXnat((request) => void request.pause())
  const { client } = createClient(xnat.url)
  const stop = new AbortController()
  let body: Readable | undefined
  const open = () => {
    body = zeros(64 * mebibyte.length)
    return body
  }
  const call = client.put(path, { ...upload(open, 64 * mebibyte.length), signal: stop.signal })
  setTimeout(() => stop.abort(new Error('time to go')), 100)
  await expect(call).rejects.toThrow('time to go')
  expect(body?.destroyed).toBe(true)
})
