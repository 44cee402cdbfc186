// Whether anything was written into a session since it was downloaded: a mark that every delivery and upload replaces.
// A downloaded tree names the mark that it was read under, and is valid for as long as that is the newest: for every net
// at once, and whatever was under way meanwhile.
import { randomUUID } from 'node:crypto'
import type { ObjectStore } from '../aws/objects.ts'
import { digestOf } from './tree.ts'

interface SessionName {
  projectId: string
  /** Its label. */
  experiment: string
}

interface MarkDeps {
  state: ObjectStore
  signal: AbortSignal
}

const markKey = ({ projectId, experiment }: SessionName) => `session-changes/${digestOf([projectId, experiment])}`

/** To be done after the files of a session may have changed, before anyone is told that they have. */
export async function markChanged({ state, signal }: MarkDeps, session: SessionName): Promise<void> {
  await state.writeText(markKey(session), randomUUID(), { signal })
}

/** What stands for the session as it is now; to be read before its files are. */
export async function changeMark({ state, signal }: MarkDeps, session: SessionName): Promise<string> {
  return (await state.readText(markKey(session), { signal }))?.text ?? 'unchanged'
}
