// What one case has to itself on an XNAT: projects, an archive in the first of them, and people with rights to it.
import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { type Answer, basic, type SendOptions as PlainOptions } from '../support/plain-http.ts'
import { type Accounts, memberRoles, type Role } from './accounts.ts'
import type { Target } from './target.ts'

export interface SendOptions extends PlainOptions {
  /** Default `admin`, or nobody when the request says by other means who sends it. */
  as?: Role
  /** Signs in by password with this request. */
  basic?: Role | readonly [user: string, password: string]
  /** Takes up a login by its session id. */
  login?: string
}

/** Labels are a case's own below its project, and stand as they are; IDs are known only when XNAT has given them. */
export const session = '/data/projects/{P1}/subjects/S1/experiments/E1'
export const scanFiles = `${session}/scans/1/resources/DICOM/files`

const projectNames = ['P1', 'P2', 'P3']

export class Site {
  readonly target: Target
  readonly accounts: Accounts
  readonly #names = new Map<string, string>()
  readonly #joined = new Set<Role>()
  /** Where members are members. */
  readonly #memberProjects = ['P1']
  readonly #leftBehind: string[] = []

  constructor(target: Target, accounts: Accounts) {
    this.target = target
    this.accounts = accounts
    const prefix = `cf${randomBytes(4).toString('hex')}`
    for (const name of projectNames) {
      this.keep(name, `${prefix}${name}`)
      this.keep(name.toLowerCase(), `${prefix}${name}`.toLowerCase())
    }
    const [ada, capitalised] = accounts.newcomers()
    this.keep('ada', ada)
    this.keep('Ada', capitalised)
    for (const role of ['admin', ...memberRoles, 'outsider'] as const) {
      this.keep(role, accounts.username(role))
      this.keep(role.toUpperCase(), accounts.username(role).toUpperCase())
      this.keep(`${role}Password`, accounts.password(role))
    }
  }

  /** Lets a name in braces stand for a value from now on. */
  keep(name: string, value: string): void {
    this.#names.set(name, value)
  }

  name(name: string): string {
    const value = this.#names.get(name)
    if (value === undefined) throw new Error(`The case has no {${name}}`)
    return value
  }

  /** Puts values in place of names in braces: {P1} {P2} {P3} are projects, {S1} {E1} {A1} IDs, {owner} ... usernames. */
  fill(text: string): string {
    return text.replace(/\{([A-Za-z]\w*)\}/g, (_, name: string) => this.name(name))
  }

  /** `send('PUT /data/projects/{P2}')`: otherwise the path goes out as it stands. */
  async send(what: string, { as, basic: signIn, login, ...options }: SendOptions = {}): Promise<Answer> {
    const sender = as ?? (signIn === undefined && login === undefined ? 'admin' : 'nobody')
    await this.#makeUsersIn(`${what} ${options.body ?? ''} ${signIn ?? ''}`)
    await this.#join(sender)
    const headers = {
      ...(await this.accounts.cookie(sender)),
      ...(login === undefined ? {} : { cookie: `JSESSIONID=${this.fill(login)}` }),
      ...(signIn === undefined ? {} : await this.#basic(signIn)),
      ...options.headers,
    }
    const body = typeof options.body === 'string' ? { body: this.fill(options.body) } : {}
    const answer = await this.target.http.send(this.fill(what), { ...options, ...body, headers })
    if (changesAccess(what)) await this.target.settle()
    return answer
  }

  /** {P1} (private) with subject S1, session E1, scan 1 and assessor A1. */
  async addArchive(): Promise<void> {
    await this.#put('/data/projects/{P1}?accessibility=private')
    this.keep('S1', await this.#put('/data/projects/{P1}/subjects/S1'))
    this.keep('E1', await this.#put(`${session}?xsiType=xnat:mrSessionData&date=2024-01-31`))
    await this.#put(`${session}/scans/1?xsiType=xnat:mrScanData&type=T1`)
    this.keep('A1', await this.#put(`${session}/assessors/A1?xsiType=xnat:qcManualAssessorData`))
  }

  /** A further project, with the people of {P1}. Comes before anything is asked as one of them. */
  async addProject(name: string): Promise<void> {
    this.#memberProjects.push(name)
    await this.#put(`/data/projects/{${name}}`)
  }

  /** Has a path deleted in the end that does not go with the projects. */
  leaves(path: string): void {
    this.#leftBehind.push(path)
  }

  async close(): Promise<void> {
    for (const path of this.#leftBehind) {
      // 404: the case itself, or the archive, took it away.
      await this.#delete(path, [200, 404])
    }
    for (const name of projectNames) {
      // XNAT: a project that is not there is 400 to delete (ProjectResource.java).
      await this.#delete(`/data/projects/{${name}}?removeFiles=true`, [200, 400])
    }
  }

  async #delete(path: string, fine: readonly number[]): Promise<void> {
    const { status, text } = await this.#asAdmin(`DELETE ${path}`)
    expect(fine, `clean-up of ${this.fill(path)}: ${status} ${text}`).toContain(status)
  }

  async #put(path: string): Promise<string> {
    const { status, text } = await this.#asAdmin(`PUT ${path}`)
    expect([200, 201], `${path}: ${text}`).toContain(status)
    if (changesAccess(`PUT ${path}`)) await this.target.settle()
    return text
  }

  async #basic(signIn: Role | readonly [user: string, password: string]): Promise<Record<string, string>> {
    if (typeof signIn !== 'string') return basic(this.fill(signIn[0]), this.fill(signIn[1]))
    await this.#join(signIn)
    await this.accounts.ensure(signIn)
    return this.accounts.basic(signIn)
  }

  async #join(role: Role): Promise<void> {
    if (this.#joined.has(role) || !memberRoles.some((each) => each === role)) return
    this.#joined.add(role)
    await this.accounts.ensure(role)
    for (const name of this.#memberProjects) await this.#put(`/data/projects/{${name}}/users/${role}/{${role}}`)
  }

  async #makeUsersIn(text: string): Promise<void> {
    for (const role of [...memberRoles, 'outsider'] as const) {
      if (text.toLowerCase().includes(`{${role}`)) await this.accounts.ensure(role)
    }
  }

  #asAdmin(what: string): Promise<Answer> {
    return this.accounts.asAdmin(this.fill(what))
  }
}

const changesAccess = (what: string) =>
  /^(PUT|POST|DELETE) .*\/(projects(\/[^/?]+)?(\?|$)|users\/|accessibility\/|groups)/.test(what)
