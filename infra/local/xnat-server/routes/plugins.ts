// What is installed beside XNAT itself (XnatPluginApi.java, XnatPluginBean.java).
import type { Exchange } from '../exchange.ts'
import type { Reply } from '../reply.ts'
import type { PluginId } from '../switches.ts'
import { requireUser, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

export const pluginXapiRoutes = [
  xapiRoute('/plugins', { GET: listPlugins }),
  xapiRoute('/plugins/{PLUGIN}', { GET: showPlugin }),
]

// ContainersConfig.java, DqrPlugin.java; the versions whose answers the stand-in gives.
const plugins: Readonly<Record<PluginId, object>> = {
  'dicom-query-retrieve': {
    id: 'dicom-query-retrieve',
    name: 'DICOM Query Retrieve Plugin',
    version: '2.2.0',
    description: 'Enables users to search for images in PACS, retrieve them, and push them.',
    entityPackages: ['org.nrg.xnatx.dqr.domain.entities'],
  },
  containers: {
    id: 'containers',
    name: 'containers',
    version: '3.7.3',
    description: 'Container Service',
    entityPackages: ['org.nrg.containers'],
  },
}

function installed({ xnat }: Exchange): Map<string, object> {
  return new Map(xnat.state.switches.plugins.map((id) => [id, plugins[id]]))
}

function listPlugins(exchange: Exchange): Reply {
  requireUser(exchange)
  return xapiJson(Object.fromEntries(installed(exchange)))
}

function showPlugin(exchange: Exchange): Reply {
  requireUser(exchange)
  const id = exchange.params['PLUGIN'] ?? ''
  const plugin = installed(exchange).get(id)
  if (plugin !== undefined) return xapiJson(plugin)
  const detail = `No plugin with ID ${id} could be found on this system`
  throw xapiFailure(404, `Unable to find requested file or resource: ${detail}`)
}
