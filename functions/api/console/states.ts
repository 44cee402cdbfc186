// The states of studies and their reasons, in an operator's words. What each state and reason is: lib/imports/study-state.ts.
import { type ReasonCode, type StudyState, studyStates } from '../../../lib/imports/study-state.ts'

interface StateWords {
  label: string
  /** Tells the states apart without colour. */
  glyph: string
  meaning: string
  /** Whether somebody may have to do something. */
  isTrouble: boolean
}

export const stateWords: Readonly<Record<StudyState, StateWords>> = {
  verified: {
    label: 'Verified',
    glyph: '✓',
    meaning: 'The session is in the archive, and its scans hold files.',
    isTrouble: false,
  },
  processing: {
    label: 'Processing',
    glyph: '▶',
    meaning: 'On its way from the PACS to the archive.',
    isTrouble: false,
  },
  queued: { label: 'Queued', glyph: '≡', meaning: 'Asked for; its turn has not come.', isTrouble: false },
  waiting: { label: 'Waiting', glyph: '◷', meaning: 'Not asked for yet.', isTrouble: false },
  incomplete: { label: 'Incomplete', glyph: '◐', meaning: 'Archived, but files are missing.', isTrouble: true },
  stalled: { label: 'Stalled', glyph: '‖', meaning: 'Not finished, and nothing has moved for long.', isTrouble: true },
  failed: { label: 'Failed', glyph: '✕', meaning: 'XNAT or the PACS says that it failed.', isTrouble: true },
  'not-found': { label: 'Not found', glyph: '?', meaning: 'The PACS does not know it.', isTrouble: true },
  ambiguous: { label: 'Ambiguous', glyph: '⁂', meaning: 'The PACS has several studies of it.', isTrouble: true },
  refused: { label: 'Refused', glyph: '⊘', meaning: 'No PACS may be asked for this number.', isTrouble: true },
  exhausted: { label: 'Exhausted', glyph: '■', meaning: 'The retry plan is spent.', isTrouble: true },
}

/** As bars and legends show them: what is done, what is on its way, what is in trouble. */
export const statesInOrder: readonly StudyState[] = [
  'verified',
  'processing',
  'queued',
  'waiting',
  'incomplete',
  'stalled',
  'failed',
  'not-found',
  'ambiguous',
  'refused',
  'exhausted',
]

export type StateCounts = Readonly<Partial<Record<StudyState, number>>>

const sum = (states: StateCounts, which: (state: StudyState) => boolean) =>
  statesInOrder.filter(which).reduce((total, state) => total + (states[state] ?? 0), 0)

export const underWay = (states: StateCounts) =>
  sum(states, (state) => state !== 'verified' && !stateWords[state].isTrouble)

export const inTrouble = (states: StateCounts) => sum(states, (state) => stateWords[state].isTrouble)

/** Whether anything is about to change by itself: a study, or that the planner looks for the first time. */
export const isUnderWay = (status: { states: StateCounts; waiting: unknown; looked_at: unknown } | undefined) =>
  status !== undefined && status.waiting === null && (status.looked_at === null || underWay(status.states) > 0)

export const isStudyState = (text: string): text is StudyState => studyStates.some((state) => state === text)

const reasonWords: Readonly<Record<ReasonCode, string>> = {
  SESSION_EMPTY: 'The session holds no file or no scan',
  SCANS_WITHOUT_FILES: 'Some scans hold no files',
  DIRECT_ARCHIVE_ERROR: 'Direct archive ended with an error',
  PREARCHIVE_ERROR: 'Error in the prearchive',
  PREARCHIVE_CONFLICT: 'Conflict in the prearchive',
  UNASSIGNED: 'In the unassigned prearchive: XNAT could not tell the project',
  RETRIEVE_FAILED: 'The PACS did not deliver',
  NO_FILES_RECEIVED: 'No files were received',
  LEFT_OUT_BY_XNAT: 'XNAT left it out of the import',
  QUERY_FAILED: 'XNAT failed at the query for it',
  REQUEST_LOST: 'Asked for, and never seen since',
  RETRIEVE_STALLED: 'The retrieve takes too long',
  NOTHING_ARRIVED: 'Retrieved, and no file came',
  ARRIVED_AND_GONE: 'Files came, and are neither archived nor on their way',
  PREARCHIVE_STALLED: 'Stuck in the prearchive',
  QUEUE_NOT_MOVING: 'The queue of DQR does not move',
  DIRECT_ARCHIVE_STALLED: 'Stuck in direct archive',
  NOT_ARCHIVED: 'Ready in the prearchive, and not archived',
  RETRIEVING: 'Being retrieved',
  ARRIVING: 'Arriving',
  AWAITING_CHECK: 'In the archive; its files are about to be counted',
  IN_DQR_QUEUE: 'In the queue of DQR',
  REQUESTED: 'Asked for',
  NOT_ON_PACS: 'The PACS has no such study',
  SEVERAL_STUDIES: 'The PACS has several studies of it',
  UNSAFE_NUMBER: 'The number holds a wildcard or a control character',
  NOT_REQUESTED_YET: 'Its turn has not come',
  PACS_UNREACHABLE: 'The PACS cannot be reached',
  PACS_CLOSED: 'The PACS is closed at this hour',
  PACS_UNKNOWN: 'XNAT knows no PACS to ask',
  IMPORT_REFUSED: 'XNAT does not let the project import',
  LEASE_EXPIRED: 'The request came too late to be sent',
}

const isReason = (code: string): code is ReasonCode => code in reasonWords

/** The reason in words; a code of a newer release stands for itself. */
export const reasonText = (code: string) => (isReason(code) ? reasonWords[code] : code)
