/** Whether the same work, handed in again unchanged, can succeed: the one question the queues ask of an error. */
export type Retry = 'never' | 'later'

/** Facts that may reach logs: XNAT and DICOM ids, counts, path templates. Never labels, file names, accession numbers. */
export type ErrorContext = Readonly<Record<string, string | number | boolean>>

interface Failure<Code> {
  code: Code
  context?: ErrorContext | undefined
  cause?: unknown
}

interface AppErrorOptions<Code> extends Failure<Code> {
  retry: Retry
  /** How long to wait before trying again, when the other side said so. */
  retryAfterMs?: number | undefined
}

/** Base of everything the product throws on purpose. `code` is stable: dead letters, receipts and alarms carry it. */
export class AppError<Code extends string = string> extends Error {
  readonly code: Code
  readonly retry: Retry
  readonly retryAfterMs: number | undefined
  readonly context: ErrorContext

  constructor(message: string, options: AppErrorOptions<Code>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code
    this.retry = options.retry
    this.retryAfterMs = options.retryAfterMs
    this.context = options.context ?? {}
  }
}

/**
 * Whether a message that failed with this error is to be given up. A refused sign-in speaks of the service account, not
 * of the message: its password is being changed, or its sessions are too many for the moment.
 */
export function isHopeless(error: unknown): error is AppError {
  if (error instanceof XnatError && error.isOfSignIn) return false
  return error instanceof AppError && error.retry === 'never' && error.code !== 'XNAT_UNAUTHORIZED'
}

/** What an error is counted under. */
export const codeOf = (error: unknown): string => (error instanceof AppError ? error.code : 'UNEXPECTED')

/** One thing wrong with an input: where it is, and what would be right. Never the value itself. */
export interface InputIssue {
  /** Machine-readable kind in Pydantic's vocabulary (`missing`, `uuid_parsing`, `value_error`, ...). */
  type: string
  /** Path to the field, the part of the request first: `['body', 'project_id']`. */
  loc: (string | number)[]
  msg: string
}

/** An event, message or request that can never be understood as it is. */
export class InvalidInputError extends AppError {
  readonly issues: readonly InputIssue[]

  constructor(message: string, options: { code?: string; issues?: readonly InputIssue[]; cause?: unknown } = {}) {
    super(message, { code: options.code ?? 'INVALID_INPUT', retry: 'never', cause: options.cause })
    this.issues = options.issues ?? []
  }
}

/** Settings that are missing or wrong, all of them named at once. Thrown while wiring, before any work. */
export class ConfigError extends AppError {
  constructor(message: string) {
    super(message, { code: 'CONFIG_INVALID', retry: 'never' })
  }
}

const xnatRetry = {
  XNAT_UNAUTHORIZED: 'never',
  XNAT_FORBIDDEN: 'never',
  XNAT_NOT_FOUND: 'never',
  XNAT_CONFLICT: 'never',
  XNAT_REFUSED: 'never',
  XNAT_UNEXPECTED_REPLY: 'never',
  XNAT_BUSY: 'later',
  XNAT_UNREACHABLE: 'later',
} as const satisfies Record<string, Retry>

export type XnatErrorCode = keyof typeof xnatRetry

interface XnatErrorOptions {
  code: XnatErrorCode
  method: string
  /** The path with its placeholders, never filled in: labels stay out of messages. */
  pathTemplate: string
  /** Absent when the transport failed before an answer came. */
  status?: number | undefined
  /** XNAT's own words, shortened. They may quote labels: for the operator on request, not for logs. */
  detail?: string | undefined
  retryAfterMs?: number | undefined
  context?: ErrorContext | undefined
  cause?: unknown
}

/**
 * XNAT refused, failed, or could not be reached.
 *
 * `XNAT_UNAUTHORIZED` is thrown after one new sign-in was tried; `XNAT_REFUSED` is any other 4xx;
 * `XNAT_UNEXPECTED_REPLY` is a success that is HTML or does not fit its schema.
 */
export class XnatError extends AppError<XnatErrorCode> {
  readonly method: string
  readonly pathTemplate: string
  readonly status: number | undefined
  readonly detail: string | undefined

  constructor(options: XnatErrorOptions) {
    const { code, method, pathTemplate, status, detail, retryAfterMs, context, cause } = options
    super(`${method} ${pathTemplate}: ${status ?? code}`, {
      code,
      retry: xnatRetry[code],
      retryAfterMs,
      context,
      cause,
    })
    this.method = method
    this.pathTemplate = pathTemplate
    this.status = status
    this.detail = detail
  }

  /** Whether the sign-in failed, which says nothing of the call for whose sake it was tried. */
  get isOfSignIn(): boolean {
    return this.method === 'POST' && this.pathTemplate === '/data/JSESSION'
  }
}

/** Whether XNAT let us in and would not do what was asked: not that it is busy, cannot be understood or did not answer. */
export function isRefusal(error: unknown): error is XnatError {
  const others: string[] = ['XNAT_BUSY', 'XNAT_UNEXPECTED_REPLY']
  return error instanceof XnatError && error.status !== undefined && !error.isOfSignIn && !others.includes(error.code)
}

const storageRetry = {
  OBJECT_MISSING: 'never',
  OBJECT_CHANGED: 'never',
  STORAGE_REFUSED: 'never',
  STORAGE_BUSY: 'later',
} as const satisfies Record<string, Retry>

export type StorageErrorCode = keyof typeof storageRetry

/** S3, SQS or Secrets Manager said no. `OBJECT_CHANGED`: the object is no longer the version that was asked for. */
export class StorageError extends AppError<StorageErrorCode> {
  constructor(message: string, failure: Failure<StorageErrorCode>) {
    super(message, { ...failure, retry: storageRetry[failure.code] })
  }
}

const deliveryRetry = {
  EXPERIMENT_NOT_FOUND: 'never',
  SUBJECT_NOT_FOUND: 'never',
  ASSESSOR_NOT_FOUND: 'never',
  PROJECT_NOT_FOUND: 'never',
  NO_EDIT_RIGHT: 'never',
  NOT_VERIFIED: 'later',
  OBJECT_TOO_LARGE: 'never',
  ARCHIVE_NOT_READABLE: 'never',
  SESSION_EXISTS: 'never',
  SESSION_CONFLICT: 'never',
  SESSION_NOT_ARCHIVED: 'never',
  SESSION_MISPLACED: 'never',
  SESSION_EMPTY: 'never',
  SESSION_INCOMPLETE: 'never',
  SEVERAL_SESSIONS: 'never',
  SESSION_BUSY: 'later',
} as const satisfies Record<string, Retry>

export type DeliveryErrorCode = keyof typeof deliveryRetry

/** A delivery that cannot be made, or that XNAT's catalog does not confirm (`NOT_VERIFIED`). */
export class DeliveryError extends AppError<DeliveryErrorCode> {
  constructor(message: string, failure: Failure<DeliveryErrorCode>) {
    super(message, { ...failure, retry: deliveryRetry[failure.code] })
  }
}

const provisioningRetry = {
  COMMAND_NOT_INSTALLED: 'never',
  EVENT_SERVICE_OFF: 'never',
  MISSING_ROLE: 'never',
  WRAPPER_OFF: 'never',
} as const satisfies Record<string, Retry>

/** XNAT lacks what a project needs. The message says what to do and is meant for the caller. */
export class ProvisioningError extends AppError<keyof typeof provisioningRetry> {
  constructor(message: string, failure: Failure<keyof typeof provisioningRetry>) {
    super(message, { ...failure, retry: provisioningRetry[failure.code] })
  }
}

const pacsRetry = {
  PACS_NOT_FOUND: 'never',
  PACS_UNAVAILABLE: 'later',
  PACS_FORBIDDEN: 'never',
  IMPORT_REFUSED: 'never',
  STUDY_NOT_FOUND: 'never',
  STUDIES_PARTLY_QUEUED: 'never',
} as const satisfies Record<string, Retry>

/** The PACS behind XNAT is not there, not to be reached now, or does not have what was asked for. */
export class PacsError extends AppError<keyof typeof pacsRetry> {
  constructor(message: string, failure: Failure<keyof typeof pacsRetry>) {
    super(message, { ...failure, retry: pacsRetry[failure.code] })
  }
}

const importRetry = {
  LEDGER_BUSY: 'later',
  IMPORT_GATE_BUSY: 'later',
} as const satisfies Record<string, Retry>

/** The records of an import were being written by another run. */
export class ImportError extends AppError<keyof typeof importRetry> {
  constructor(message: string, failure: Failure<keyof typeof importRetry>) {
    super(message, { ...failure, retry: importRetry[failure.code] })
  }
}

const cohortRetry = {
  COHORT_BELOW_THRESHOLD: 'never',
  COHORT_QUERY_REFUSED: 'never',
  COHORT_SOURCE_REFUSED: 'never',
  COHORT_NOT_UNDERSTOOD: 'never',
  COHORT_SOURCE_UNAVAILABLE: 'later',
} as const satisfies Record<string, Retry>

export type CohortErrorCode = keyof typeof cohortRetry

interface CohortFailure extends Failure<CohortErrorCode> {
  /** Absent when no answer came. */
  status?: number | undefined
  /** The service's own words. They may quote the query: for no log and, but for those known by heart, no answer. */
  detail?: string | undefined
  retryAfterMs?: number | undefined
}

/**
 * The data access service does not say which accession numbers a cohort has.
 *
 * `COHORT_BELOW_THRESHOLD`: they are too few to be released; `COHORT_SOURCE_REFUSED`: it refused us, not the query;
 * `COHORT_NOT_UNDERSTOOD`: its answer is none, or too large.
 */
export class CohortError extends AppError<CohortErrorCode> {
  readonly status: number | undefined
  readonly detail: string | undefined

  constructor(message: string, failure: CohortFailure) {
    super(message, { ...failure, retry: cohortRetry[failure.code] })
    this.status = failure.status
    this.detail = failure.detail
  }
}

const imagesRetry = {
  PATH_ESCAPES: 'never',
  FILES_NOT_FOUND: 'never',
  FILES_COLLIDE: 'never',
  FILES_EXIST: 'never',
  FILES_CHANGED: 'never',
  UPLOAD_FAILED: 'never',
  DOWNLOAD_FAILED: 'never',
  ASSESSOR_TYPE_UNKNOWN: 'never',
  IMAGES_NOT_FOUND: 'never',
  IMAGES_TOO_LARGE: 'never',
  IMAGES_UNSAFE: 'never',
  IMAGES_DIFFER: 'later',
  ZIP_NOT_READABLE: 'never',
  ZIP_TOO_LARGE: 'never',
  ZIP_CUT_OFF: 'later',
} as const satisfies Record<string, Retry>

export type ImagesErrorCode = keyof typeof imagesRetry

/** What training clients asked for cannot be uploaded, or not be downloaded. Messages are meant for them. */
export class ImagesError extends AppError<ImagesErrorCode> {
  constructor(message: string, failure: Failure<ImagesErrorCode>) {
    super(message, { ...failure, retry: imagesRetry[failure.code] })
  }
}
