import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import { version } from '../../lib/version.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

export const Health = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    dead_tasks: z.array(z.string()).meta({ description: 'Always empty.' }),
  })
  .meta({ id: 'Health', example: { status: 'ok', version: '1.0.0', dead_tasks: [] } })

// FLIP's health collector reads `version`. `dead_tasks` names background tasks that died in a process; here work is in
// queues, so there are none, and the list stays for readers of FLIP's shape.
const getHealth = route({
  method: 'GET',
  path: '/health',
  operationId: 'getHealth',
  summary: 'Tells that the API answers, and its version.',
  isOpen: true,
  request: z.object({}),
  answer: Health,
  run: async (_, { config }) => ({ status: 'ok' as const, version: config.release ?? version, dead_tasks: [] }),
})

export const routes = [getHealth]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
