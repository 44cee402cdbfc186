// The XNAT that the suite asks: the stand-in, or a real one when XNAT_URL names it. A real one needs an administrator's
// account in XNAT_SERVICE_USER and XNAT_SERVICE_PASSWORD, since cases make users of their own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, vi } from 'vitest'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { sizeOfFiles } from '../support/folder-size.ts'
import { type PlainHttp, plainHttp } from '../support/plain-http.ts'

export interface Target {
  url: string
  user: string
  password: string
  http: PlainHttp
  /** Waits for what XNAT does after it has answered: it keeps projects and permissions in caches for up to a second. */
  settle(): Promise<void>
  /** Waits until an upload whose body is under way has read the catalog of its resource. */
  uploadBegins(): Promise<void>
  close(): Promise<void>
}

export interface StandIn extends Target {
  server: XnatServer
}

const { XNAT_URL = '', XNAT_SERVICE_USER = '', XNAT_SERVICE_PASSWORD = '' } = process.env

export const isRealXnat = XNAT_URL !== ''

export const openTarget = async (): Promise<Target> => (isRealXnat ? realXnat() : openStandIn())

export async function openStandIn(): Promise<StandIn> {
  const dataDir = await mkdtemp(join(tmpdir(), 'conformance-'))
  const server = await startXnat({ dataDir })
  const http = plainHttp(server.url)
  const { url, user, password } = server
  return {
    url,
    user,
    password,
    http,
    server,
    settle: async () => undefined,
    uploadBegins: () => vi.waitFor(async () => expect(await sizeOfFiles(join(dataDir, 'uploads'))).toBeGreaterThan(0)),
    async close() {
      http.close()
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function realXnat(): Target {
  if (XNAT_SERVICE_USER === '' || XNAT_SERVICE_PASSWORD === '') {
    throw new Error('With XNAT_URL goes an account: XNAT_SERVICE_USER and XNAT_SERVICE_PASSWORD')
  }
  const http = plainHttp(XNAT_URL)
  return {
    url: XNAT_URL,
    user: XNAT_SERVICE_USER,
    password: XNAT_SERVICE_PASSWORD,
    http,
    settle: () => sleep(1000),
    uploadBegins: () => sleep(2000),
    close: async () => http.close(),
  }
}
