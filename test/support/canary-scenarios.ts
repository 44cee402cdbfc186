// One run of each function on input that is full of markers: every documented route, and every worker.
import * as z from 'zod'
import type { RouteDescription } from '../../lib/handler.ts'
import { ExportId } from '../../lib/images/export.ts'
import { UploadId } from '../../lib/images/upload.ts'
import type { Wired } from '../../lib/wire.ts'
import { type ApiReply, ask, documented, requestOf } from './api-requests.ts'
import { type Labels, partsWith } from './canary-labels.ts'
import type { CanaryRig } from './canary-rig.ts'
import { workerScenarios } from './canary-workers.ts'

export interface Scenario {
  name: string
  /** Before each run, with everything well; `run` tells the runs apart. */
  arrange?: ((run: number) => Promise<void>) | undefined
  /** What the API answered, or nothing. */
  act: (wired: Wired, run: number) => Promise<ApiReply | undefined>
}

export interface Site {
  rig: CanaryRig
  labels: Labels
  projectId: string
}

/** Workers first: what they did is what the routes then tell of. */
export const scenarios = (site: Site): Scenario[] => [
  ...workerScenarios(site),
  ...documented.map((route) => routeScenario(route, site)),
]

function routeScenario(route: RouteDescription, { rig, labels, projectId }: Site): Scenario {
  const { operationId: name } = route
  const { bearerToken, cookie, stray } = labels
  const others = { authorization: `Bearer ${bearerToken}`, cookie: `JSESSIONID=${cookie}`, 'user-agent': stray }
  const headers = { ...rig.keyHeaders, ...others }
  let known: Record<string, string> = {}
  const askRoute = (operationId: string, run: number, wired: Wired = rig.wired) => {
    const asked = documented.find((each) => each.operationId === operationId) ?? route
    const parts = partsWith(asked, labels, { projectId, run })
    return ask(wired, { ...requestOf(asked, { ...parts, path: { ...parts.path, ...known } }), headers })
  }
  /** The ids of what there has to be before it can be asked for. */
  const before: Readonly<Record<string, (run: number) => Promise<Record<string, string>>>> = {
    async deleteProject(run) {
      await askRoute('createProject', run)
      return { project_id: `P${run}` }
    },
    async getDelivery() {
      const { body } = await ask(rig.wired, { method: 'GET', path: '/deliveries', headers })
      const { deliveries } = z.object({ deliveries: z.array(z.object({ deliveryId: z.string() })).min(1) }).parse(body)
      return { delivery_id: deliveries[0]?.deliveryId ?? '' }
    },
    async getUpload(run) {
      const { body } = await askRoute('uploadImages', run)
      return { upload_id: z.object({ uploadId: UploadId }).parse(body).uploadId }
    },
    getExport: exportId,
    listExportedFiles: exportId,
  }
  async function exportId(run: number) {
    const { body } = await askRoute('createExport', run)
    return { export_id: z.object({ exportId: ExportId }).parse(body).exportId }
  }
  const needed = before[name]
  return {
    name,
    ...(needed && {
      async arrange(run: number) {
        known = {}
        known = await needed(run)
      },
    }),
    act: (wired, run) => askRoute(name, run, wired),
  }
}
