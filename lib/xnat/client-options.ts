import { InvalidInputError } from '../errors.ts'
import { type Clock, type RetryPolicy, systemClock } from '../retry.ts'
import { version } from '../version.ts'
import type { Method, Timeouts } from './call.ts'
import type { Credentials, CredentialsSource } from './login.ts'

/** One HTTP exchange, for metrics. Holds no label, no file name and no ID. */
export interface RequestRecord {
  method: Method
  pathTemplate: string
  /** Absent when no answer came. */
  status: number | undefined
  /** Until the answer began. */
  durationMs: number
  attempt: number
}

export interface ClientSettings {
  /** XNAT's address, with its context path if it has one: `https://xnat.example.org/xnat`. */
  url: string
  credentials: Credentials | CredentialsSource
  /** Default `xnat-conduit/<version>`. */
  userAgent?: string
  /** Defaults: 10 s to connect, 2 min of silence, 11 min of silence where XNAT works before it answers. */
  timeouts?: Partial<Timeouts>
  /** Default: 4 attempts, 0.25 s doubling up to 8 s, Retry-After obeyed up to 30 s. */
  retry?: Partial<RetryPolicy>
  now?: Clock['now']
  sleep?: Clock['sleep']
  random?: Clock['random']
  onRequest?: (record: RequestRecord) => void
}

export interface Settings {
  origin: string
  /** What stands before `/data` and `/xapi`: `""`, or a path without a slash at its end. */
  contextPath: string
  userAgent: string
  timeouts: Timeouts
  policy: RetryPolicy
  clock: Clock
  onRequest: (record: RequestRecord) => void
}

const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  headersMs: 120_000,
  // XNAT: an archive call may hold its connection for 600 s (sessionArchiveTimeoutInterval).
  slowHeadersMs: 660_000,
  idleBodyMs: 120_000,
  callMs: undefined,
}

const defaultPolicy: RetryPolicy = { attempts: 4, baseMs: 250, capMs: 8_000, maxRetryAfterMs: 30_000 }

/** @throws {InvalidInputError} XNAT_URL_INVALID, USER_AGENT_INVALID */
export function completeSettings(given: ClientSettings): Settings {
  const { now = systemClock.now, sleep = systemClock.sleep, random = systemClock.random } = given
  return {
    ...addressOf(given.url),
    userAgent: plainUserAgent(given.userAgent ?? `xnat-conduit/${version}`),
    timeouts: { ...defaultTimeouts, ...given.timeouts },
    policy: { ...defaultPolicy, ...given.retry },
    clock: { now, sleep, random },
    onRequest: given.onRequest ?? (() => undefined),
  }
}

function addressOf(url: string): Pick<Settings, 'origin' | 'contextPath'> {
  const base = URL.parse(url)
  if (base === null || !['http:', 'https:'].includes(base.protocol) || base.search + base.hash + base.username !== '') {
    throw new InvalidInputError('The XNAT url is not a plain http or https address', { code: 'XNAT_URL_INVALID' })
  }
  return { origin: base.origin, contextPath: base.pathname.replace(/\/+$/, '') }
}

// XNAT: a browser's name in the User-Agent brings redirects to the login page instead of 401, and demands CSRF tokens
// (WEB/utils/DefaultInteractiveAgentDetector.java, XDAT/xdat/turbine/modules/actions/SecureAction.java).
function plainUserAgent(userAgent: string): string {
  if (/MSIE|Mozilla|AppleWebKit|Opera/.test(userAgent)) {
    throw new InvalidInputError('The user agent must not look like a browser', { code: 'USER_AGENT_INVALID' })
  }
  return userAgent
}
