import type { ObjectStore } from '../aws/objects.ts'
import { forgetCohort } from './cohort.ts'
import { forgetLedger } from './ledger.ts'

/** Removes all that is kept of a project's import. */
export async function forgetImport(state: ObjectStore, projectId: string): Promise<void> {
  await Promise.all([forgetLedger(state, projectId), forgetCohort(state, projectId)])
}
