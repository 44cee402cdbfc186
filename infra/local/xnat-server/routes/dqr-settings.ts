// Settings of DQR, for the site and per project (D:rest/DicomQueryRetrieveApi.java).
import * as z from 'zod'
import { requireDataAccess, requireDataAdmin } from '../dqr/access.ts'
import { entityJson, newEntity } from '../dqr/entity.ts'
import { dqrPreferences, dqrSettings, setDqrPreference } from '../dqr/preferences.ts'
import type { DqrProjectSettings } from '../dqr/records.ts'
import type { Exchange } from '../exchange.ts'
import { canReadProject } from '../permissions.ts'
import type { Reply } from '../reply.ts'
import {
  bareReply,
  forbidden,
  readJson,
  requestFailure,
  requireAdmin,
  xapiFailure,
  xapiJson,
  xapiRoute,
} from '../xapi.ts'

export const dqrSettingsXapiRoutes = [
  xapiRoute('/dqr/settings', { GET: showPreferences, POST: setPreferences }),
  xapiRoute('/dqr/settings/project', { GET: listProjects, POST: addProject }),
  xapiRoute('/dqr/settings/project/{PROJECT_ID}', { GET: showProject, PUT: putProject, DELETE: deleteProject }),
  xapiRoute('/dqr/settings/project/{PROJECT_ID}/enabled', { GET: showEnabled }),
]

function showPreferences(exchange: Exchange): Reply {
  requireDataAccess(exchange)
  return xapiJson(dqrPreferences(exchange.xnat))
}

async function setPreferences(exchange: Exchange): Promise<Reply> {
  requireDataAdmin(exchange)
  // XNAT: numbers and booleans are taken for texts too (Jackson).
  const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
  for (const [name, value] of Object.entries(await readJson(exchange, texts))) {
    setDqrPreference(exchange.xnat, name, value)
  }
  return bareReply(200)
}

function listProjects(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(exchange.xnat.state.dqr.projectSettings.all().map(settingsJson))
}

async function addProject(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const { projectId, dqrEnabled } = await readJson(
    exchange,
    z.object({ projectId: z.string(), dqrEnabled: z.boolean() }),
  )
  requireProject(exchange, projectId)
  if (exchange.xnat.state.dqr.projectSettings.get(projectId) !== undefined) {
    throw xapiFailure(409, `The resource of type DQR project settings with the name ${projectId} already exists.`)
  }
  return xapiJson(settingsJson(save(exchange, projectId, dqrEnabled)))
}

function showProject(exchange: Exchange): Reply {
  requireAdmin(exchange)
  return xapiJson(settingsJson(requireSettings(exchange)))
}

// DQR: it is asked for as "enabled" and answered as "dqrEnabled" (D:dto/DqrProjectSettingsDTO.java).
async function putProject(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const projectId = exchange.params['PROJECT_ID'] ?? ''
  const { enabled } = await readJson(exchange, z.object({ enabled: z.boolean().optional() }))
  requireProject(exchange, projectId)
  const present = exchange.xnat.state.dqr.projectSettings.get(projectId)
  if (enabled === undefined || present?.dqrEnabled === enabled) return bareReply(304)
  return xapiJson(settingsJson(save(exchange, projectId, enabled)))
}

function deleteProject(exchange: Exchange): Reply {
  requireAdmin(exchange)
  exchange.xnat.state.dqr.projectSettings.delete(requireSettings(exchange).projectId)
  return xapiJson(true)
}

function showEnabled(exchange: Exchange): Reply {
  const { xnat, user, params } = exchange
  const project = xnat.state.projects.get(params['PROJECT_ID'] ?? '')
  if (project === undefined || !canReadProject(user, project)) throw forbidden('false')
  return xapiJson(dqrSettings(xnat).allProjects || requireSettings(exchange).dqrEnabled)
}

function save({ xnat }: Exchange, projectId: string, dqrEnabled: boolean): DqrProjectSettings {
  const { projectSettings } = xnat.state.dqr
  const entity = projectSettings.get(projectId) ?? newEntity(xnat, xnat.state.next('dqrProjectSettings'))
  return projectSettings.put({ ...entity, projectId, dqrEnabled, changedMs: xnat.now().getTime() })
}

function requireProject({ xnat }: Exchange, projectId: string): void {
  if (xnat.state.projects.get(projectId) === undefined) throw requestFailure(404, `Project ${projectId} does not exist`)
}

function requireSettings({ xnat, params }: Exchange): DqrProjectSettings {
  const projectId = params['PROJECT_ID'] ?? ''
  const settings = xnat.state.dqr.projectSettings.get(projectId)
  if (settings === undefined) throw requestFailure(404, `No DQR settings found for project ${projectId}`)
  return settings
}

function settingsJson(settings: DqrProjectSettings) {
  const { projectId, dqrEnabled } = settings
  return { ...entityJson(settings), projectId, dqrEnabled }
}
