import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { conversionImage, prepareSite } from '../../infra/local/prepare-site.ts'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { type HubProject, xnatNames } from '../../lib/provisioning/hub-project.ts'
import { inspectProvisioning, provisionProject, repairProvisioning } from '../../lib/services/provision-project.ts'
import { createSubscription, listSubscriptions, setSubscriptionActive } from '../../lib/xnat/automation.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import {
  createProject,
  deleteProject,
  getPrearchiveCode,
  listMembers,
  listProjects,
  removeMember,
  setPrearchiveCode,
} from '../../lib/xnat/projects.ts'
import { listUsers } from '../../lib/xnat/users.ts'
import { type LocalAws, startLocalAws } from '../support/local-aws.ts'
import { memoryQueue } from '../support/memory-queue.ts'

let aws: LocalAws
let state: ObjectStore
beforeAll(async () => {
  aws = await startLocalAws()
  state = await aws.bucket('state')
})
afterAll(() => aws.stop())

let standIn: XnatServer
let xnat: XnatClient
beforeEach(() => openSite())
afterEach(() => closeSite())

async function openSite(): Promise<void> {
  imports = memoryQueue()
  standIn = await startXnat()
  await prepareSite(standIn)
  const { url, user, password } = standIn
  xnat = new XnatClient({ url, credentials: { kind: 'password', user, password }, retry: { attempts: 1 } })
  standIn.requests.clear()
}

async function closeSite(): Promise<void> {
  await xnat.close()
  await standIn.stop()
}

const hubProject: HubProject = {
  hubProjectId: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
  name: 'A study',
  query: 'SELECT accession_id FROM omop.image_occurrence',
  users: [
    { email: 'ann@x.example', isDisabled: false },
    { email: 'bob@x.example', isDisabled: false },
  ],
  convertsToNifti: true,
}
const envelope = { kid: 'shared', keys: { shared: Buffer.alloc(32, 1) } }
let imports = memoryQueue()
const deps = () => ({ xnat, state, imports, envelope, conversionImage, signal: new AbortController().signal })
const provision = (changes: Partial<HubProject> = {}) => provisionProject(deps(), { ...hubProject, ...changes })
const writes = () =>
  standIn.requests.list().filter(({ method, path }) => !['GET', 'HEAD'].includes(method) && path !== '/data/JSESSION')

/** What matters of a site, without what differs from run to run. */
async function endState() {
  const projects = await listProjects(xnat)
  const [project] = projects
  const projectId = project!.projectId
  return {
    projects: projects.map(({ secondaryId, name }) => [secondaryId, name]),
    prearchiveCode: await getPrearchiveCode(xnat, projectId),
    subscriptions: (await listSubscriptions(xnat, { projectId })).map(({ isActive, isValid, actionKey }) => [
      isActive,
      isValid,
      actionKey,
    ]),
    members: (await listMembers(xnat, projectId)).map(({ login }) => login).sort(),
    users: (await listUsers(xnat)).map(({ username }) => username).sort(),
    findings: (await inspectProvisioning(deps(), projectId)).filter(({ state: found }) => found !== 'as-wanted'),
  }
}

describe('provisioning a hub project', () => {
  it("makes an XNAT project with FLIP's names that archives at once, converts, and has its users", async () => {
    const { projectId, name, users } = await provision({ name: `Quote " and apostrophe '` })

    expect(name).toBe(`Quote " and apostrophe ':${hubProject.hubProjectId}-FL-Project`)
    expect(await listProjects(xnat)).toMatchObject([
      {
        projectId,
        secondaryId: hubProject.hubProjectId,
        name,
        description: `Project corresponding to central hub project ${hubProject.hubProjectId}`,
      },
    ])
    expect(users.invited.map(({ username }) => username)).toEqual(['ann', 'bob'])
    expect(await endState()).toMatchObject({ prearchiveCode: 4, members: ['admin', 'ann', 'bob'], findings: [] })
    expect(imports.sent).toMatchObject([
      { body: JSON.stringify({ kind: 'look', cause: 'asked', projectId }), group: projectId },
    ])
    expect(await listSubscriptions(xnat, { projectId })).toMatchObject([
      {
        name: 'DICOM-NIfTI Conversion',
        isActive: true,
        isValid: true,
        // XNAT wants the wrapper's id here, not the command's (dqr-containers-events C4).
        actionKey: 'org.nrg.containers.services.CommandActionProvider:1',
        eventType: 'org.nrg.xnat.eventservice.events.ScanEvent',
        eventStatus: 'CREATED',
        projectIds: [projectId],
        payloadFilter: '(@.resources.length() > 0 && "DICOM" in @.resources[*].label)',
      },
    ])
  })

  it('makes the subscription also when nothing is to be converted, switched off', async () => {
    const { projectId } = await provision({ convertsToNifti: false })

    expect(await listSubscriptions(xnat, { projectId })).toMatchObject([{ isActive: false }])
  })

  it('writes nothing the second time, and answers the same', async () => {
    const first = await provision()
    standIn.requests.clear()
    const second = await provision()

    expect(writes()).toEqual([])
    expect([second.projectId, second.name]).toEqual([first.projectId, first.name])
    expect(second.users.invited.map(({ username }) => username)).toEqual(
      first.users.invited.map(({ username }) => username),
    )
  })

  it('ends in one project, one subscription and each user once when asked 50 times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => provision()))

    expect(new Set(answers.map(({ projectId }) => projectId)).size).toBe(1)
    expect(await endState()).toMatchObject({
      projects: [[hubProject.hubProjectId, answers[0]?.name]],
      subscriptions: [[true, true, 'org.nrg.containers.services.CommandActionProvider:1']],
      members: ['admin', 'ann', 'bob'],
      users: ['admin', 'ann', 'bob', 'guest'].filter((name) => name !== 'guest' || standIn.state.users.get('guest')),
    })
  })

  it("adopts a project that already carries the hub's id", async () => {
    await createProject(xnat, { projectId: 'OLD', secondaryId: hubProject.hubProjectId, name: 'Made by hand' })

    expect(await provision()).toMatchObject({ projectId: 'OLD', name: 'Made by hand' })
    expect(await listProjects(xnat)).toHaveLength(1)
  })

  it('gives a project that was deleted and is asked for again an ID of its own', async () => {
    const first = await provision()
    await deleteProject(xnat, first.projectId, { removeFiles: true })

    const second = await provision()

    expect(second.projectId).not.toBe(first.projectId)
    expect(await endState()).toMatchObject({ members: ['admin', 'ann', 'bob'], findings: [] })
    expect((await provision()).projectId).toBe(second.projectId)
  })

  it('ends as one clean run does, whichever request it died in', { timeout: 120_000 }, async () => {
    await provision()
    const [requests, clean] = [standIn.requests.count(), await endState()]
    for (let dieAt = 0; dieAt < requests; dieAt += 1) {
      for (const kind of ['cut-before', 'cut-during-reply'] as const) {
        await closeSite()
        await openSite()
        if (dieAt > 0) standIn.faults.next({ kind: 'slow', delayMs: 0, times: dieAt })
        standIn.faults.next({ kind })
        await provision().catch(() => undefined)
        standIn.faults.clear()

        await provision()

        expect([dieAt, kind, await endState()]).toEqual([dieAt, kind, clean])
      }
    }
  })

  it('fails clearly when another project has the name', async () => {
    await createProject(xnat, { projectId: 'OTHER', secondaryId: 'other', name: xnatNames(hubProject).name })

    await expect(provision()).rejects.toMatchObject({ code: 'XNAT_CONFLICT' })
  })

  it('says what to do when the command is not installed, within what FLIP passes on', async () => {
    const image = 'ghcr.io/somebody/xnat-dcm2niix:1'
    const error = await provisionProject({ ...deps(), conversionImage: image }, hubProject).catch(
      (cause: Error) => cause,
    )

    expect(error).toMatchObject({
      code: 'COMMAND_NOT_INSTALLED',
      retry: 'never',
      message: expect.stringContaining(image),
    })
    expect(String(error).length).toBeLessThan(950)
    expect(await listProjects(xnat)).toHaveLength(1)
  })

  it('says when the wrapper is switched off for the site', async () => {
    await xnat.put(xnatPath`/xapi/commands/1/wrappers/dcm2niix-scan/disabled`)

    await expect(provision()).rejects.toMatchObject({
      code: 'WRAPPER_OFF',
      message: expect.stringContaining('dcm2niix-scan'),
    })
  })

  it('waits until XNAT shows the project that it has just made', async () => {
    standIn.faults.next({ when: { method: 'GET', path: /prearchive_code/ }, kind: 'status', status: 404, times: 2 })

    await provision()

    expect(await endState()).toMatchObject({ findings: [] })
  })

  it('asks for the import of the cohort each time, also when a user cannot be settled', async () => {
    standIn.faults.next({ when: { method: 'POST', path: /xapi\/users/ }, kind: 'status', status: 500 })
    const { users } = await provision()
    await provision({ query: 'SELECT another' })

    expect(users.failed).toEqual([{ email: 'ann@x.example', code: 'USER_REFUSED' }])
    expect(new Set(imports.sent.map(({ deduplicationId }) => deduplicationId)).size).toBe(2)
  })

  it('says which role the account lacks', async () => {
    standIn.faults.next({ when: { path: /xapi\/commands/ }, kind: 'status', status: 403 })

    await expect(provision()).rejects.toMatchObject({
      code: 'MISSING_ROLE',
      message: expect.stringContaining('ContainerManager'),
    })
  })

  it('says what to do when the Event Service is off', async () => {
    await xnat.put(xnatPath`/xapi/events/prefs`, {
      body: { text: '{"enabled":false}', contentType: 'application/json' },
    })

    await expect(provision()).rejects.toMatchObject({
      code: 'EVENT_SERVICE_OFF',
      message: expect.stringContaining('/xapi/events/prefs'),
    })
  })
})

describe('a provisioned project', () => {
  it('tells what drifted, and is set right again', async () => {
    const { projectId } = await provision()
    const [subscription] = await listSubscriptions(xnat, { projectId })
    await setPrearchiveCode(xnat, projectId, 0)
    await setSubscriptionActive(xnat, { projectId, subscriptionId: subscription!.subscriptionId, isActive: false })
    await removeMember(xnat, { projectId, role: 'member', login: 'bob' })

    expect(await inspectProvisioning(deps(), projectId)).toEqual([
      { aspect: 'project', state: 'as-wanted' },
      { aspect: 'prearchive-code', state: 'changed', detail: 'the code is 0, not 4' },
      { aspect: 'nifti-wrapper', state: 'as-wanted' },
      { aspect: 'nifti-subscription', state: 'changed', detail: 'it is not active' },
      { aspect: 'members', state: 'missing', detail: '1 of 2 users are no members' },
    ])
    const mended = await repairProvisioning(deps(), projectId)
    expect(mended.map(({ state: found }) => found)).toEqual(Array(5).fill('as-wanted'))
  })

  it('that is gone from XNAT is not made anew by a repair', async () => {
    const { projectId } = await provision()
    await deleteProject(xnat, projectId)

    await expect(repairProvisioning(deps(), projectId)).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND' })
    expect(await listProjects(xnat)).toEqual([])
  })

  it('invites nobody when it is repaired: nobody could hand the path on', async () => {
    const { projectId } = await provision()
    await removeMember(xnat, { projectId, role: 'member', login: 'bob' })
    standIn.requests.clear()

    await repairProvisioning(deps(), projectId)

    expect((await listMembers(xnat, projectId)).map(({ login }) => login)).toContain('bob')
    expect(standIn.requests.list().filter(({ path }) => path.includes('tokens'))).toEqual([])
  })

  it('that is gone from XNAT is told as missing, and one that was never provisioned is not found', async () => {
    const { projectId } = await provision()
    await deleteProject(xnat, projectId)

    expect(await inspectProvisioning(deps(), projectId)).toMatchObject([{ aspect: 'project', state: 'missing' }])
    await expect(inspectProvisioning(deps(), 'never')).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND' })
  })

  it('of which somebody doubled the subscription has one again', async () => {
    const { projectId } = await provision()
    const [subscription] = await listSubscriptions(xnat, { projectId })
    await createSubscription(xnat, {
      projectId,
      name: 'again',
      event: { type: 'ScanEvent', status: 'CREATED' },
      wrapperId: 1,
      payloadFilter: subscription!.payloadFilter ?? '',
    })

    expect(await inspectProvisioning(deps(), projectId)).toContainEqual({
      aspect: 'nifti-subscription',
      state: 'changed',
      detail: 'there are 2 that do the same',
    })
    await repairProvisioning(deps(), projectId)
    expect(await listSubscriptions(xnat, { projectId })).toMatchObject([
      { subscriptionId: subscription!.subscriptionId },
    ])
  })
})
