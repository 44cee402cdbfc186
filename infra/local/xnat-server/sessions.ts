import { randomBytes, randomUUID } from 'node:crypto'

export interface Login {
  readonly id: string
  readonly csrfToken: string
  /** undefined: the guest. */
  readonly username: string | undefined
  /** Whether it counts against the user's session limit. */
  readonly isRegistered: boolean
  lastUsed: number
}

/** HTTP sessions, guests' included: every request without a live one starts one. */
export class Sessions {
  readonly #logins = new Map<string, Login>()
  readonly #expired = new Map<string, string>()
  readonly #now: () => number
  readonly #timeoutMs: () => number

  constructor(options: { now: () => number; timeoutMs: () => number }) {
    this.#now = options.now
    this.#timeoutMs = options.timeoutMs
  }

  start(username: string | undefined, options: { isRegistered: boolean }): Login {
    this.#sweep()
    const login: Login = {
      id: randomBytes(16).toString('hex').toUpperCase(),
      csrfToken: randomUUID(),
      username,
      isRegistered: options.isRegistered,
      lastUsed: this.#now(),
    }
    this.#logins.set(login.id, login)
    return login
  }

  /** The live session of that id, its idle time renewed. */
  touch(id: string): Login | undefined {
    const login = this.#logins.get(id)
    this.#expired.delete(id)
    if (login === undefined) return undefined
    if (this.#isExpired(login)) {
      this.#logins.delete(id)
      return undefined
    }
    login.lastUsed = this.#now()
    return login
  }

  end(id: string): void {
    this.#logins.delete(id)
  }

  /** Ends every login, or those of one user, as a restart or an administrator would. */
  endAll(username?: string): void {
    for (const login of this.list(username)) this.#logins.delete(login.id)
  }

  list(username?: string): Login[] {
    return [...this.#logins.values()].filter(
      (login) => !this.#isExpired(login) && (username === undefined || login.username === username),
    )
  }

  /** Those that count against the limit and that administrators see. */
  registered(username: string): Login[] {
    return this.list(username).filter((login) => login.isRegistered)
  }

  countRegistered(username: string): number {
    return this.registered(username).length
  }

  /** Ends a login for its user; the registry keeps it until somebody comes with its cookie. */
  expire(id: string): void {
    const login = this.#logins.get(id)
    if (login?.username === undefined) return
    this.#logins.delete(id)
    this.#expired.set(id, login.username)
  }

  isInRegistry(username: string): boolean {
    return this.countRegistered(username) > 0 || [...this.#expired.values()].includes(username)
  }

  #isExpired(login: Login): boolean {
    return this.#now() - login.lastUsed > this.#timeoutMs()
  }

  #sweep(): void {
    if (this.#logins.size % 256 !== 0) return
    for (const login of this.#logins.values()) {
      if (this.#isExpired(login)) this.#logins.delete(login.id)
    }
  }
}
