import type { IncomingMessage } from 'node:http'
import type { Archive } from './archive.ts'
import type { RemotePacs } from './dqr/remote-pacs.ts'
import type { Query } from './query.ts'
import type { User } from './records.ts'
import type { Reply } from './reply.ts'
import type { Login } from './sessions.ts'
import type { State } from './state.ts'

/** The server's parts, as routes use them. */
export interface Xnat {
  state: State
  archive: Archive
  now: () => Date
  startedAt: Date
  /** What stands behind every PACS that is registered. */
  pacs: RemotePacs
  /** Absolute, without a trailing slash. Known once the server listens. */
  siteUrl: () => string
}

export interface Exchange {
  request: IncomingMessage
  /** After `?method=` tunnelling. */
  method: string
  /** As it was sent, without the query. */
  rawPath: string
  params: Readonly<Record<string, string>>
  /** What follows the matched route: XNAT matches routes by their beginning. */
  rest: string
  query: Query
  /** undefined: the guest. */
  user: User | undefined
  login: Login
  xnat: Xnat
  /** A fault arranged for this request: the body loses its end on its way to the disk. */
  truncateStore: boolean
}

export type Handler = (exchange: Exchange) => Reply | Promise<Reply>
export type Methods = Partial<Record<'GET' | 'PUT' | 'POST' | 'DELETE', Handler>>
