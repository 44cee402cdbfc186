// An API that answers as the test says, and remembers what it was asked.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface ScriptedAnswer {
  status?: number
  headers?: Record<string, string>
  body: unknown
}

export interface ScriptedApi {
  url: string
  asked: { method: string; path: string; headers: IncomingHttpHeaders; body: unknown }[]
  stop(): Promise<void>
}

/** Gives these answers in their order, and the last one from then on. */
export async function startScriptedApi(answers: readonly ScriptedAnswer[]): Promise<ScriptedApi> {
  const asked: ScriptedApi['asked'] = []
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    const { status = 200, headers: said = {}, body } = answers[Math.min(asked.length, answers.length - 1)]!
    asked.push({ method, path, headers, body: headers['content-type'] === undefined ? undefined : await json(request) })
    response.writeHead(status, said).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
