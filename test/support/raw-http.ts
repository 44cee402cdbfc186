// HTTP/1.1 as bytes on a connection: sent as they are, and seen as they were sent.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface RawAnswer {
  status: number
  head: string
  body: string
}

/** Sends one request on a connection of its own, and reads its answer, which has to tell its length. */
export async function sendRaw(baseUrl: string, request: Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(baseUrl)
  const socket = connect(Number(port), hostname)
  socket.write(request)
  try {
    let received = Buffer.alloc(0)
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk])
      const answer = wholeAnswer(received)
      if (answer !== undefined) return answer
    }
    throw new Error(`the connection ended within the answer: ${received}`)
  } finally {
    socket.destroy()
  }
}

function wholeAnswer(received: Buffer): RawAnswer | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = received.subarray(0, end).toString('latin1')
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? []
  const [, length] = /^content-length: (\d+)$/im.exec(head) ?? []
  if (status === undefined || length === undefined) throw new Error(`no answer that tells its length: ${head}`)
  const body = received.subarray(end + 4)
  return body.length < Number(length) ? undefined : { status: Number(status), head, body: body.toString() }
}

export interface Recorder {
  url: string
  /** All bytes that clients sent, in the order in which they came. */
  sent(): Buffer
  stop(): Promise<void>
}

/** Stands before a server and keeps what clients send to it. */
export async function startRecorder(baseUrl: string): Promise<Recorder> {
  const { hostname, port } = new URL(baseUrl)
  const chunks: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      // Either end may leave at will; the other then has nobody to talk to.
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
    client.on('data', (chunk: Buffer) => chunks.push(chunk))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the recorder listens on no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    sent: () => Buffer.concat(chunks),
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
