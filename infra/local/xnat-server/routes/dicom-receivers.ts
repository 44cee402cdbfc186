// XNAT's own SCP receivers (X:DicomSCPApi.java, X:DicomSCPInstance.java).
import * as z from 'zod'
import { entityJson } from '../dqr/entity.ts'
import { addReceiver } from '../dqr/receivers.ts'
import type { Receiver } from '../dqr/records.ts'
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import {
  bareReply,
  pathNumber,
  readJson,
  requestFailure,
  requireAdmin,
  requireUser,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

export const dicomReceiverXapiRoutes = [
  xapiRoute('/dicomscp', { GET: listReceivers, POST: createReceiver }),
  xapiRoute('/dicomscp/{ID}', { GET: showReceiver, PUT: changeReceiver, DELETE: deleteReceiver }),
]

const ReceiverSettings = z.object({
  aeTitle: z.string().exactOptional(),
  port: z.number().exactOptional(),
  identifier: z.string().exactOptional(),
  enabled: z.boolean().exactOptional(),
  customProcessing: z.boolean().exactOptional(),
  directArchive: z.boolean().exactOptional(),
  anonymizationEnabled: z.boolean().exactOptional(),
  whitelistEnabled: z.boolean().exactOptional(),
})
const NewReceiverSettings = ReceiverSettings.extend({ aeTitle: z.string(), port: z.number() })

function listReceivers(exchange: Exchange): Reply {
  requireUser(exchange)
  return xapiJson(exchange.xnat.state.dqr.receivers.all().map(receiverJson))
}

async function createReceiver(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  return xapiJson(receiverJson(addReceiver(exchange.xnat, await readJson(exchange, NewReceiverSettings))))
}

function showReceiver(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(receiverJson(requireReceiver(exchange)))
}

async function changeReceiver(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const { xnat } = exchange
  const present = requireReceiver(exchange)
  const changes = await readJson(exchange, ReceiverSettings)
  return xapiJson(
    receiverJson(xnat.state.dqr.receivers.put({ ...present, ...changes, changedMs: xnat.now().getTime() })),
  )
}

function deleteReceiver(exchange: Exchange): Reply {
  requireAdmin(exchange)
  exchange.xnat.state.dqr.receivers.delete(String(requireReceiver(exchange).id))
  return bareReply(200)
}

function requireReceiver(exchange: Exchange): Receiver {
  const id = pathNumber(exchange, 'ID')
  const receiver = exchange.xnat.state.dqr.receivers.get(String(id))
  if (receiver === undefined) throw requestFailure(404, `Could not find entity with ID ${id}`)
  return receiver
}

function receiverJson(receiver: Receiver) {
  const { id: _id, createdMs: _created, changedMs: _changed, ...settings } = receiver
  const { enabled: _enabled, ...entity } = entityJson(receiver)
  return { ...entity, ...settings, label: `${receiver.aeTitle}:${receiver.port}` }
}
