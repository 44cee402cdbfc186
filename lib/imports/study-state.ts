// Where an accession number stands: exactly one state each, so that the counts add up to the cohort (design 3.5).

export const studyStates = [
  'verified',
  'incomplete',
  'failed',
  'stalled',
  'processing',
  'queued',
  'not-found',
  'ambiguous',
  'refused',
  'exhausted',
  'waiting',
] as const
export type StudyState = (typeof studyStates)[number]

/** FLIP's five classes (flip-contract 1.6). */
export const flipClasses = ['successful', 'failed', 'processing', 'queued', 'queue_failed'] as const
export type FlipClass = (typeof flipClasses)[number]

export const flipClassOf: Readonly<Record<StudyState, FlipClass>> = {
  verified: 'successful',
  incomplete: 'failed',
  failed: 'failed',
  stalled: 'failed',
  processing: 'processing',
  queued: 'queued',
  'not-found': 'queue_failed',
  ambiguous: 'queue_failed',
  refused: 'queue_failed',
  exhausted: 'queue_failed',
  waiting: 'queue_failed',
}

/** Why it stands there. Stable: status answers, ledgers, logs and alarms carry these. */
export const reasonCodes = [
  /** The session is in the archive and has no file, or no scan. */
  'SESSION_EMPTY',
  /** Some of its scans have files, others none. */
  'SCANS_WITHOUT_FILES',
  'DIRECT_ARCHIVE_ERROR',
  'PREARCHIVE_ERROR',
  'PREARCHIVE_CONFLICT',
  /** XNAT could not tell the project: the session lies in the unassigned prearchive. */
  'UNASSIGNED',
  /** The PACS did not deliver, DQR says. */
  'RETRIEVE_FAILED',
  'NO_FILES_RECEIVED',
  /** XNAT left the study out of the import without saying why. */
  'LEFT_OUT_BY_XNAT',
  /** XNAT failed at the query for it. */
  'QUERY_FAILED',
  /** It was asked for, and nothing of it was ever seen. */
  'REQUEST_LOST',
  /** DQR has been retrieving it for too long. */
  'RETRIEVE_STALLED',
  /** DQR called the retrieve done, and no file came. */
  'NOTHING_ARRIVED',
  /** Files came, and are neither archived nor on their way. */
  'ARRIVED_AND_GONE',
  'PREARCHIVE_STALLED',
  /** DQR has begun no retrieve at all for too long. It still holds the request. */
  'QUEUE_NOT_MOVING',
  'DIRECT_ARCHIVE_STALLED',
  /** It lies ready in the prearchive, and XNAT does not archive it by itself. */
  'NOT_ARCHIVED',
  'RETRIEVING',
  'ARRIVING',
  /** The session is there; its files are about to be counted. */
  'AWAITING_CHECK',
  'IN_DQR_QUEUE',
  'REQUESTED',
  'NOT_ON_PACS',
  'SEVERAL_STUDIES',
  'UNSAFE_NUMBER',
  /** Its turn has not come: the bound on outstanding requests, or the next sweep. */
  'NOT_REQUESTED_YET',
  'PACS_UNREACHABLE',
  /** No availability window of the PACS is open now, or it has none. */
  'PACS_CLOSED',
  'PACS_UNKNOWN',
  /** XNAT does not let the project import by DQR. */
  'IMPORT_REFUSED',
  'LEASE_EXPIRED',
] as const
export type ReasonCode = (typeof reasonCodes)[number]
