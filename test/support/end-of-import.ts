// What an import has come to, in the ledger, in DQR and in the archive, without ids and times: what two runs of the same
// import have in common.
import { type Ledger, readLedger, writeLedger } from '../../lib/imports/ledger.ts'
import type { ImportRig } from './import-rig.ts'

/** As if all that the ledger remembers had happened so much earlier. */
export async function age(rig: ImportRig, projectId: string, ms: number): Promise<void> {
  const { ledger, etag } = await ledgerOf(rig, projectId)
  for (const lease of ledger.leases) {
    lease.atMs -= ms
    lease.expiresAtMs -= ms
  }
  for (const { moving } of ledger.entries.values()) if (moving !== undefined) moving[1] -= ms
  await writeLedger(rig.state, projectId, ledger, etag)
}

async function ledgerOf(rig: ImportRig, projectId: string): Promise<{ ledger: Ledger; etag: string }> {
  const stored = await readLedger(rig.state, projectId)
  if (stored.kind === 'none') throw new Error('there is no ledger')
  return stored
}

export type EndState = Awaited<ReturnType<typeof endState>>

/** All that is left of an import, without ids and times. */
export async function endState(rig: ImportRig, projectId: string) {
  const { state } = rig.standIn
  const { ledger } = await ledgerOf(rig, projectId)
  const short = (text = '') => text.replace(projectId, 'P')
  const studies = new Map(
    state.dqr.pacsStudies
      .all()
      .filter(({ accessionNumber }) => accessionNumber.startsWith(`${projectId}-`))
      .map((study) => [study.studyInstanceUid, `${short(study.accessionNumber)} of ${study.studyDate}`]),
  )
  const leaseOf = (requestId = '') => ledger.leases.findIndex((lease) => lease.requestId === requestId)
  const ofProject = <Row extends { projectId?: string | undefined }>(rows: readonly Row[]) =>
    rows.filter((row) => row.projectId === projectId)
  const requestsOf = (rows: readonly { studyInstanceUid: string; requestId?: string | undefined; status: string }[]) =>
    rows.map((row) => [studies.get(row.studyInstanceUid), leaseOf(row.requestId), row.status].join(' ')).toSorted()
  const gate = JSON.parse((await rig.state.readText('import-gate.json'))?.text ?? '{}')
  return {
    entries: Object.fromEntries(
      [...ledger.entries]
        .map(([accessionNumber, { verified, moving, seen, studies: known, ...entry }]) => {
          const found = known?.map(([uid, label]) => [studies.get(uid), short(label)])
          const rest = { verified: verified?.length, isMoving: moving !== undefined, seen: seen?.map((row) => row[2]) }
          return [short(accessionNumber), { ...entry, studies: found, ...rest }] as const
        })
        .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    ),
    leases: ledger.leases.length,
    unsent: ledger.unsent,
    waiting: ledger.waiting?.code,
    isSettled: ledger.isSettled,
    queue: requestsOf(ofProject(state.dqr.queue.all())),
    history: requestsOf(ofProject(state.dqr.history.all())),
    sessions: state.experiments
      .group(projectId)
      .map(({ experimentId, label, fields }) => {
        const scans = state.scans.group(experimentId)
        const resources = scans.flatMap(({ rowId }) => state.resourcesOf({ level: 'scan', id: String(rowId) }))
        const files = resources.reduce((sum, { fileCount = 0 }) => sum + fileCount, 0)
        return [short(label), studies.get(fields['UID'] ?? ''), scans.length, files].join(' ')
      })
      .toSorted(),
    prearchive: ofProject(state.prearchive.all()).length,
    directArchive: ofProject(state.directArchive.all()).length,
    promised: ofProject<{ projectId: string }>(gate.reservations),
  }
}
