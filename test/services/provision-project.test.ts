import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { provisionProject, xnatProjectIdFor } from '../../lib/services/provision-project.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { createProject, getPrearchiveCode, listProjects, setPrearchiveCode } from '../../lib/xnat/projects.ts'

let standIn: XnatServer
let xnat: XnatClient
beforeEach(async () => {
  standIn = await startXnat()
  const { url, user, password } = standIn
  xnat = new XnatClient({ url, credentials: { kind: 'password', user, password }, retry: { attempts: 1 } })
})
afterEach(async () => {
  await xnat.close()
  await standIn.stop()
})

const hubProjectId = '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b'
const provision = (name = 'A study') =>
  provisionProject({ xnat, signal: new AbortController().signal }, { hubProjectId, name })
const writes = () => standIn.requests.list().filter(({ method }) => !['GET', 'HEAD'].includes(method))

describe('provisioning a hub project', () => {
  it("makes an XNAT project with FLIP's names, archiving at once", async () => {
    const { projectId, name } = await provision(`Quote " and apostrophe '`)

    expect(name).toBe(`Quote " and apostrophe ':${hubProjectId}-FL-Project`)
    expect(await listProjects(xnat)).toMatchObject([
      {
        projectId,
        secondaryId: hubProjectId,
        name,
        description: `Project corresponding to central hub project ${hubProjectId}`,
      },
    ])
    expect(await getPrearchiveCode(xnat, projectId)).toBe(4)
  })

  it('writes nothing the second time, and answers the same', async () => {
    const first = await provision()
    standIn.requests.clear()

    expect(await provision()).toEqual(first)
    expect(writes()).toEqual([])
  })

  it('meets itself in one project when asked many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => provision()))

    expect(new Set(answers.map(({ projectId }) => projectId)).size).toBe(1)
    expect(await listProjects(xnat)).toHaveLength(1)
  })

  it("adopts a project that already carries the hub's id", async () => {
    await createProject(xnat, { projectId: 'OLD', secondaryId: hubProjectId, name: 'Made by hand' })

    expect(await provision()).toEqual({ projectId: 'OLD', name: 'Made by hand' })
    expect(await listProjects(xnat)).toHaveLength(1)
  })

  it('sets right a prearchive code that was changed', async () => {
    const { projectId } = await provision()
    await setPrearchiveCode(xnat, projectId, 0)

    await provision()

    expect(await getPrearchiveCode(xnat, projectId)).toBe(4)
  })

  it('is completed by the next call, whichever request it died in', async () => {
    const clean = await requestsOfOneRun()
    for (let dieAt = 0; dieAt < clean; dieAt += 1) {
      for (const kind of ['cut-before', 'cut-during-reply', '500-after-write'] as const) {
        await withFreshStandIn(async () => {
          for (let skipped = 0; skipped < dieAt; skipped += 1) standIn.faults.next({ kind: 'slow', delayMs: 0 })
          standIn.faults.next({ kind: kind })
          await provision().catch(() => undefined)
          standIn.faults.clear()

          const { projectId } = await provision()

          expect(await listProjects(xnat)).toMatchObject([{ projectId, secondaryId: hubProjectId }])
          expect(await getPrearchiveCode(xnat, projectId)).toBe(4)
        })
      }
    }
  })

  it('fails clearly when another project has the name', async () => {
    await createProject(xnat, { projectId: 'OTHER', secondaryId: 'other', name: `A study:${hubProjectId}-FL-Project` })

    await expect(provision()).rejects.toMatchObject({ code: 'XNAT_CONFLICT' })
  })

  it("derives the project's ID from the hub's, as a UUID of version 5", () => {
    expect(xnatProjectIdFor(hubProjectId)).toBe(xnatProjectIdFor(hubProjectId))
    expect(xnatProjectIdFor(hubProjectId)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(xnatProjectIdFor('other')).not.toBe(xnatProjectIdFor(hubProjectId))
  })
})

async function requestsOfOneRun(): Promise<number> {
  let count = 0
  await withFreshStandIn(async () => {
    await provision()
    count = standIn.requests.count()
  })
  return count
}

async function withFreshStandIn(act: () => Promise<void>): Promise<void> {
  const [outerStandIn, outerXnat] = [standIn, xnat]
  standIn = await startXnat()
  const { url, user, password } = standIn
  xnat = new XnatClient({ url, credentials: { kind: 'password', user, password }, retry: { attempts: 1 } })
  try {
    await act()
  } finally {
    await xnat.close()
    await standIn.stop()
    ;[standIn, xnat] = [outerStandIn, outerXnat]
  }
}
