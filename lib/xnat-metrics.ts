import type { Metrics } from './metrics.ts'
import type { RequestRecord } from './xnat/client-options.ts'

const cannotNow: ReadonlySet<number | undefined> = new Set([undefined, 502, 503, 504])

/** What is measured of each exchange with XNAT. */
export function measureRequest(metrics: Metrics, record: RequestRecord): void {
  const { method, pathTemplate, status, durationMs, attempt } = record
  metrics.add('XnatRequests', 1)
  if (attempt > 1) metrics.add('XnatRetries', 1)
  // Written also when it is 0: an alarm is to tell "all is well" from "nothing was asked".
  metrics.add('XnatUnreachable', cannotNow.has(status) ? 1 : 0)
  if (status !== undefined) metrics.add('XnatLatency', Math.round(durationMs))
  if (method === 'POST' && pathTemplate === '/data/JSESSION') {
    metrics.add('XnatSignIns', 1)
    if (status !== undefined && status >= 300 && status < 500) metrics.add('XnatSignInsRefused', 1)
  }
  if (pathTemplate === '/xapi/dqr/query/studies') metrics.add('PacsFinds', 1)
}
