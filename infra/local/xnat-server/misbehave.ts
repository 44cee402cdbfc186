// What an arranged fault does to one request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { dispatch, redirectToLogin, unauthorized } from './dispatch.ts'
import type { Xnat } from './exchange.ts'
import type { Fault } from './faults.ts'
import { HttpFailure } from './http-failure.ts'
import { loginPage } from './login-page.ts'
import { failureReply, type Reply } from './reply.ts'

interface Victim {
  request: IncomingMessage
  response: ServerResponse
  xnat: Xnat
  stopped: AbortSignal
}

/** The reply to send, or undefined when the connection was cut or is left hanging. */
export async function misbehave(
  fault: Fault,
  { request, response, xnat, stopped }: Victim,
): Promise<Reply | undefined> {
  const answer = () => dispatch(request, xnat, { truncateStore: fault.kind === 'truncate-store' })
  switch (fault.kind) {
    case 'status':
      return failureReply(new HttpFailure(fault.status ?? 503))
    case 'hang':
      return undefined
    case 'slow':
      await sleep(fault.delayMs ?? 1000, undefined, { signal: stopped })
      return answer()
    case 'throttle':
      throttle(request, fault.delayMs ?? 1000)
      return answer()
    case 'cut-before':
      request.socket.destroy()
      return undefined
    case 'cut-during-request':
      // Whichever comes first: a request without a body is cut at its end.
      for (const event of ['data', 'end']) request.once(event, () => request.socket.destroy())
      return undefined
    case 'cut-during-reply':
      await cutReply(await answer(), response)
      return undefined
    case '500-after-write':
      await answer()
      return failureReply(new HttpFailure(500))
    case 'login-page':
      return loginPage()
    case 'redirect-to-login':
      return failureReply(redirectToLogin(xnat))
    case 'unauthorized':
      return failureReply(unauthorized(xnat, request.url ?? '/'))
    case 'truncate-store':
      return answer()
  }
}

/** Node: a request asks its socket for more through `_read` whenever its buffer of 64 KiB has been emptied. */
function throttle(request: IncomingMessage, delayMs: number): void {
  const read = request._read.bind(request)
  request._read = (size) => {
    setTimeout(() => read(size), delayMs)
  }
}

async function cutReply(reply: Reply, response: ServerResponse): Promise<void> {
  const half = await firstHalf(reply)
  if (half !== undefined) {
    response.writeHead(reply.status, reply.headers)
    await new Promise<void>((resolve) => response.write(half, () => resolve()))
  }
  response.destroy()
}

async function firstHalf({ body }: Reply): Promise<Buffer | undefined> {
  if (body === undefined) return undefined
  if (typeof body !== 'function') return halve(Buffer.from(body))
  for await (const chunk of body()) return halve(Buffer.from(chunk))
  return undefined
}

function halve(data: Buffer): Buffer {
  return data.subarray(0, Math.ceil(data.length / 2))
}
