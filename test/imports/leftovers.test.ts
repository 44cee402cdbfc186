import { describe, expect, it } from 'vitest'
import { clearLeftover, isLeft, type Leftover, type LeftoverPolicy } from '../../lib/imports/leftovers.ts'
import { checkSession } from '../../lib/imports/session-check.ts'
import { ensureExperiment, ensureScan, findExperimentById } from '../../lib/xnat/archive.ts'
import { ensureAssessor } from '../../lib/xnat/assessors.ts'
import type { XnatClient } from '../../lib/xnat/client.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { ensureResource, putFile, type ResourceParent } from '../../lib/xnat/resources.ts'
import { createClient, startAnswering } from '../xnat/scripted-xnat.ts'
import { bytes, startStandIn } from '../xnat/stand-in.ts'

const signal = new AbortController().signal

describe('by its policy', () => {
  const ref = { projectId: 'P', timestamp: '20260105_095900000', folder: 'A1' }
  const leftovers: Record<string, Leftover> = {
    request: { kind: 'queued-request', id: 1 },
    direct: { kind: 'direct-archive', id: 1, because: 'error' },
    error: { kind: 'prearchive', ref, because: 'error' },
    conflict: { kind: 'prearchive', ref, because: 'conflict' },
    shell: { kind: 'empty-session', experimentId: 'E1' },
  }
  const leftBy = (policy: Partial<LeftoverPolicy>) => {
    const all: LeftoverPolicy = {
      conflict: 'delete-and-retry',
      error: 'delete-and-retry',
      emptySession: 'delete-and-retry',
      ...policy,
    }
    return Object.keys(leftovers).filter((name) => leftovers[name] !== undefined && isLeft(leftovers[name], all))
  }

  it.each<[Partial<LeftoverPolicy>, string[]]>([
    [{}, []],
    [{ conflict: 'leave' }, ['conflict']],
    [{ error: 'leave' }, ['direct', 'error']],
    [{ emptySession: 'leave' }, ['shell']],
  ])('%j leaves %j', (policy, left) => {
    expect(leftBy(policy)).toEqual(left)
  })
})

/** A session with two scans in which nothing is. */
async function startWithShell() {
  const { xnat, client } = await startStandIn()
  await createProject(client, { projectId: 'P' })
  const session = { projectId: 'P', subjectLabel: 'S1', label: 'A1', xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(client, session)
  for (const scanId of ['1', '2']) await ensureScan(client, { experimentId, scanId, xsiType: 'xnat:mrScanData' })
  const put = (parent: ResourceParent) => putFile(client, { parent, resourceLabel: 'R' }, '1.dcm', bytes('content'))
  return { xnat, client, experimentId, put }
}

type Shell = Awaited<ReturnType<typeof startWithShell>>

const check = ({ client, experimentId }: Shell) => checkSession({ xnat: client, signal }, experimentId)

async function clear({ client, experimentId }: Pick<Shell, 'experimentId'> & { client: XnatClient }) {
  const isGone = await clearLeftover({ xnat: client, signal }, { kind: 'empty-session', experimentId })
  return { isGone, isThere: (await findExperimentById(client, experimentId)) !== undefined }
}

describe('an empty session', () => {
  it('is deleted with its scans', async () => {
    const shell = await startWithShell()
    expect(await check(shell)).toBe('empty')

    expect(await clear(shell)).toEqual({ isGone: true, isThere: false })
  })

  it('is deleted with a resource in which no file is', async () => {
    const shell = await startWithShell()
    const { client, experimentId } = shell
    const parent = { level: 'scan', experimentId, scanId: '1' } as const
    await ensureResource(client, { parent, resourceLabel: 'DICOM' })
    expect(await check(shell)).toBe('empty')

    expect(await clear(shell)).toEqual({ isGone: true, isThere: false })
  })

  it.each<[string, (shell: Shell) => Promise<unknown>]>([
    ['a file of one scan came', ({ put, experimentId }) => put({ level: 'scan', experimentId, scanId: '2' })],
    ['it has a file of its own', ({ put, experimentId }) => put({ level: 'experiment', experimentId })],
    [
      'somebody has assessed it',
      ({ client, experimentId }) =>
        ensureAssessor(client, { experimentId, label: 'QC1', xsiType: 'xnat:qcManualAssessorData' }),
    ],
  ])('is kept when meanwhile %s', async (_, happens) => {
    const shell = await startWithShell()
    await happens(shell)

    expect(await clear(shell)).toEqual({ isGone: false, isThere: true })
  })

  it('that is gone by now is as good as deleted', async () => {
    const shell = await startWithShell()
    await clear(shell)

    expect(await clear(shell)).toEqual({ isGone: true, isThere: false })
    expect(await check(shell)).toBeUndefined()
  })

  it('is kept when XNAT does not say how many files a resource has', async () => {
    const row = { xnat_abstractresource_id: '1', label: 'DICOM', category: 'scans', cat_id: '1', file_count: '' }
    const table = (...Result: object[]) => ({ body: { ResultSet: { Result } } })
    const xnat = await startAnswering({
      'GET /data/experiments/E1/resources': table(row),
      'GET /data/experiments/E1/assessors': table(),
      'GET /data/experiments/E1': { status: 404 },
      'DELETE /data/experiments/E1': { status: 200 },
    })
    const { client } = createClient(xnat.url)

    const isGone = await clearLeftover({ xnat: client, signal }, { kind: 'empty-session', experimentId: 'E1' })
    expect(isGone).toBe(false)
    expect(xnat.calls.filter((call) => call.startsWith('DELETE'))).toEqual([])
  })
})

describe('a session is', () => {
  it('filled when each scan has a file, and filled in part when only some have', async () => {
    const shell = await startWithShell()
    const { put, experimentId } = shell
    await put({ level: 'scan', experimentId, scanId: '1' })
    expect(await check(shell)).toBe('partly')
    await put({ level: 'scan', experimentId, scanId: '2' })
    expect(await check(shell)).toBe('filled')
  })

  it('empty whatever lies beside its scans', async () => {
    const shell = await startWithShell()
    await shell.put({ level: 'experiment', experimentId: shell.experimentId })

    expect(await check(shell)).toBe('empty')
  })

  it('counted by what is there, not by what was written down when it came', async () => {
    const shell = await startWithShell()
    const { xnat, put, experimentId } = shell
    await put({ level: 'scan', experimentId, scanId: '1' })
    for (const resource of xnat.state.resources.all()) xnat.state.resources.put({ ...resource, fileCount: 0 })

    expect(await check(shell)).toBe('partly')
  })
})
