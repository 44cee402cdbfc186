import { expect, it } from 'vitest'
import { ensureScan } from '../../lib/xnat/archive.ts'
import {
  createSubscription,
  deleteSubscription,
  ensureSubscription,
  isEventServiceOn,
  listSubscriptions,
  type SubscriptionDescription,
  setEventServiceOn,
  setSubscriptionActive,
} from '../../lib/xnat/automation.ts'
import { jsonBody } from '../../lib/xnat/call.ts'
import { enableWrapper, listCommands, wrapperState } from '../../lib/xnat/commands.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { clientOf, startWithSession } from './stand-in.ts'

const image = 'xnat/dcm2niix:1.5'

/** A session, and a command that can be run on its scans, enabled nowhere. */
async function startWithCommand() {
  const started = await startWithSession()
  const command = {
    name: 'dcm2niix',
    version: '1.5',
    image,
    'command-line': 'dcm2niix /input',
    xnat: [
      {
        name: 'dcm2niix-scan',
        contexts: ['xnat:imageScanData'],
        'external-inputs': [{ name: 'scan', type: 'Scan' }],
      },
    ],
  }
  await started.client.post(xnatPath`/xapi/commands`, { body: jsonBody(command) })
  const [found] = await listCommands(started.client, { image })
  return { ...started, commandId: found?.commandId ?? 0, wrapperId: found?.wrappers[0]?.wrapperId ?? 0 }
}

/** The same with the wrapper enabled and the Event Service on. */
async function startReady() {
  const started = await startWithCommand()
  const { client, commandId, wrapperId } = started
  const wrapper = { commandId, wrapperName: 'dcm2niix-scan' }
  await enableWrapper(client, wrapper)
  await enableWrapper(client, { ...wrapper, projectId: 'P' })
  await setEventServiceOn(client, true)
  const wanted: SubscriptionDescription = {
    projectId: 'P',
    name: 'convert: scans',
    event: { type: 'ScanEvent', status: 'CREATED' },
    wrapperId,
    payloadFilter: '@.xsiType == "xnat:mrScanData"',
  }
  return { ...started, wanted }
}

it('lists commands with the wrappers that can be enabled and launched', async () => {
  const { client, commandId, wrapperId } = await startWithCommand()
  expect(await listCommands(client, { image })).toEqual([
    {
      commandId,
      name: 'dcm2niix',
      image,
      version: '1.5',
      wrappers: [{ wrapperId, name: 'dcm2niix-scan', contexts: ['xnat:imageScanData'] }],
    },
  ])
  expect(await listCommands(client, { image: 'xnat/dcm2niix' })).toEqual([])
  expect(await listCommands(client)).toHaveLength(1)
})

it('enables a wrapper for the site and for a project, and tells where it is enabled', async () => {
  const { client, commandId } = await startWithCommand()
  const wrapper = { commandId, wrapperName: 'dcm2niix-scan', projectId: 'P' }
  expect(await wrapperState(client, wrapper)).toMatchObject({ forProject: false })
  await enableWrapper(client, { commandId, wrapperName: 'dcm2niix-scan' })
  await enableWrapper(client, wrapper)
  expect(await wrapperState(client, wrapper)).toEqual({ forSite: true, forProject: true })
  await expect(enableWrapper(client, { ...wrapper, wrapperName: 'other' })).rejects.toMatchObject({
    code: 'XNAT_NOT_FOUND',
  })
})

it('takes the 401 of somebody without the right for a lack of it, not of a session', async () => {
  const { xnat, wanted } = await startReady()
  xnat.state.addUser({ username: 'ann', password: 'ann', groups: ['P_owner'] })
  const owner = clientOf(xnat, { user: 'ann' })
  await owner.whoAmI()
  xnat.requests.clear()
  await expect(owner.post(xnatPath`/xapi/commands`, { body: jsonBody({ name: 'x' }) })).rejects.toMatchObject({
    code: 'XNAT_FORBIDDEN',
    detail: expect.stringContaining('not a Container Manager'),
  })
  expect(xnat.requests.count()).toBe(1)
  expect(await ensureSubscription(owner, wanted)).toMatchObject({ kind: 'created' })
})

it('subscribes once, and the subscription fires when a scan is made', async () => {
  const { client, experimentId, wanted } = await startReady()
  const { kind, subscriptionId } = await ensureSubscription(client, wanted)
  expect(kind).toBe('created')
  expect(await ensureSubscription(client, wanted)).toEqual({ kind: 'already-there', subscriptionId })
  expect(await listSubscriptions(client, { projectId: 'P' })).toMatchObject([
    { subscriptionId, name: 'convert: scans', isActive: true, isValid: true, projectIds: ['P'] },
  ])
  const count = xnatPath`/xapi/projects/${'P'}/events/delivered/count`
  expect((await client.get(count)).text).toBe('0')
  await ensureScan(client, { experimentId, scanId: '2', xsiType: 'xnat:mrScanData' })
  expect((await client.get(count)).text).toBe('1')
})

it('subscribes again beside one that is inactive, filters otherwise, or has other inputs', async () => {
  const { client, wanted } = await startReady()
  await createSubscription(client, { ...wanted, isActive: false })
  await createSubscription(client, { ...wanted, payloadFilter: '@.xsiType == "xnat:ctScanData"' })
  await createSubscription(client, { ...wanted, attributes: { bids: 'true' } })
  expect(await ensureSubscription(client, wanted)).toMatchObject({ kind: 'created' })
  expect(await listSubscriptions(client, { projectId: 'P' })).toHaveLength(4)
})

it('switches a subscription on and off', async () => {
  const { client, wanted } = await startReady()
  const { subscriptionId } = await createSubscription(client, { ...wanted, isActive: false })
  const isActive = async () => (await listSubscriptions(client, { projectId: 'P' })).map((each) => each.isActive)
  expect(await isActive()).toEqual([false])
  await setSubscriptionActive(client, { projectId: 'P', subscriptionId, isActive: true })
  expect(await isActive()).toEqual([true])
  await setSubscriptionActive(client, { projectId: 'P', subscriptionId, isActive: false })
  expect(await isActive()).toEqual([false])
})

it('deletes a subscription once', async () => {
  const { client, wanted } = await startReady()
  const { subscriptionId } = await ensureSubscription(client, wanted)
  expect(await deleteSubscription(client, { projectId: 'P', subscriptionId })).toEqual({ kind: 'deleted' })
  expect(await deleteSubscription(client, { projectId: 'P', subscriptionId })).toEqual({ kind: 'not-there' })
  expect(await listSubscriptions(client, { projectId: 'P' })).toEqual([])
})

it('says that the Event Service is off, which XNAT answers with 500', async () => {
  const { client, wanted } = await startReady()
  await setEventServiceOn(client, false)
  expect(await isEventServiceOn(client)).toBe(false)
  await expect(ensureSubscription(client, wanted)).rejects.toMatchObject({
    code: 'XNAT_REFUSED',
    detail: 'the Event Service is off',
  })
})
