// A stand-in for XNAT's REST API: answers as XNAT's source says, its bad manners included, and refuses with 501 what
// it does not know. It shares no code with the client, so that each can be held against the other.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as z from 'zod'
import { Archive } from './archive.ts'
import { Background } from './background.ts'
import { chores } from './chores.ts'
import { Clock } from './clock.ts'
import { type ControlParts, controlPrefix, controlReply } from './control.ts'
import { dispatch } from './dispatch.ts'
import { decree, type Fate } from './dqr/fates.ts'
import { OrthancPacs, orthancUrl } from './dqr/orthanc-pacs.ts'
import { type PacsStudy, type PacsStudyOrder, studyFrom } from './dqr/pacs-study.ts'
import { addReceiver } from './dqr/receivers.ts'
import { type DqrSetUp, setUpDqr } from './dqr/set-up.ts'
import { SimulatedPacs } from './dqr/simulated-pacs.ts'
import type { Xnat } from './exchange.ts'
import { Faults } from './faults.ts'
import { HttpFailure } from './http-failure.ts'
import { close, listen } from './listening.ts'
import { misbehave } from './misbehave.ts'
import { isAdmin } from './permissions.ts'
import { failureReply, type Reply, sendReply } from './reply.ts'
import { RequestLog } from './request-log.ts'
import { Sessions } from './sessions.ts'
import { State } from './state.ts'

export interface XnatServerOptions {
  /** Where files, catalogs and records live; they survive a restart and a crash. Default: a fresh folder that `stop` removes. */
  dataDir?: string
  /** Default 0: any free one. */
  port?: number
  /** The administrator's account. Default `admin` / `stand-in-password`. */
  user?: string
  password?: string
  /** Beginning of accession IDs, and realm of the sign-in. Default `XNAT`. */
  siteId?: string
  /** A PACS to query and retrieve from in place of the simulated one: `orthanc://host:port`, of its REST. */
  orthanc?: string
  /** What the server's clock is taken from. */
  now?: () => Date
}

export interface XnatServer {
  url: string
  user: string
  password: string
  /** For arranging a test: users, settings, sessions. What happened is asked over HTTP. */
  state: State
  faults: Faults
  requests: RequestLog
  clock: {
    now(): Date
    /** Moves the server's time on and does what falls due on the way. */
    advance(ms: number): Promise<void>
  }
  /** The simulated PACS. */
  pacs: {
    /** Puts studies into it; whatever an order leaves out is made up. */
    add(...orders: readonly PacsStudyOrder[]): PacsStudy[]
    /** Decrees what becomes of studies from now on, of all unless some are named. `{kind: 'arrives'}` lifts faults. */
    decree(fate: z.input<typeof Fate>, accessionNumbers?: readonly string[]): number
    /** Registers it with DQR, open day and night, and prepares receiver and projects. */
    register(options?: DqrSetUp): ReturnType<typeof setUpDqr>
  }
  /** Cuts what is under way. A second call changes nothing. */
  stop(): Promise<void>
}

export async function startXnat(options: XnatServerOptions = {}): Promise<XnatServer> {
  const { port = 0, user = 'admin', password = 'stand-in-password' } = options
  const clock = new Clock(options.now ?? (() => new Date()))
  const orthanc = options.orthanc === undefined ? undefined : new OrthancPacs(orthancUrl(options.orthanc))
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'xnat-')))
  await mkdir(dataDir, { recursive: true })
  const archive = new Archive(dataDir)
  await archive.open()
  const state: State = new State(
    dataDir,
    new Sessions({ now: () => clock.now().getTime(), timeoutMs: () => state.settings.sessionTimeoutMs }),
  )
  if (options.siteId !== undefined) state.configure({ siteId: options.siteId })
  ensureAdmin(state, user, password)
  assignContainerManagers(state)
  const faults = new Faults()
  const requests = new RequestLog()
  let url = ''
  const xnat: Xnat = {
    state,
    archive,
    now: () => clock.now(),
    startedAt: clock.now(),
    pacs: orthanc ?? new SimulatedPacs({ state }),
    siteUrl: () => url,
  }
  // XNAT: a site without receivers gets this one at its start (DicomSCPInstance.java createDefault).
  if (state.dqr.receivers.all().length === 0) addReceiver(xnat, { aeTitle: 'XNAT', port: 8104 })
  const background = new Background(xnat, chores)
  const stopped = new AbortController()
  const underWay = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const work = serve({ xnat, faults, requests, clock, background, stopped: stopped.signal }, request, response)
    underWay.add(work)
    void work.finally(() => underWay.delete(work))
  })
  // An upload takes as long as it takes.
  server.requestTimeout = 0
  server.keepAliveTimeout = 60_000
  const leave = async () => {
    state.close()
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
  }
  const boundPort = await listen(server, port).catch(async (error: unknown) => {
    await leave()
    throw error
  })
  url = `http://127.0.0.1:${boundPort}`
  let stopping: Promise<void> | undefined
  const end = async () => {
    const closed = close(server)
    stopped.abort()
    await closed
    // Their connections are cut; what they had begun to write must end before its folder goes.
    await Promise.all(underWay)
    await leave()
  }
  const stop = () => {
    stopping ??= end()
    return stopping
  }
  const advance = (ms: number) => {
    clock.advance(ms)
    return background.settle()
  }
  const pacs: XnatServer['pacs'] = {
    add: (...orders) => orders.map((order) => state.dqr.pacsStudies.put(studyFrom(order))),
    decree: (fate, accessionNumbers) => decree(state, fate, accessionNumbers),
    register: (options) => setUpDqr(xnat, options),
  }
  return { url, user, password, state, faults, requests, clock: { now: () => clock.now(), advance }, pacs, stop }
}

interface Parts extends ControlParts {
  stopped: AbortSignal
}

async function serve({ stopped, ...parts }: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { xnat, faults, requests, background } = parts
  const { method = 'GET', url = '/' } = request
  const head = method === 'HEAD'
  try {
    if (url.startsWith(controlPrefix)) {
      await sendReply(response, await controlReply(request, parts), { head })
      return
    }
    const logged = requests.start(method, url, xnat.now())
    const began = performance.now()
    response.once('close', () => {
      logged.durationMs = Math.round(performance.now() - began)
    })
    await background.settle()
    const fault = faults.take(method, url)
    const reply = await (fault === undefined
      ? dispatch(request, xnat, { truncateStore: false })
      : misbehave(fault, { request, response, xnat, stopped }))
    if (reply === undefined) return
    logged.status = reply.status
    await sendReply(response, reply, { head })
  } catch (error) {
    await sendUnexpected(response, error)
  } finally {
    // What nobody wanted of the body makes way for the next request on this connection.
    request.resume()
  }
}

/** XNAT answers what it did not foresee with a 500 page holding the exception's message; here it is reported as well. */
async function sendUnexpected(response: ServerResponse, error: unknown): Promise<void> {
  // The sender or reader went away: there is nobody to answer.
  if (response.destroyed || response.socket?.destroyed !== false) return
  const message = error instanceof Error ? error.message : String(error)
  console.error('stand-in XNAT:', error)
  if (response.headersSent) {
    response.destroy()
    return
  }
  const reply: Reply = failureReply(new HttpFailure(500, message))
  await sendReply(response, reply, { head: false })
}

function ensureAdmin(state: State, username: string, password: string): void {
  const present = state.users.get(username)
  if (present === undefined) {
    // XNAT: a new site's administrator is called that.
    const name = { firstName: 'Admin', lastName: 'Admin' }
    state.addUser({ username, password, ...name, roles: ['Administrator'], groups: ['ALL_DATA_ADMIN'] })
  } else if (present.password !== password) {
    state.users.put({ ...present, password })
  }
}

// Container Service: when nobody holds the role at the start, all administrators get it
// (AssignContainerManagerRoleToSiteAdminOnUpgrade.java).
function assignContainerManagers(state: State): void {
  const role = 'ContainerManager'
  const users = state.users.all()
  if (users.some(({ roles }) => roles.includes(role))) return
  for (const user of users) {
    if (user.enabled && isAdmin(user)) state.users.put({ ...user, roles: [...user.roles, role] })
  }
}
