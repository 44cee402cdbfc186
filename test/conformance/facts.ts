// Cases as data: what is sent, step by step, and what a document says is answered.
import { expect, test as plainTest, vi } from 'vitest'
import type { Answer } from '../support/plain-http.ts'
import { Accounts } from './accounts.ts'
import { type SendOptions, Site } from './site.ts'
import { isRealXnat, openStandIn, openTarget, type Target } from './target.ts'

type Cell = string | RegExp

export interface Step extends SendOptions {
  send: string
  status: number
  text?: string | RegExp
  replyHeaders?: Record<string, Cell | undefined>
  /** The rows of a list, each holding at least these cells. Their order counts only with `inOrder`. */
  rows?: Record<string, Cell>[]
  inOrder?: true
  /** A row that is among those of a list, for lists that hold other people's records too. */
  among?: Record<string, Cell>
  /** A row that is not among them. */
  lacks?: Record<string, Cell>
  /** Keeps the text of the answer as a name for later steps. */
  keep?: string
  /** Keeps the session id that the answer sets. */
  keepLogin?: string
  /** Keeps cells of the first row of a list, by name. */
  keepCells?: Record<string, string>
}

export interface Case {
  /** `<document> <section>: <claim>`. */
  fact: string
  /** Why a real site is left out, with the case on a stand-in of its own. */
  standInOnly?: 'changes the site' | 'moves the clock' | 'counts on an empty site' | 'changes its disk'
  /** For a case that spoils the users it has. */
  ownUsers?: true
  steps: Step[]
}

/** The step that uploads a file. */
export const stored = (path: string, body: string): Step => ({
  send: `PUT ${path}?inbody=true`,
  headers: { 'content-type': 'application/octet-stream' },
  body,
  status: 200,
})

if (isRealXnat) vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Cases of one file ask one XNAT, as the same people. */
export const withTarget = plainTest
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from this pattern which fixtures are needed.
  .extend('target', { scope: 'file' }, async ({}, { onCleanup }) => {
    const target = await openTarget()
    onCleanup(() => target.close())
    return target
  })
  .extend('users', { scope: 'file' }, async ({ target }, { onCleanup }) => {
    const users = new Accounts(target)
    onCleanup(() => users.close())
    return users
  })

/** Projects of its own for a case, and the archive in the first of them, until the case ends. */
export async function siteOf(target: Target, users: Accounts, onCleanup: (end: () => Promise<void>) => void) {
  const site = new Site(target, users)
  onCleanup(() => site.close())
  await site.addArchive()
  return site
}

/** A case on the XNAT of its file. */
export const test = withTarget.extend('site', ({ target, users }, { onCleanup }) => siteOf(target, users, onCleanup))

/** The same for a case that spoils the users it has. */
export const testWithOwnUsers = withTarget
  .extend('ownUsers', async ({ target }, { onCleanup }) => {
    const users = new Accounts(target)
    onCleanup(() => users.close())
    return users
  })
  .extend('site', ({ target, ownUsers }, { onCleanup }) => siteOf(target, ownUsers, onCleanup))

const onStandIn = plainTest
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from this pattern which fixtures are needed.
  .extend('standIn', async ({}, { onCleanup }) => {
    const standIn = await openStandIn()
    onCleanup(() => standIn.close())
    return standIn
  })
  .extend('site', async ({ standIn }) => {
    const site = new Site(standIn, new Accounts(standIn))
    await site.addArchive()
    // It goes with its stand-in: nothing is left to clean up.
    return site
  })

/** A case that would disturb a real site: it has a stand-in of its own, and is left out when a real XNAT is asked. */
export const testStandInOnly = onStandIn.skipIf(isRealXnat)

export function testFacts(cases: readonly Case[]): void {
  for (const { fact, standInOnly, ownUsers, steps } of cases) {
    const run = async (site: Site) => {
      for (const step of steps) await take(site, step)
    }
    if (standInOnly !== undefined) testStandInOnly(`${fact} [stand-in only: ${standInOnly}]`, ({ site }) => run(site))
    else if (ownUsers === true) testWithOwnUsers(fact, ({ site }) => run(site))
    else test(fact, ({ site }) => run(site))
  }
}

async function take(site: Site, step: Step): Promise<void> {
  const answer = await site.send(step.send, step)
  expect(answer.status, `${step.send}: ${answer.text}`).toBe(step.status)
  if (step.text !== undefined) expect(answer.text, step.send).toEqual(filled(site, step.text))
  for (const [name, value] of Object.entries(step.replyHeaders ?? {})) {
    expect(answer.headers[name], name).toEqual(value === undefined ? undefined : filled(site, value))
  }
  checkRows(site, step, answer)
  keepNames(site, step, answer)
}

function checkRows(site: Site, { send, rows, inOrder, among, lacks }: Step, answer: Answer): void {
  if (rows !== undefined) expect(answer.rows(), send).toHaveLength(rows.length)
  if (inOrder) expect(answer.rows(), send).toEqual(rows?.map((row) => rowLike(site, row)))
  for (const row of [...(rows ?? []), ...(among === undefined ? [] : [among])]) {
    expect(answer.rows(), send).toContainEqual(rowLike(site, row))
  }
  if (lacks !== undefined) expect(answer.rows(), send).not.toContainEqual(rowLike(site, lacks))
}

function keepNames(site: Site, { send, keep, keepLogin, keepCells = {} }: Step, answer: Answer): void {
  if (keep !== undefined) site.keep(keep, answer.text)
  if (keepLogin !== undefined) site.keep(keepLogin, sessionIdIn(answer))
  for (const [name, column] of Object.entries(keepCells)) {
    const value = answer.rows()[0]?.[column]
    expect(value, `${column} of ${send}`).toEqual(expect.any(String))
    site.keep(name, String(value))
  }
}

function sessionIdIn(answer: Answer): string {
  const sessionId = answer.cookie('JSESSIONID')
  if (sessionId === undefined) throw new Error('The answer sets no JSESSIONID')
  return sessionId
}

const rowLike = (site: Site, row: Record<string, Cell>): unknown =>
  expect.objectContaining(Object.fromEntries(Object.entries(row).map(([column, cell]) => [column, filled(site, cell)])))

/** What an answer must equal; a pattern is looked for in it. */
function filled(site: Site, expected: Cell): unknown {
  if (typeof expected === 'string') return site.fill(expected)
  return expect.stringMatching(new RegExp(site.fill(expected.source), expected.flags))
}
