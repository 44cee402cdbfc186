// Watches a project's cohort on its way from the PACS into XNAT, as an operator would: by asking the API.
import * as z from 'zod'
import type { StackDescription } from './stack.ts'

export interface CohortResult {
  studies: number
  verified: number
  faults: string[]
}

const Status = z.object({ studies_count: z.int(), states: z.record(z.string(), z.int()) })

const underWay = ['processing', 'queued', 'waiting']

/** Waits until no study is under way any more, or nothing has changed for `patienceMs`. A cohort may be empty. */
export async function awaitCohort(
  { api, serviceKey }: StackDescription,
  projectId: string,
  {
    pollMs,
    patienceMs,
    onProgress,
  }: { pollMs: number; patienceMs: number; onProgress: (done: number, total: number) => void },
): Promise<CohortResult> {
  let seen = ''
  let movedAt = Date.now()
  for (;;) {
    const response = await fetch(`${api}/retrieval/import_status/${projectId}?limit=1`, {
      headers: { [serviceKey.header]: serviceKey.key },
    })
    if (!response.ok) throw new Error(`The cohort's status was not told: ${response.status} ${await response.text()}`)
    const { studies_count: studies, states } = Status.parse(await response.json())
    const verified = states['verified'] ?? 0
    const moving = underWay.reduce((sum, state) => sum + (states[state] ?? 0), 0)
    onProgress(verified, studies)
    if (moving === 0) return { studies, verified, faults: faultsOf(states) }
    if (JSON.stringify(states) !== seen) movedAt = Date.now()
    seen = JSON.stringify(states)
    if (Date.now() - movedAt > patienceMs) {
      const fault = `${moving} studies are under way, and nothing has moved for ${patienceMs / 1000} s`
      return { studies, verified, faults: [...faultsOf(states), fault] }
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

const faultsOf = (states: Readonly<Record<string, number>>) =>
  Object.entries(states)
    .filter(([state]) => state !== 'verified' && !underWay.includes(state))
    .map(([state, count]) => `${count} studies of the cohort: ${state}`)
