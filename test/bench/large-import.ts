// A site on which a large cohort is being imported, made by hand in seconds: studies in every state, and DQR's history.
import type { PacsStudy } from '../../infra/local/xnat-server/dqr/pacs-study.ts'
import type { ExecutedRequest, QueuedRequest } from '../../infra/local/xnat-server/dqr/records.ts'
import { writeCohort } from '../../lib/imports/cohort.ts'
import { type Ledger, type LedgerEntry, newLedger, requestIdPrefix, writeLedger } from '../../lib/imports/ledger.ts'
import { registerImport } from '../../lib/provisioning/registration.ts'
import { type ImportRig, startImportRig } from '../support/import-rig.ts'
import { testEnvironment } from '../support/wired.ts'

export const minuteMs = 60_000

export interface LargeImport extends ImportRig {
  ledger: Ledger
  /** What the functions are to be told, beside their queues. */
  environment: Record<string, string>
  /** An entry of the ledger for a study that was asked for once, so long ago. */
  remember(
    study: Pick<PacsStudy, 'accessionNumber' | 'studyInstanceUid'>,
    entry: Partial<LedgerEntry> & { code: string },
  ): void
  /** A row of DQR's queue, or of its history. */
  queued(study: PacsStudy, status: QueuedRequest['status'], row?: Partial<QueuedRequest>): QueuedRequest
  executed(study: PacsStudy, status: ExecutedRequest['status'], row?: Partial<ExecutedRequest>): ExecutedRequest
  /** Writes registration, cohort and ledger. */
  write(cohort: readonly string[]): Promise<void>
}

/** `attemptMs`: how long ago everybody was asked for, a hundred in each order. */
export async function startLargeImport(attemptMs: number): Promise<LargeImport> {
  const rig = await startImportRig({ startsAt: new Date().toISOString() })
  const { state, user, password, url } = rig.standIn
  const { accessKeyId, secretAccessKey } = await rig.aws.s3.config.credentials()
  const nowMs = rig.now().getTime()
  const ledger = newLedger()
  const leaseFor = (index: number) => {
    const number = Math.floor(index / 100)
    const atMs = nowMs - attemptMs
    ledger.leases[number] ??= {
      requestId: `${requestIdPrefix}${ledger.id}-${number}`,
      atMs,
      expiresAtMs: atMs,
      pacsId: 1,
    }
    return number
  }
  const row = (study: PacsStudy, id: number) => ({
    id,
    createdMs: nowMs - attemptMs,
    changedMs: nowMs - attemptMs,
    pacsId: 1,
    username: user,
    projectId: rig.projectId,
    requestId: ledger.leases[ledger.entries.get(study.accessionNumber)?.attempts.at(-1)?.[0] ?? 0]?.requestId,
    studyInstanceUid: study.studyInstanceUid,
    seriesIds: study.series.map(({ seriesInstanceUid }) => seriesInstanceUid),
    destinationAeTitle: 'XNAT:8104',
    queuedTimeMs: nowMs - attemptMs,
    studyDate: study.studyDate,
    studyId: study.studyId,
    accessionNumber: study.accessionNumber,
    patientName: study.patientName,
  })
  return {
    ...rig,
    ledger,
    environment: {
      ...testEnvironment,
      XNAT_URL: url,
      XNAT_SERVICE_USER: user,
      XNAT_SERVICE_PASSWORD: password,
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: rig.aws.s3Server.url,
      AWS_ENDPOINT_URL_SQS: rig.aws.sqsServer.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    remember(study, { code, ...entry }) {
      const { accessionNumber, studyInstanceUid } = study
      const number = leaseFor(ledger.entries.size)
      ledger.entries.set(accessionNumber, {
        attempts: [[number, code]],
        ...(code !== 'NOT_ON_PACS' && { studies: [[studyInstanceUid, accessionNumber]] }),
        ...entry,
      })
    },
    queued: (study, status, more) =>
      state.dqr.queue.put({ ...row(study, state.next('dqrQueue')), status, priority: 10, ...more }),
    executed: (study, status, more) =>
      state.dqr.history.put({
        ...row(study, state.next('dqrHistory')),
        status,
        executedTimeMs: nowMs - attemptMs,
        ...more,
      }),
    async write(cohort) {
      const { projectId } = rig
      await registerImport(rig.state, { projectId }, () => rig.now())
      await writeCohort(rig.state, projectId, { queried: [...cohort], named: [], dropped: 0 })
      ledger.lookedAtMs = nowMs - attemptMs
      await writeLedger(rig.state, projectId, ledger, undefined)
    },
  }
}
