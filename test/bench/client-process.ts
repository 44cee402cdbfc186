// The process that bench client measures: one upload, and what it took.
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureExperiment, ensureScan } from '../../lib/xnat/archive.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { ensureResource, listFiles, putFile, type ResourceRef } from '../../lib/xnat/resources.ts'
import { type UploadFolderOptions, uploadFolder } from '../../lib/xnat/upload-folder.ts'
import type { Measured } from './client.ts'
import { credentials } from './servers.ts'

const [url = '', method = '', folder = ''] = process.argv.slice(2)
const { user, password } = credentials
let requests = 0
const client = new XnatClient({
  url,
  credentials: { kind: 'password', user, password },
  onRequest: () => {
    requests += 1
  },
})

const parts = await readdir(folder)
const resources = await makeResources(parts.length)
if (method === 'one-resource' && resources[0] !== undefined) await ensureResource(client, resources[0])
requests = 0
const startedAt = performance.now()
const note = method === 'one-resource' ? await sendIntoOne(resources[0]) : await sendFolders(resources)
const measured: Measured = {
  ms: performance.now() - startedAt,
  requests,
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
  note,
}
await client.close()
process.send?.(measured)
process.disconnect()

/** One scan with a resource to come for each folder. */
async function makeResources(count: number): Promise<ResourceRef[]> {
  await createProject(client, { projectId: 'P' })
  const session = { projectId: 'P', subjectLabel: 'S', label: 'E', xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(client, session)
  const refs: ResourceRef[] = []
  for (let index = 1; index <= count; index += 1) {
    const scanId = String(index)
    await ensureScan(client, { experimentId, scanId, xsiType: 'xnat:mrScanData' })
    refs.push({ parent: { level: 'scan', experimentId, scanId }, resourceLabel: 'DICOM' })
  }
  return refs
}

async function sendFolders(refs: readonly ResourceRef[]): Promise<string> {
  const outcomes = await Promise.all(
    parts.map(async (part, index) => {
      const ref = refs[index]
      if (ref === undefined) throw new Error('fewer resources than folders')
      return uploadFolder(client, ref, join(folder, part), { method: uploadMethod(), overwrite: true })
    }),
  )
  for (const { kind } of outcomes) if (kind !== 'stored') throw new Error(`an upload ended as ${kind}`)
  return ''
}

function uploadMethod(): NonNullable<UploadFolderOptions['method']> {
  if (method === 'tar' || method === 'zip' || method === 'tgz' || method === 'per-file') return method
  throw new Error(`no way to upload: ${method}`)
}

/** What the client does not do by itself: several writers on one resource, and what is left of their work. */
async function sendIntoOne(ref: ResourceRef | undefined): Promise<string> {
  if (ref === undefined) throw new Error('no resource')
  let failed = 0
  let sent = 0
  await Promise.all(
    parts.map(async (part) => {
      for (const name of await readdir(join(folder, part))) {
        const file = join(folder, part, name)
        const source = { openBody: () => createReadStream(file), sizeBytes: (await stat(file)).size }
        sent += 1
        await putFile(client, ref, name, source, { overwrite: true }).catch(() => {
          failed += 1
        })
      }
    }),
  )
  const listed = new Set((await listFiles(client, ref)).map(({ path }) => path)).size
  return `${failed} uploads failed, ${sent - listed} files are not listed`
}
