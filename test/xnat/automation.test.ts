import { expect, it } from 'vitest'
import {
  createSubscription,
  deleteSubscription,
  ensureSubscription,
  setEventServiceOn,
  setSubscriptionActive,
} from '../../lib/xnat/automation.ts'
import { enableWrapper, launchCommand, listCommands, wrapperState } from '../../lib/xnat/commands.ts'
import { createClient, startAnswering } from './scripted-xnat.ts'

it('lists commands with the wrappers that can be enabled and launched', async () => {
  const command = {
    id: 3,
    name: 'dcm2niix',
    image: 'xnat/dcm2niix:latest',
    version: '1.0',
    type: 'docker',
    xnat: [{ id: 8, name: 'dcm2niix-scan', contexts: ['xnat:imageScanData'], 'external-inputs': [] }],
  }
  const xnat = await startAnswering({ 'GET /xapi/commands': { body: [command] } })
  expect(await listCommands(createClient(xnat.url).client, { image: 'xnat/dcm2niix:latest' })).toEqual([
    {
      commandId: 3,
      name: 'dcm2niix',
      image: 'xnat/dcm2niix:latest',
      version: '1.0',
      wrappers: [{ wrapperId: 8, name: 'dcm2niix-scan', contexts: ['xnat:imageScanData'] }],
    },
  ])
  expect(xnat.calls).toEqual(['GET /xapi/commands?image=xnat%2Fdcm2niix%3Alatest'])
})

const wrapper = { commandId: 3, wrapperName: 'dcm2niix-scan' }
const wrapperPath = 'commands/3/wrappers/dcm2niix-scan/enabled'

it('enables a wrapper for the site and for a project, and tells where it is enabled', async () => {
  const state = { 'enabled-for-site': false, 'enabled-for-project': true, project: 'P' }
  const xnat = await startAnswering({
    [`PUT /xapi/${wrapperPath}`]: {},
    [`PUT /xapi/projects/P/${wrapperPath}`]: {},
    [`GET /xapi/projects/P/${wrapperPath}`]: { body: state },
  })
  const { client } = createClient(xnat.url)
  await enableWrapper(client, wrapper)
  await enableWrapper(client, { ...wrapper, projectId: 'P' })
  expect(await wrapperState(client, { ...wrapper, projectId: 'P' })).toEqual({ forSite: false, forProject: true })
  expect(xnat.calls.slice(0, 2)).toEqual([`PUT /xapi/${wrapperPath}`, `PUT /xapi/projects/P/${wrapperPath}`])
})

it('takes the 401 of somebody without the right for a lack of it, not of a session', async () => {
  const body = 'There was an error in the request : User ann is not a Container Manager.'
  const headers = { 'content-type': 'text/plain;charset=UTF-8' }
  const xnat = await startAnswering({ [`PUT /xapi/projects/P/${wrapperPath}`]: { status: 401, headers, body } })
  await expect(enableWrapper(createClient(xnat.url).client, { ...wrapper, projectId: 'P' })).rejects.toMatchObject({
    code: 'XNAT_FORBIDDEN',
    status: 401,
    detail: body,
  })
  expect(xnat.signIns).toHaveLength(1)
})

it('launches a command and answers with its workflow', async () => {
  const path = '/xapi/projects/P/wrappers/8/root/scan/launch'
  const xnat = await startAnswering({
    [`POST ${path}`]: { body: { status: 'success', params: {}, 'wrapper-id': 8, 'workflow-id': '123' } },
  })
  const inputs = { scan: '/archive/experiments/XNAT_E00001/scans/1' }
  const launch = { projectId: 'P', wrapperId: 8, rootElement: 'scan', inputs }
  expect(await launchCommand(createClient(xnat.url).client, launch)).toEqual({ status: 'success', workflowId: '123' })
  expect(xnat.calls).toEqual([`POST ${path} ${JSON.stringify(inputs)}`])
})

const wanted = {
  projectId: 'P',
  name: 'convert: scans',
  event: { type: 'ScanEvent', status: 'CREATED' },
  wrapperId: 8,
  payloadFilter: '@.xsiType == "xnat:mrScanData"',
} as const
const stored = {
  id: 4,
  name: 'convert: scans',
  active: true,
  valid: true,
  'action-key': 'org.nrg.containers.services.CommandActionProvider:8',
  'event-filter': {
    'event-type': 'org.nrg.xnat.eventservice.events.ScanEvent',
    status: 'CREATED',
    'project-ids': ['P'],
    'payload-filter': '@.xsiType == "xnat:mrScanData"',
  },
}
const on = { 'GET /xapi/events/prefs': { body: { enabled: true } } }
const list = 'GET /xapi/projects/P/events/subscriptions'
const create = 'POST /xapi/projects/P/events/subscription'

it('subscribes, and reads the ID after the last colon', async () => {
  const xnat = await startAnswering({
    ...on,
    [list]: { body: [] },
    [create]: { status: 201, body: 'convert: scans:17' },
  })
  expect(await ensureSubscription(createClient(xnat.url).client, wanted)).toEqual({
    kind: 'created',
    subscriptionId: 17,
  })
  expect(JSON.parse(xnat.calls[2]?.replace(`${create} `, '') ?? '')).toEqual({
    name: 'convert: scans',
    active: true,
    'action-key': stored['action-key'],
    attributes: {},
    'event-filter': stored['event-filter'],
  })
})

it('leaves the same subscription as it is, since XNAT would store a second one and fire both', async () => {
  const xnat = await startAnswering({ ...on, [list]: { body: [{ ...stored, id: 3, active: false }, stored] } })
  expect(await ensureSubscription(createClient(xnat.url).client, wanted)).toEqual({
    kind: 'already-there',
    subscriptionId: 4,
  })
})

it.each([
  ['of another command', { 'action-key': 'org.nrg.containers.services.CommandActionProvider:9' }],
  ['of the whole site', { 'event-filter': { ...stored['event-filter'], 'project-ids': [] } }],
  ['of two projects', { 'event-filter': { ...stored['event-filter'], 'project-ids': ['P', 'Q'] } }],
  ['with another filter', { 'event-filter': { ...stored['event-filter'], 'payload-filter': '' } }],
  ['on another event', { 'event-filter': { ...stored['event-filter'], status: 'DELETED' } }],
  ['with other inputs', { attributes: { bids: 'true' } }],
])('does not take a subscription %s for the one wanted', async (_, difference) => {
  const xnat = await startAnswering({
    ...on,
    [list]: { body: [{ ...stored, ...difference }] },
    [create]: { status: 201, body: 'x:17' },
  })
  expect(await ensureSubscription(createClient(xnat.url).client, wanted)).toMatchObject({ kind: 'created' })
})

it('says that the Event Service is off, which XNAT answers with 500', async () => {
  const xnat = await startAnswering({
    'GET /xapi/events/prefs': { body: { enabled: false } },
    'PUT /xapi/events/prefs': {},
    [list]: { status: 500 },
  })
  const { client } = createClient(xnat.url)
  await expect(ensureSubscription(client, wanted)).rejects.toMatchObject({
    code: 'XNAT_REFUSED',
    detail: 'the Event Service is off',
  })
  await setEventServiceOn(client, true)
  expect(xnat.calls.at(-1)).toBe('PUT /xapi/events/prefs {"enabled":true}')
})

it('deletes a subscription once', async () => {
  const path = 'DELETE /xapi/projects/P/events/subscription/4'
  const xnat = await startAnswering({ [path]: [{ status: 204 }, { status: 404 }] })
  const { client } = createClient(xnat.url)
  expect(await deleteSubscription(client, { projectId: 'P', subscriptionId: 4 })).toEqual({ kind: 'deleted' })
  expect(await deleteSubscription(client, { projectId: 'P', subscriptionId: 4 })).toEqual({ kind: 'not-there' })
})

it('makes an inactive subscription without looking, and switches it', async () => {
  const path = '/xapi/projects/P/events/subscription/9'
  const xnat = await startAnswering({
    [create]: { status: 201, body: 'x:9' },
    [`POST ${path}/activate`]: {},
    [`POST ${path}/deactivate`]: {},
  })
  const { client } = createClient(xnat.url)
  expect(await createSubscription(client, { ...wanted, isActive: false })).toEqual({ subscriptionId: 9 })
  await setSubscriptionActive(client, { projectId: 'P', subscriptionId: 9, isActive: true })
  await setSubscriptionActive(client, { projectId: 'P', subscriptionId: 9, isActive: false })
  expect(xnat.calls[0]).toContain('"active":false')
  expect(xnat.calls.slice(1)).toEqual([`POST ${path}/activate`, `POST ${path}/deactivate`])
})
