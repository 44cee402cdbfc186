import type { Xnat } from './exchange.ts'
import type { ResourceParent } from './records.ts'

/** How XNAT sorts a resource in lists and "improved" archives: by what it hangs on. */
export function categoryOf({ state }: Pick<Xnat, 'state'>, parent: ResourceParent) {
  const scan = parent.level === 'scan' ? state.scans.get(parent.id) : undefined
  if (scan !== undefined) return { category: 'scans', cat_id: scan.scanId, cat_desc: scan.fields['type'] }
  const experiment = parent.level === 'experiment' ? state.experiments.get(parent.id) : undefined
  if (experiment?.sessionId !== undefined) {
    return { category: 'assessors', cat_id: experiment.experimentId, cat_desc: experiment.xsiType }
  }
  return { category: 'resources', cat_id: '', cat_desc: '' }
}
