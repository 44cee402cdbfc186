// The stand-in's own routes, for scripts in another process: /__stand-in/faults and /__stand-in/requests.
import type { IncomingMessage } from 'node:http'
import { FaultOrder, type Faults } from './faults.ts'
import { emptyReply, jsonReply, type Reply, textReply } from './reply.ts'
import type { RequestLog } from './request-log.ts'

export const controlPrefix = '/__stand-in/'

export async function controlReply(
  request: IncomingMessage,
  parts: { faults: Faults; requests: RequestLog },
): Promise<Reply> {
  const { faults, requests } = parts
  switch (`${request.method} ${request.url}`) {
    case `POST ${controlPrefix}faults`:
      return arrangeFault(request, faults)
    case `DELETE ${controlPrefix}faults`:
      faults.clear()
      return emptyReply(204)
    case `GET ${controlPrefix}requests`:
      return jsonReply(requests.list())
    case `DELETE ${controlPrefix}requests`:
      requests.clear()
      return emptyReply(204)
    default:
      return textReply(`No control route ${request.method} ${request.url}`, 404)
  }
}

async function arrangeFault(request: IncomingMessage, faults: Faults): Promise<Reply> {
  let body = ''
  for await (const chunk of request) body += chunk
  const order = FaultOrder.safeParse(parseJson(body))
  if (!order.success) return textReply(order.error.message, 400)
  faults.next(order.data)
  return emptyReply(204)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
