// Users of the suite's own. XNAT keeps every account (UsersApi.java deletes none): in the end they are disabled.
import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { type Answer, basic } from '../support/plain-http.ts'
import type { Target } from './target.ts'

export const memberRoles = ['owner', 'member', 'collaborator'] as const
export type Role = 'admin' | (typeof memberRoles)[number] | 'outsider' | 'nobody'

export class Accounts {
  readonly #target: Target
  readonly #prefix: string
  readonly #made = new Set<Role>()
  readonly #sessionIds = new Map<Role, string>()
  #adminSessionId = ''

  constructor(target: Target) {
    this.#target = target
    this.#prefix = `cf${randomBytes(4).toString('hex')}`
  }

  username(role: Role): string {
    return role === 'admin' ? this.#target.user : `${this.#prefix}_${role}`
  }

  /** Names for users that a case makes itself. */
  newcomers(): [ada: string, capitalised: string] {
    return [`${this.#prefix}_ada`, `${this.#prefix}_Ada`]
  }

  password(role: Role): string {
    return role === 'admin' ? this.#target.password : `${this.#prefix}-Pw9`
  }

  /** Sign-in by password, as a header. */
  basic(role: Role): Record<string, string> {
    return basic(this.username(role), this.password(role))
  }

  /** Makes the account unless it is there. */
  async ensure(role: Role): Promise<void> {
    if (role === 'admin' || role === 'nobody' || this.#made.has(role)) return
    this.#made.add(role)
    const username = this.username(role)
    const user = {
      username,
      password: this.password(role),
      email: `${username}@example.org`,
      firstName: role,
      lastName: `${this.#prefix} ${role}`,
      enabled: true,
      verified: true,
    }
    const { status, text } = await this.asAdmin('POST /xapi/users', JSON.stringify(user))
    expect(status, `a user to ask as: ${text}`).toBe(201)
  }

  /** The cookie of a login, which is made once. */
  async cookie(role: Role): Promise<Record<string, string>> {
    if (role === 'nobody') return {}
    await this.ensure(role)
    const known = this.#sessionIds.get(role)
    if (known !== undefined) return { cookie: `JSESSIONID=${known}` }
    const sessionId = await this.#signIn(role)
    this.#sessionIds.set(role, sessionId)
    return { cookie: `JSESSIONID=${sessionId}` }
  }

  async close(): Promise<void> {
    for (const role of this.#made) {
      const { status } = await this.asAdmin(`PUT /xapi/users/${this.username(role)}/enabled/false`)
      expect(status, `disabling ${this.username(role)}`).toBe(200)
    }
    // Whether a case made these, only XNAT knows.
    for (const username of this.newcomers()) await this.asAdmin(`PUT /xapi/users/${username}/enabled/false`)
  }

  /** Arranges a case: by a login of its own, which is renewed when a case has ended it. */
  async asAdmin(what: string, body = ''): Promise<Answer> {
    const send = () =>
      this.#target.http.send(what, {
        headers: { 'content-type': 'application/json', cookie: `JSESSIONID=${this.#adminSessionId}` },
        body,
      })
    const answer = await send()
    if (answer.status !== 401) return answer
    this.#adminSessionId = await this.#signIn('admin')
    return send()
  }

  async #signIn(role: Role): Promise<string> {
    const { status, text } = await this.#target.http.send('GET /data/JSESSION', { headers: this.basic(role) })
    expect(status, `sign-in as ${this.username(role)}`).toBe(200)
    return text
  }
}
