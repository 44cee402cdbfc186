// What callers of the HTTP API see of an error: a status and `{"detail": ...}`, in the shapes that FLIP's callers know.
import type * as z from 'zod'
import { AppError, CohortError, type InputIssue, InvalidInputError, XnatError } from './errors.ts'

export interface ErrorAnswer {
  status: number
  detail: string | readonly InputIssue[]
  retryAfterSeconds?: number
}

interface Meaning {
  status: number
  /** Said in place of the error's own message, which may name internals. */
  detail?: string | ((error: AppError) => string)
}

const meanings: Readonly<Record<string, Meaning>> = {
  // FLIP's callers read 401 as a wrong service key, so XNAT's refusal of our account is not passed on as one.
  XNAT_UNAUTHORIZED: { status: 502, detail: 'XNAT refused the service account.' },
  XNAT_FORBIDDEN: { status: 502, detail: 'XNAT does not allow the service account to do this.' },
  XNAT_NOT_FOUND: { status: 404, detail: 'Not found in XNAT.' },
  XNAT_CONFLICT: { status: 409, detail: 'XNAT reports a conflict with what is already there.' },
  XNAT_REFUSED: { status: 502, detail: 'XNAT refused the request.' },
  XNAT_UNEXPECTED_REPLY: { status: 502, detail: 'XNAT gave an answer that could not be understood.' },
  XNAT_BUSY: { status: 503, detail: 'XNAT is busy. Try again later.' },
  XNAT_UNREACHABLE: { status: 503, detail: 'XNAT cannot be reached. Try again later.' },
  OUT_OF_TIME: { status: 503, detail: 'Not done in time; what was begun may go on. Try again later.' },
  STORAGE_BUSY: { status: 503, detail: 'Storage is busy. Try again later.' },
  SERVICE_KEY_REFUSED: { status: 401 },
  BODY_TOO_LARGE: { status: 413 },
  PROJECT_NOT_FOUND: { status: 404 },
  PROJECT_EXISTS: { status: 400 },
  PROJECT_NOT_DELETED: { status: 409 },
  USER_REFUSED: { status: 422 },
  ENVELOPE_NOT_VALID: { status: 400 },
  ENVELOPE_NOT_AUTHENTIC: { status: 400 },
  WRAPPER_OFF: { status: 500 },
  EXPERIMENT_NOT_FOUND: { status: 404 },
  USER_NOT_FOUND: { status: 404 },
  USER_EXISTS: { status: 409 },
  MEMBER_REFUSED: { status: 502 },
  PACS_NOT_FOUND: { status: 404 },
  STUDY_NOT_FOUND: { status: 404 },
  PACS_UNAVAILABLE: { status: 500 },
  PACS_FORBIDDEN: { status: 500 },
  IMPORT_REFUSED: { status: 500 },
  STUDIES_PARTLY_QUEUED: { status: 500 },
  COMMAND_NOT_INSTALLED: { status: 500 },
  EVENT_SERVICE_OFF: { status: 500 },
  MISSING_ROLE: { status: 502 },
  COHORT_BELOW_THRESHOLD: { status: 403, detail: belowThreshold },
  COHORT_QUERY_REFUSED: { status: 400, detail: 'The data access service refused the cohort query.' },
  COHORT_SOURCE_REFUSED: { status: 502, detail: 'The data access service refused this service.' },
  COHORT_NOT_UNDERSTOOD: {
    status: 502,
    detail: 'The data access service gave an answer that could not be understood.',
  },
  COHORT_SOURCE_UNAVAILABLE: { status: 503, detail: 'The data access service cannot be reached. Try again later.' },
  QUERY_NOT_DECODABLE: { status: 400 },
  QUERY_EMPTY: { status: 400 },
  REIMPORT_DISABLED: { status: 418 },
  // A value that cannot be one segment of a path in XNAT names nothing there.
  UNSAFE_PATH_VALUE: { status: 422 },
  FILTER_NOT_EXACT: { status: 422 },
  DELIVERY_NOT_FOUND: { status: 404 },
  KEY_NOT_UNDERSTOOD: { status: 422 },
  UPLOAD_NOT_FOUND: { status: 404 },
  EXPORT_NOT_FOUND: { status: 404 },
  EXPORT_NOT_DONE: { status: 409 },
  PATH_ESCAPES: { status: 400 },
  FILES_COLLIDE: { status: 409 },
  FILES_EXIST: { status: 409 },
  FILES_CHANGED: { status: 409 },
  IMAGES_NOT_FOUND: { status: 404 },
  IMAGES_UNSAFE: { status: 400 },
  // FLIP's statuses for what callers send wrongly, and for all that went wrong (flip-contract 1.7, 1.8).
  FILES_NOT_FOUND: { status: 500 },
  ASSESSOR_TYPE_UNKNOWN: { status: 500 },
  UPLOAD_FAILED: { status: 500 },
  DOWNLOAD_FAILED: { status: 500 },
}

// What FLIP's line of cohort snapshots says in place of its mainline (da/services/cohort_snapshot.py). FLIP passes on
// whatever it is told (ia/routers/retrieval.py); other sentences could quote the query.
const notApproved = 'No approved cohort snapshot exists for this project.'

function belowThreshold(error: AppError): string {
  return error instanceof CohortError && error.detail === notApproved
    ? `${notApproved} Import status cannot be reported.`
    : "Cohort is below the trust's minimum size, so its accession IDs cannot be released and import status cannot be reported."
}

const defaultRetryAfterSeconds = 30

/** How an error is answered. What is not known to be meant for callers becomes a 500 that says nothing of it. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (!(error instanceof AppError)) return { status: 500, detail: 'Internal server error' }
  if (error instanceof InvalidInputError && error.issues.length > 0) return { status: 422, detail: error.issues }
  const meaning = meanings[error.code]
  if (meaning === undefined) return { status: 500, detail: 'Internal server error' }
  return {
    status: meaning.status,
    detail: signInPrefix(error) + detailOf(meaning, error),
    ...(meaning.status === 503 && {
      retryAfterSeconds: Math.ceil((error.retryAfterMs ?? defaultRetryAfterSeconds * 1000) / 1000),
    }),
  }
}

function detailOf({ detail }: Meaning, error: AppError): string {
  return typeof detail === 'function' ? detail(error) : (detail ?? error.message)
}

/** FLIP's words before the reason, when XNAT answered our sign-in and did not grant it (flip-contract 1.2). */
function signInPrefix(error: AppError): string {
  if (!(error instanceof XnatError && error.isOfSignIn && error.status !== undefined)) return ''
  return error.code === 'XNAT_UNEXPECTED_REPLY'
    ? 'Invalid authentication response from XNAT: '
    : 'Failed to authenticate with XNAT: '
}

/**
 * Checks a request: an object of its parts, `path`, `query` and `body`.
 *
 * @throws {InvalidInputError} with one issue per fault in FastAPI's words. The values themselves are left out, where
 * FastAPI echoes them: a cohort query or an e-mail address does not belong in an error that travels on.
 */
export function parseRequest<T extends z.ZodType>(schema: T, parts: Readonly<Record<string, unknown>>): z.output<T> {
  const parsed = schema.safeParse(parts, { reportInput: true })
  if (parsed.success) return parsed.data
  throw new InvalidInputError('The request is not valid.', { issues: parsed.error.issues.map(inputIssue) })
}

/** The issue that FastAPI reports for a body that is not JSON. */
export const notJson = () =>
  new InvalidInputError('The body is not JSON.', {
    issues: [{ type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error' }],
  })

function inputIssue(issue: z.core.$ZodIssue): InputIssue {
  return { ...kindOf(issue), loc: issue.path.map((step) => (typeof step === 'number' ? step : String(step))) }
}

const typeIssues: Readonly<Record<string, Omit<InputIssue, 'loc'>>> = {
  string: { type: 'string_type', msg: 'Input should be a valid string' },
  boolean: { type: 'bool_type', msg: 'Input should be a valid boolean' },
  number: { type: 'float_type', msg: 'Input should be a valid number' },
  int: { type: 'int_type', msg: 'Input should be a valid integer' },
  array: { type: 'list_type', msg: 'Input should be a valid list' },
  object: { type: 'model_attributes_type', msg: 'Input should be a valid dictionary or object to extract fields from' },
}

// JSON has no NaN: it is what became of a text in the path or the query, and all numbers there are integers.
const notInteger = {
  type: 'int_parsing',
  msg: 'Input should be a valid integer, unable to parse string as an integer',
}

function kindOf(issue: z.core.$ZodIssue): Omit<InputIssue, 'loc'> {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return { type: 'missing', msg: 'Field required' }
    if (Number.isNaN(issue.input)) return notInteger
    return typeIssues[issue.expected] ?? { type: 'value_error', msg: 'Value error, the type is not right' }
  }
  // Zod's message names them, and a name may be anything.
  if (issue.code === 'unrecognized_keys') return { type: 'extra_forbidden', msg: 'Extra inputs are not permitted' }
  if (issue.code === 'invalid_format' && issue.format === 'guid') {
    return { type: 'uuid_parsing', msg: 'Input should be a valid UUID' }
  }
  if (issue.code === 'invalid_format' && issue.format === 'email') {
    return { type: 'value_error', msg: 'value is not a valid email address' }
  }
  return { type: 'value_error', msg: `Value error, ${issue.message}` }
}
