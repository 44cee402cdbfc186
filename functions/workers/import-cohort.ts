// Trigger: imports.fifo, one message at a time per project. Leaves: the project's ledger, and orders in the studies
// queue. Gives up to: the imports dead-letter queue, with the error code; the next sweep looks at the project again.
import { queueHandler, type Tools } from '../../lib/handler.ts'
import { ImportMessage } from '../../lib/imports/messages.ts'
import { importCohort } from '../../lib/services/import-cohort.ts'
import { cohortSourceFrom } from '../../lib/services/query-cohort.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

async function plan(
  message: ImportMessage,
  { config, studies, dataAccess, log, metrics, ...tools }: Tools,
): Promise<void> {
  const { imaging, importing } = config
  const cohortSource = cohortSourceFrom(dataAccess)
  const deps = { ...tools, log, imaging, importing, studies: studies.queue, cohortSource }
  const { states = [], outstanding, failed, ...tally } = await importCohort(deps, message)
  const told = { projectId: message.projectId, outcome: message.kind, ...tally }
  if (failed === undefined) log.info('import planned', told)
  else {
    log.warn('import not planned', { ...told, code: failed })
    metrics.add('MessagesFailed', 1, { Code: failed })
  }
  for (const [State, count] of states) metrics.add('Studies', count, { State })
  if (outstanding !== undefined) metrics.add('DqrOutstanding', outstanding)
  metrics.add('StudiesRequested', tally.requested)
}

export const createHandler = (wire: Wire) =>
  queueHandler({ message: ImportMessage, source: ({ imports }) => imports, isHeld: true, work: plan }, wire)

export const handler = createHandler(wireOnce)
