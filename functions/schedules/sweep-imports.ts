// Trigger: a schedule, every few minutes. Leaves: one message for each registered project in imports.fifo.
import { scheduleHandler } from '../../lib/handler.ts'
import { sweepImports } from '../../lib/services/sweep-imports.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

export const createHandler = (wire: Wire) =>
  scheduleHandler(async ({ time }, { state, imports, signal, log, metrics }) => {
    const swept = await sweepImports({ state, imports: imports.queue, signal }, { round: time })
    log.info('projects swept', swept)
    metrics.add('ProjectsSwept', swept.projects)
    metrics.add('SweepLag', Date.now() - Date.parse(time))
  }, wire)

export const handler = createHandler(wireOnce)
