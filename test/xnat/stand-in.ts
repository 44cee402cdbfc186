// A stand-in XNAT per test, and clients for it.
import { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Fault, FaultKind } from '../../infra/local/xnat-server/faults.ts'
import { startXnat, type XnatServer, type XnatServerOptions } from '../../infra/local/xnat-server/server.ts'
import { ensureExperiment, ensureScan } from '../../lib/xnat/archive.ts'
import { XnatClient, type XnatClientOptions } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import type { ResourceRef, UploadSource } from '../../lib/xnat/resources.ts'

export async function startStandIn(options: XnatServerOptions = {}): Promise<{ xnat: XnatServer; client: XnatClient }> {
  const xnat = await startXnat(options)
  onTestFinished(() => xnat.stop())
  return { xnat, client: clientOf(xnat) }
}

/** A client of the administrator, or of another user whose password is the name. */
export function clientOf(
  xnat: Pick<XnatServer, 'url' | 'user' | 'password'>,
  options: Partial<XnatClientOptions> & { user?: string } = {},
): XnatClient {
  const { user, ...rest } = options
  const client = new XnatClient({
    url: xnat.url,
    credentials: { kind: 'password', user: user ?? xnat.user, password: user ?? xnat.password },
    random: () => 0.5,
    sleep: async () => undefined,
    ...rest,
  })
  // Runs before the server stops: the last one registered goes first.
  onTestFinished(() => client.close())
  return client
}

/** A project `P` with subject `S1`, MR session `MR1` and its scan `1`. */
export async function startWithSession() {
  const { xnat, client } = await startStandIn()
  await createProject(client, { projectId: 'P' })
  const session = { projectId: 'P', subjectLabel: 'S1', label: 'MR1', xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(client, session)
  await ensureScan(client, { experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
  const scan: ResourceRef = { parent: { level: 'scan', experimentId, scanId: '1' }, resourceLabel: 'DICOM' }
  const onSession: ResourceRef = { parent: { level: 'experiment', experimentId }, resourceLabel: 'NOTES' }
  return { xnat, client, experimentId, scan, onSession }
}

export function bytes(content: string | Buffer): UploadSource {
  const buffer = Buffer.from(content)
  return { openBody: () => Readable.from([buffer]), sizeBytes: buffer.length }
}

export async function textOf(body: Readable): Promise<string> {
  return Buffer.concat(await body.toArray()).toString()
}

/** Arranges what happens to the next request that fits. */
export function misbehaveNext(xnat: XnatServer, kind: FaultKind, fault: Omit<Fault, 'kind'> = {}): void {
  xnat.faults.next({ ...fault, kind: kind })
}
