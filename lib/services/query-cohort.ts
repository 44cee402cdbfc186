import { type DataAccess, fetchAccessionNumbers } from '../data-access/client.ts'
import type { CohortSource } from '../imports/renew-cohort.ts'

/** FLIP's data access service as the source of cohorts; none where there is no such service. */
export function cohortSourceFrom(dataAccess: DataAccess | undefined): CohortSource | undefined {
  if (dataAccess === undefined) return undefined
  return async ({ projectId, hubProjectId = projectId, query }, { signal }) => {
    const projectIds = { xnat: projectId, hub: hubProjectId }
    return (await fetchAccessionNumbers(dataAccess, { projectIds, query, signal })).accessionNumbers
  }
}
