// What containers run on (C:rest/DockerRestApi.java, C:model/server/docker/DockerServerBase.java).
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import { requireUser, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

export const containerHostXapiRoutes = [xapiRoute('/docker/server', { GET: showHost })]

function showHost(exchange: Exchange): Reply {
  requireUser(exchange)
  const { containerHost } = exchange.xnat.state.switches
  if (containerHost === 'none') throw xapiFailure(404, 'No container server defined.')
  return xapiJson({
    id: 1,
    name: 'Local socket',
    host: 'unix:///var/run/docker.sock',
    'swarm-mode': false,
    backend: 'docker',
    ping: containerHost === 'reachable',
  })
}
