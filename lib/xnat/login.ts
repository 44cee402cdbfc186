import { unlessAborted } from './deadline.ts'

export type Credentials =
  | { kind: 'password'; user: string; password: string }
  | { kind: 'alias-token'; alias: string; secret: string }
  | { kind: 'session'; jsessionId: string }

/**
 * Asked at each sign-in, so that a password may change while the client lives. After a refusal it is asked again, with
 * `isRefused`; when it then gives others than those that were refused, these are tried at once.
 */
export type CredentialsSource = (question: { isRefused: boolean }) => Promise<Exclude<Credentials, { kind: 'session' }>>

/** One signed-in HTTP session of XNAT. Two logins are the same only when they are the same object. */
export interface Login {
  readonly jsessionId: string
}

interface PendingLogin {
  promise: Promise<Login>
  waiting: number
  /** Fired when the last who waited has given up: a sign-in that hangs would meet the next caller, too. */
  abandon: AbortController
}

/** The one login that all calls of a client share. A stale one is replaced once, however many calls notice it. */
export class SharedLogin {
  readonly #signIn: (signal: AbortSignal) => Promise<Login>
  #pending: PendingLogin | undefined
  #current: Login | undefined

  constructor(signIn: (signal: AbortSignal) => Promise<Login>) {
    this.#signIn = signIn
  }

  /** The login there is, the one under way, or a new one. The signal ends the waiting, for this caller alone. */
  async get(signal: AbortSignal): Promise<Login> {
    if (this.#current !== undefined) return this.#current
    this.#pending ??= this.#start()
    return this.#wait(this.#pending, signal)
  }

  /** A login other than `stale`: a new one, or the one that somebody else has already fetched in its place. */
  async renew(stale: Login, signal: AbortSignal): Promise<Login> {
    if (this.#current === stale) this.#current = undefined
    return this.get(signal)
  }

  /** Forgets the login, also one that is just being made, and returns it, so that it can be ended. */
  async take(): Promise<Login | undefined> {
    await this.#pending?.promise.catch(() => {
      // Whoever asked for the sign-in hears of its failure; here it only means that there is nothing to end.
    })
    const login = this.#current
    this.#current = undefined
    return login
  }

  async #wait(pending: PendingLogin, signal: AbortSignal): Promise<Login> {
    pending.waiting += 1
    try {
      return await unlessAborted(pending.promise, signal)
    } finally {
      pending.waiting -= 1
      if (pending.waiting === 0 && this.#pending === pending) {
        this.#pending = undefined
        pending.abandon.abort()
      }
    }
  }

  #start(): PendingLogin {
    const abandon = new AbortController()
    const pending: PendingLogin = { promise: this.#finish(abandon.signal, () => pending), waiting: 0, abandon }
    return pending
  }

  async #finish(signal: AbortSignal, own: () => PendingLogin): Promise<Login> {
    try {
      this.#current = await this.#signIn(signal)
      return this.#current
    } finally {
      if (this.#pending === own()) this.#pending = undefined
    }
  }
}

/** The Authorization header that opens a session. */
export function basicAuthorization(credentials: Exclude<Credentials, { kind: 'session' }>): string {
  return credentials.kind === 'password'
    ? basic(credentials.user, credentials.password)
    : basic(credentials.alias, credentials.secret)
}

// XNAT: the header is decoded as UTF-8 and split at the first colon (WEB/security/XnatBasicAuthenticationFilter.java).
function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`
}
