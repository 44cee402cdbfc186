// Studies of a simulated PACS on their way through DQR, asked for over plain HTTP.
import type { PacsStudyOrder } from '../../infra/local/xnat-server/dqr/pacs-study.ts'
import type { DqrSetUp } from '../../infra/local/xnat-server/dqr/set-up.ts'
import type { Answer } from '../support/plain-http.ts'
import type { SendOptions, Site } from './site.ts'

export const minuteMs = 60_000

export interface Row {
  id: number
  status: string
  requestId?: string
  retries?: number
  errorMessage?: string
  [key: string]: unknown
}

/** A PACS with these studies, registered and open, and P1 allowed to import. */
export function prepare(site: Site, orders: readonly PacsStudyOrder[], options: DqrSetUp = {}): string[] {
  // Longer than any test moves the clock.
  site.server.state.configure({ sessionTimeoutMs: 1000 * minuteMs })
  site.server.pacs.register({ projects: ['P1'], ...options })
  return site.server.pacs.add(...orders).map(({ studyInstanceUid }) => studyInstanceUid)
}

export type Study = { studyInstanceUid: string; relabelMap?: Record<string, string> } & Record<string, unknown>

export function request(
  site: Site,
  studies: readonly Study[],
  more: Record<string, unknown> = {},
  options: SendOptions = {},
) {
  const body = { pacsId: 1, aeTitle: 'XNAT', port: 8104, projectId: 'P1', requestId: 'R1', studies, ...more }
  return site.send('POST /xapi/dqr/import', { body: JSON.stringify(body), ...options })
}

export const rows = (answer: Answer) => answer.json() as Row[]
export const queue = async (site: Site) => rows(await site.send('GET /xapi/dqr/import/queue?all=true'))
export const history = async (site: Site) => rows(await site.send('GET /xapi/dqr/import/history?all=true'))
export const labels = async (site: Site) =>
  (await site.send('GET /data/projects/P1/experiments?columns=label,subject_label&format=json'))
    .rows()
    .map(({ label }) => label)
    .filter((label) => label !== 'E1' && label !== 'A1')
