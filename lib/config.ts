// The one reader of the process environment. Everything else is handed a Config.
import * as z from 'zod'
import { ConfigError } from './errors.ts'
import { EnvelopeKeyRing, type SecretSource, ServiceKeys } from './secrets.ts'

// DICOM: 1 to 16 characters without backslash and control characters (PS3.5 6.2, AE).
const AeTitle = z.string().regex(/^[\x20-\x5b\x5d-\x7e]{1,16}$/)

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30m`, `6h`, `1d` as milliseconds; `undefined` for anything else. */
function parseDuration(text: string): number | undefined {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text.trim()) ?? []
  const unitMs = units[unit]
  return unitMs === undefined ? undefined : Number(count) * unitMs
}

function parseRetryPlan(text: string): number[] | undefined {
  const waits = text.split(',').map((step) => {
    const [, times = '', duration = ''] = /^\s*([1-9]\d{0,2})x(\S+)\s*$/.exec(step) ?? []
    const waitMs = parseDuration(duration)
    return waitMs === undefined ? undefined : Array<number>(Number(times)).fill(waitMs)
  })
  return waits.some((some) => some === undefined) ? undefined : waits.flatMap((some) => some ?? [])
}

const parsedBy = <T>(parse: (text: string) => T | undefined) =>
  z.string().transform((text, context): T => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom' })
    return z.NEVER
  })

const LeftoverPolicy = z.enum(['leave', 'delete-and-retry'])
const Duration = parsedBy(parseDuration)
const RetryPlan = parsedBy(parseRetryPlan)

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** A name or ARN in Secrets Manager. */
const SecretId = z.string().regex(/^[\w/+=.@:-]{1,2048}$/)

const Environment = z.object({
  /** XNAT's base address, with its context path if it has one. */
  XNAT_URL: z.url({ protocol: /^https?$/ }),
  /** The account that acts in XNAT. Not wanted, like AES_KEY_BASE64, where a secret is named in its place. */
  XNAT_SERVICE_USER: z.string().default(''),
  XNAT_SERVICE_PASSWORD: z.string().default(''),
  /** In place of the two above: where `{"user": ..., "password": ...}` is stored. */
  XNAT_SECRET: SecretId.optional(),
  TRUST_INTERNAL_SERVICE_KEY_HEADER: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/)
    .default('X-Trust-Internal-Service-Key'),
  /** The plain keys that callers may send, separated by white space: two while a key is being changed. None: all calls are refused. */
  TRUST_INTERNAL_SERVICE_KEY: ServiceKeys.prefault(''),
  /** In place of the one above: where `{"key": ...}` is stored. */
  SERVICE_KEY_SECRET: SecretId.optional(),
  INCOMING_BUCKET: z.string().min(3),
  STATE_BUCKET: z.string().min(3),
  /** The image tree that training clients mount. */
  IMAGES_BUCKET: z.string().min(3),
  UPLOADS_QUEUE_URL: z.url(),
  DELIVERIES_QUEUE_URL: z.url(),
  UPLOADS_DEAD_LETTERS_URL: z.url(),
  DELIVERIES_DEAD_LETTERS_URL: z.url(),
  IMPORTS_QUEUE_URL: z.url(),
  IMPORTS_DEAD_LETTERS_URL: z.url(),
  STUDIES_QUEUE_URL: z.url(),
  STUDIES_DEAD_LETTERS_URL: z.url(),
  /** What one run of deliver-files has. */
  DELIVERY_TIMEOUT_SECONDS: z.coerce.number().int().min(120).max(900).default(900),
  /** What the way from S3 to XNAT carries at least, in 1,000,000 bytes per second. */
  DELIVERY_MB_PER_SECOND: z.coerce.number().positive().max(10_000).default(20),
  /** Tries of a delivery; the queue's redrive policy has to allow more, so that the last is never taken silently. */
  DELIVERY_TRIES: z.coerce.number().int().min(1).max(1000).default(16),
  EXPORTS_QUEUE_URL: z.url(),
  EXPORTS_DEAD_LETTERS_URL: z.url(),
  /** What becomes of objects that were proved to be in XNAT; `tag` sets `xnat-conduit=delivered` on them. */
  SOURCE_AFTER_DELIVERY: z.enum(['keep', 'delete', 'tag']).default('keep'),
  /** What DICOM of a session that is there already does: nothing, join it, or also replace files of the same name. */
  DICOM_OVERWRITE: z.enum(['refuse', 'append', 'replace']).default('refuse'),
  /** Where training clients have the images bucket mounted. */
  BASE_IMAGES_DOWNLOAD_DIR: z
    .string()
    .regex(/^(?:\/[^/]+)+\/?$/)
    .default('/app/data/images'),
  /** How long a downloaded study is answered without asking XNAT. The bucket's lifecycle rule has to keep it a day longer. */
  IMAGE_CACHE_RETENTION_HOURS: z.coerce.number().positive().default(168),
  /** What becomes of the folders of uploaded files: kept in the resource's file paths, or left out as FLIP does. */
  UPLOAD_FOLDERS: z.enum(['keep', 'flatten']).default('keep'),
  /** How long a request waits for its upload or download before it is answered 202. API Gateway gives 30 seconds. */
  ANSWER_WITHIN_SECONDS: z.coerce.number().min(0).max(25).default(20),
  /** XNAT's DICOM receiver, to which the PACS sends. */
  XNAT_AETITLE: AeTitle.default('XNAT'),
  XNAT_PORT: z.coerce.number().int().min(1).max(65_535).default(8104),
  /** The PACS to ask when XNAT cannot say which it has. */
  PACS_ID: z.coerce.number().int().positive().optional(),
  /** FLIP's data-access-api, which turns cohort queries into accession numbers. None: only cohorts given as numbers. */
  DATA_ACCESS_API_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Which id of a project it expects: XNAT's (FLIP's mainline) or the hub's (its cohort snapshots). */
  DATA_ACCESS_PROJECT_ID: z.enum(['xnat', 'hub']).default('xnat'),
  DATA_ACCESS_TIMEOUT_SECONDS: z.coerce.number().min(1).max(300).default(20),
  /** Waits between attempts at a study: `3x5m,6x30m` is three of five minutes, then six of half an hour. */
  RETRY_PLAN: RetryPlan.prefault('3x5m,6x30m,12x2h,7x1d'),
  /** What is not finished and has not moved for so long counts as stalled. */
  STALL_AFTER: Duration.prefault('6h'),
  /** The most requests that XNAT's DQR may hold, for all projects together. */
  DQR_MAX_OUTSTANDING: z.coerce.number().int().min(1).max(100_000).default(500),
  /** How hard one run of import-studies asks the PACS: C-FINDs at a time, and in a second. */
  PACS_FIND_CONCURRENCY: z.coerce.number().int().min(1).max(100).default(4),
  PACS_FINDS_PER_SECOND: z.coerce.number().positive().max(1_000).default(20),
  /** Which study is taken when the PACS has several of one accession number. */
  STUDY_CHOICE: z.enum(['exactly-one', 'newest', 'all']).default('exactly-one'),
  /** What becomes of that which a failed attempt left in XNAT, before the next. */
  ON_PREARCHIVE_CONFLICT: LeftoverPolicy.default('leave'),
  ON_PREARCHIVE_ERROR: LeftoverPolicy.default('delete-and-retry'),
  ON_EMPTY_SESSION: LeftoverPolicy.default('delete-and-retry'),
  /** The zone of the clock that the PACS's availability windows are set by: that of XNAT's server. */
  XNAT_TIME_ZONE: z.string().refine(isTimeZone).default('UTC'),
  /** For how long the same question about a project's imports is answered from memory. */
  STATUS_CACHE_SECONDS: z.coerce.number().min(0).max(3_600).default(10),
  REIMPORT_STUDIES_ENABLED: z.stringbool().default(true),
  /** The image of the dcm2niix command, exactly as XNAT's Container Service has it. */
  DCM2NIIX_IMAGE: z.string().min(1).default('xnat/dcm2niix:latest'),
  /** AES-256 keys for sealed values, in base64: one, whose id is `shared`, or several as `id:key`; the first seals. */
  AES_KEY_BASE64: EnvelopeKeyRing.default({ kid: '', keys: {} }),
  /** In place of the one above: where `{"key": ...}` is stored. */
  ENVELOPE_KEY_SECRET: SecretId.optional(),
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['debug', 'info', 'warn', 'error']))
    .default('info'),
  /** Where metrics are kept in CloudWatch: one for each stage, since they carry no other word of it. */
  METRICS_NAMESPACE: z
    .string()
    .regex(/^[\w./#-]{1,255}$/)
    .default('xnat-conduit'),
  /** What `/health` reports as version, in place of the package's own. */
  FLIP_RELEASE: z.string().max(64).optional(),
})

/** Every variable that is read. */
export const variableNames: readonly string[] = Object.keys(Environment.shape)

/** What may be stored in Secrets Manager: the variable that says where, and those that hold it otherwise. */
const storable = [
  { secret: 'XNAT_SECRET', plain: ['XNAT_SERVICE_USER', 'XNAT_SERVICE_PASSWORD'] },
  { secret: 'ENVELOPE_KEY_SECRET', plain: ['AES_KEY_BASE64'] },
] as const

const secretSource = <T>(id: string | undefined, value: T): SecretSource<T> => (id === undefined ? { value } : { id })

/** Of a delivery's time, what is kept for all that is not sending: finding the place, reading back, the receipt. */
const proofSeconds = 60

const Config = Environment.transform((env) => ({
  xnat: {
    url: env.XNAT_URL.replace(/\/+$/, ''),
    account: secretSource(env.XNAT_SECRET, { user: env.XNAT_SERVICE_USER, password: env.XNAT_SERVICE_PASSWORD }),
  },
  serviceKey: {
    header: env.TRUST_INTERNAL_SERVICE_KEY_HEADER.toLowerCase(),
    keys: secretSource(env.SERVICE_KEY_SECRET, env.TRUST_INTERNAL_SERVICE_KEY),
  },
  buckets: { incoming: env.INCOMING_BUCKET, state: env.STATE_BUCKET, images: env.IMAGES_BUCKET },
  queues: {
    uploads: { url: env.UPLOADS_QUEUE_URL, deadLettersUrl: env.UPLOADS_DEAD_LETTERS_URL },
    deliveries: { url: env.DELIVERIES_QUEUE_URL, deadLettersUrl: env.DELIVERIES_DEAD_LETTERS_URL },
    imports: { url: env.IMPORTS_QUEUE_URL, deadLettersUrl: env.IMPORTS_DEAD_LETTERS_URL },
    studies: { url: env.STUDIES_QUEUE_URL, deadLettersUrl: env.STUDIES_DEAD_LETTERS_URL },
    exports: { url: env.EXPORTS_QUEUE_URL, deadLettersUrl: env.EXPORTS_DEAD_LETTERS_URL },
  },
  delivery: {
    sourceAfterDelivery: env.SOURCE_AFTER_DELIVERY,
    dicomOverwrite: env.DICOM_OVERWRITE,
    maxBytes: (env.DELIVERY_TIMEOUT_SECONDS - proofSeconds) * env.DELIVERY_MB_PER_SECOND * 1_000_000,
  },
  deliveryTries: env.DELIVERY_TRIES,
  images: {
    mountedAt: env.BASE_IMAGES_DOWNLOAD_DIR.replace(/\/+$/, ''),
    freshMs: env.IMAGE_CACHE_RETENTION_HOURS * 60 * 60_000,
    uploadFolders: env.UPLOAD_FOLDERS,
    answerWithinMs: env.ANSWER_WITHIN_SECONDS * 1000,
  },
  imaging: { fallbackPacsId: env.PACS_ID, receiver: { aeTitle: env.XNAT_AETITLE, port: env.XNAT_PORT } },
  dataAccess:
    env.DATA_ACCESS_API_URL === undefined
      ? undefined
      : {
          url: env.DATA_ACCESS_API_URL,
          sealedProjectId: env.DATA_ACCESS_PROJECT_ID,
          timeoutMs: env.DATA_ACCESS_TIMEOUT_SECONDS * 1000,
        },
  importing: {
    retryPlan: env.RETRY_PLAN,
    stallAfterMs: env.STALL_AFTER,
    leftovers: {
      conflict: env.ON_PREARCHIVE_CONFLICT,
      error: env.ON_PREARCHIVE_ERROR,
      emptySession: env.ON_EMPTY_SESSION,
    },
    mostOutstanding: env.DQR_MAX_OUTSTANDING,
    timeZone: env.XNAT_TIME_ZONE,
  },
  asking: {
    concurrency: env.PACS_FIND_CONCURRENCY,
    perSecond: env.PACS_FINDS_PER_SECOND,
    studyChoice: env.STUDY_CHOICE,
  },
  statusCacheMs: env.STATUS_CACHE_SECONDS * 1000,
  reimports: env.REIMPORT_STUDIES_ENABLED,
  conversionImage: env.DCM2NIIX_IMAGE,
  envelope: secretSource(env.ENVELOPE_KEY_SECRET, env.AES_KEY_BASE64),
  logLevel: env.LOG_LEVEL,
  metricsNamespace: env.METRICS_NAMESPACE,
  release: env.FLIP_RELEASE,
}))

export type Config = z.infer<typeof Config>

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings from environment variables. An empty variable counts as absent.
 *
 * @throws {ConfigError} naming every missing or bad variable at once, never its value.
 */
export function loadConfig(env: Variables = process.env): Config {
  return readVariables(Config, env, (given) => storable.flatMap(({ secret, plain }) => (secret in given ? [] : plain)))
}

/** What says how XNAT's side has to be, and the account in plain. */
const SiteExpectations = Environment.pick({
  XNAT_URL: true,
  XNAT_SERVICE_USER: true,
  XNAT_SERVICE_PASSWORD: true,
  XNAT_AETITLE: true,
  XNAT_PORT: true,
  XNAT_TIME_ZONE: true,
  STALL_AFTER: true,
  DCM2NIIX_IMAGE: true,
}).transform((env) => ({
  url: env.XNAT_URL.replace(/\/+$/, ''),
  user: env.XNAT_SERVICE_USER,
  password: env.XNAT_SERVICE_PASSWORD,
  receiver: { aeTitle: env.XNAT_AETITLE, port: env.XNAT_PORT },
  timeZone: env.XNAT_TIME_ZONE,
  stallAfterMs: env.STALL_AFTER,
  conversionImage: env.DCM2NIIX_IMAGE,
}))

export type SiteExpectations = z.infer<typeof SiteExpectations>

/**
 * Reads those settings that XNAT's side has to agree with, as the functions would.
 *
 * @throws {ConfigError} naming every missing or bad variable at once, never its value.
 */
export function loadSiteExpectations(env: Variables): SiteExpectations {
  return readVariables(SiteExpectations, env, () => ['XNAT_SERVICE_USER', 'XNAT_SERVICE_PASSWORD'])
}

function readVariables<T extends z.ZodType>(
  schema: T,
  env: Variables,
  alsoWanted: (given: object) => readonly string[],
): z.output<T> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = schema.safeParse(given)
  const absent = alsoWanted(given).filter((name) => !(name in given))
  if (parsed.success && absent.length === 0) return parsed.data
  const named = (parsed.error?.issues ?? []).map(({ path }) => path.join('.'))
  const faults = [...named, ...absent].map((name) => (name in given ? `${name} is not valid` : `${name} is missing`))
  throw new ConfigError(`Settings: ${faults.join('; ')}`)
}
