import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Queue } from '../aws/queue.ts'

/** Asks for a look at a project's cohort: what of it is to be imported now. */
const ImportRequest = z.object({ projectId: z.string() })

/**
 * Puts a project before whoever plans imports, one project at a time. Each call is a request of its own: looking once
 * too often does no harm, and a changed cohort must not be taken for the one before.
 */
export async function requestImport(imports: Queue, projectId: string): Promise<void> {
  const request: z.infer<typeof ImportRequest> = { projectId }
  await imports.send([{ body: JSON.stringify(request), group: projectId, deduplicationId: randomUUID() }])
}
