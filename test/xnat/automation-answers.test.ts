// Launches, and subscriptions that the client would not make.
import { expect, it } from 'vitest'
import { ensureSubscription } from '../../lib/xnat/automation.ts'
import { launchCommand } from '../../lib/xnat/commands.ts'
import { createClient, startAnswering } from './scripted-xnat.ts'

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
