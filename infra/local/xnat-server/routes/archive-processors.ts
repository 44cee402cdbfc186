// What the processors of arriving objects can do for a receiver (ArchiveProcessorInstanceApi.java).
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { requestFailure, requireUser, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

export const archiveProcessorXapiRoutes = [
  xapiRoute('/processors/site/canRemap/receiver/{AE_AND_PORT}', { GET: showCanRemap }),
]

function showCanRemap(exchange: Exchange): Reply {
  requireUser(exchange)
  const { params, xnat } = exchange
  const [aeTitle = '', port] = (params['AE_AND_PORT'] ?? '').split(':')
  // XNAT: neither the colon nor the number is looked for beforehand.
  if (port === undefined || !/^\d+$/.test(port)) throw requestFailure(500, `For input string: "${port ?? ''}"`)
  const receiver = xnat.state.dqr.receivers.find((each) => each.aeTitle === aeTitle && each.port === Number(port))
  if (receiver === undefined) {
    const detail = `No such instance with aeTitle '${aeTitle}' and port ${port}`
    throw xapiFailure(404, `Unable to find requested file or resource: ${detail}`)
  }
  return xapiJson(receiver.customProcessing && xnat.state.switches.remappingProcessor)
}
