// A stand-in XNAT with a small archive, and plain HTTP to talk to it: nothing of the client is used here.
import { expect, test as plainTest } from 'vitest'
import { startXnat, type XnatServer, type XnatServerOptions } from '../../infra/local/xnat-server/server.ts'
import { type Answer, basic, type SendOptions as PlainOptions, plainHttp } from '../support/plain-http.ts'

export { type Answer, basic } from '../support/plain-http.ts'

export type Role = 'admin' | 'owner' | 'member' | 'collaborator' | 'outsider' | 'nobody'

export interface SendOptions extends PlainOptions {
  as?: Role
}

export interface Site {
  server: XnatServer
  /** `send('PUT /data/projects/P2')`: the path goes out as it stands. */
  send(what: string, options?: SendOptions): Promise<Answer>
  stop(): Promise<void>
}

export async function startSite(options: XnatServerOptions = {}): Promise<Site> {
  const server = await startXnat(options)
  for (const group of ['owner', 'member', 'collaborator']) {
    if (server.state.users.get(group) === undefined) server.state.addUser({ username: group, groups: [`P1_${group}`] })
  }
  if (server.state.users.get('outsider') === undefined) server.state.addUser({ username: 'outsider' })
  const http = plainHttp(server.url)
  const logins = new Map<Role, string>()

  const login = async (role: Role): Promise<string> => {
    const known = logins.get(role)
    if (known !== undefined) return known
    const password = role === 'admin' ? server.password : role
    const { text } = await http.send('GET /data/JSESSION', { headers: basic(role, password) })
    logins.set(role, text)
    return text
  }

  return {
    server,
    async send(what, sendOptions = {}) {
      const { as = 'admin', headers = {} } = sendOptions
      const cookie: Record<string, string> = as === 'nobody' ? {} : { cookie: `JSESSIONID=${await login(as)}` }
      return http.send(what, { ...sendOptions, headers: { ...cookie, ...headers } })
    },
    async stop() {
      http.close()
      await server.stop()
    },
  }
}

/** P1 (private) with subject S1, session E1, scan 1 and assessor A1. */
export async function addArchive(site: Site): Promise<void> {
  const session = '/data/projects/P1/subjects/S1/experiments/E1'
  for (const path of [
    '/data/projects/P1?accessibility=private',
    '/data/projects/P1/subjects/S1',
    `${session}?xsiType=xnat:mrSessionData&date=2024-01-31`,
    `${session}/scans/1?xsiType=xnat:mrScanData&type=T1`,
    `${session}/assessors/A1?xsiType=xnat:qcManualAssessorData`,
  ]) {
    const { status } = await site.send(`PUT ${path}`)
    expect(status, path).toBeLessThan(300)
  }
}

export const session = '/data/projects/P1/subjects/S1/experiments/E1'
export const scanFiles = `${session}/scans/1/resources/DICOM/files`

/** Each test gets a site of its own, with the archive in it. */
export const test = plainTest.extend<{ site: Site }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures a test needs from this pattern.
  site: async ({}, use) => {
    const site = await startSite()
    await addArchive(site)
    await use(site)
    await site.stop()
  },
})
