import { describe, expect } from 'vitest'
import { compilePredicate, PredicateError } from '../../infra/local/xnat-server/events/predicate.ts'
import { type Site, test } from './site.ts'

const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })
const scanEvent = 'org.nrg.xnat.eventservice.events.ScanEvent'
const logging = 'org.nrg.xnat.eventservice.actions.EventServiceLoggingAction'
const filter = { 'event-type': scanEvent, 'project-ids': ['P1'], status: 'CREATED' }
const wanted = { name: 'log scans', active: true, 'action-key': `${logging}:${logging}`, 'event-filter': filter }
const subscription = '/xapi/projects/P1/events/subscription'

interface Delivery {
  id: number
  'status-message': string
  error: boolean
  status: { status: string }[]
  trigger: { label: string; URI: string; 'event-name': string; status: string }
}

async function deliveries(site: Site, query = ''): Promise<Delivery[]> {
  return (await site.send(`POST /xapi/projects/P1/events/delivered${query}`, { as: 'owner' })).json() as Delivery[]
}

/** A wrapper that is enabled everywhere, and a subscription of it to new scans. */
async function subscribeWrapper(site: Site, more: object = {}): Promise<void> {
  const command = { name: 'c', image: 'i', xnat: [{ name: 'w', contexts: ['xnat:imageScanData'] }] }
  await site.send('POST /xapi/commands', json(command))
  await site.send('PUT /xapi/wrappers/1/enabled')
  await site.send('PUT /xapi/projects/P1/wrappers/1/enabled')
  await site.send('PUT /xapi/events/prefs', json({ enabled: true }))
  const key = 'org.nrg.containers.services.CommandActionProvider:1'
  const body = { ...wanted, 'action-key': key, 'event-filter': { ...filter, ...more } }
  expect((await site.send(`POST ${subscription}`, { ...json(body), as: 'owner' })).status).toBe(201)
}

const scan = (id: string, type = 'xnat:mrScanData') =>
  `PUT /data/projects/P1/subjects/S1/experiments/E1/scans/${id}?xsiType=${type}&type=T2`

describe('the Event Service', () => {
  test('dqr-containers-events C6: a new scan is delivered to the wrapper, and the record says where it got', async ({
    site,
  }) => {
    await subscribeWrapper(site)
    await site.send(scan('2'))
    const [delivery, ...others] = await deliveries(site)
    expect(others).toEqual([])
    expect(delivery).toMatchObject({
      'event-type': scanEvent,
      user: 'owner',
      project: 'P1',
      'status-message': 'Container queued.',
      error: false,
      trigger: { 'event-name': 'Scan', status: 'CREATED', label: '2', URI: '/archive/experiments/XNAT_E00001/scans/2' },
    })
    expect(delivery?.status.map(({ status }) => status)).toEqual([
      'EVENT_TRIGGERED',
      'EVENT_DETECTED',
      'SUBSCRIPTION_TRIGGERED',
      'OBJECT_SERIALIZED',
      'RESOLVING_ATTRIBUTES',
      'ACTION_CALLED',
      'ACTION_STEP',
    ])
    expect((await site.send('GET /xapi/projects/P1/events/delivered/count', { as: 'owner' })).text).toBe('1')
    expect((await site.send('GET /xapi/events/delivered/1')).json()).toMatchObject({ id: 1 })
    expect((await site.send('GET /xapi/projects/P1/events/delivered/7')).status).toBe(404)
  })

  test('dqr-containers-events C5: what the filter holds back is recorded and shown only when asked for', async ({
    site,
  }) => {
    await subscribeWrapper(site, { 'payload-filter': "(@.xsiType in ['xnat:mrScanData'])" })
    await site.send(scan('2', 'xnat:ctScanData'))
    expect(await deliveries(site)).toEqual([])
    expect(await deliveries(site, '?include-filter-mismatch=true')).toMatchObject([
      { 'status-message': 'Event objected failed filter test.' },
    ])
    await site.send(scan('3'))
    expect(await deliveries(site, '?load-children=false')).toMatchObject([{ 'status-message': 'Container queued.' }])
  })

  test('dqr-containers-events C6: neither an inactive subscription nor another project’s data is delivered', async ({
    site,
  }) => {
    await subscribeWrapper(site)
    await site.send(`POST ${subscription}/1/deactivate`, { as: 'owner' })
    await site.send(scan('2'))
    await site.send(`POST ${subscription}/1/activate`, { as: 'owner' })
    await site.send('PUT /data/projects/P2')
    await site.send('PUT /data/projects/P2/subjects/S/experiments/E?xsiType=xnat:mrSessionData')
    await site.send('PUT /data/projects/P2/subjects/S/experiments/E/scans/1?xsiType=xnat:mrScanData')
    expect((await site.send('POST /xapi/events/delivered')).json()).toEqual([])
  })

  test('dqr-containers-events C1: while the service is off nothing fires, and nothing is made up for afterwards', async ({
    site,
  }) => {
    await subscribeWrapper(site)
    await site.send('PUT /xapi/events/prefs', json({ enabled: false }))
    await site.send(scan('2'))
    await site.send('PUT /xapi/events/prefs', json({ enabled: true }))
    expect(await deliveries(site)).toEqual([])
  })

  test('dqr-containers-events C2: a wrapper disabled later makes its subscription invalid, and its deliveries fail', async ({
    site,
  }) => {
    await subscribeWrapper(site)
    await site.send('PUT /xapi/wrappers/1/disabled')
    expect((await site.send(`GET ${subscription}/1`, { as: 'owner' })).json()).toMatchObject({
      active: true,
      valid: false,
      'validation-message': expect.stringContaining('Could not validate Action'),
    })
    await site.send(scan('2'))
    expect(await deliveries(site)).toMatchObject([
      { error: true, 'status-message': expect.stringMatching(/^Invalid subscription\./) },
    ])
  })

  test('dqr-containers-events C6: a session that arrives is one event, and one for each of its scans', async ({
    site,
  }) => {
    await site.send('PUT /xapi/events/prefs', json({ enabled: true }))
    for (const name of ['SessionEvent', 'ScanEvent', 'SubjectEvent', 'ResourceEvent']) {
      const type = `org.nrg.xnat.eventservice.events.${name}`
      await site.send(
        `POST ${subscription}`,
        json({ ...wanted, name, 'event-filter': { ...filter, 'event-type': type } }),
      )
    }
    site.server.pacs.register({ projects: ['P1'] })
    const [study] = site.server.pacs.add({ accessionNumber: 'ACC1', series: [{}, {}] })
    const studies = [{ studyInstanceUid: study?.studyInstanceUid }]
    await site.send('POST /xapi/dqr/import', json({ pacsId: 1, aeTitle: 'XNAT', projectId: 'P1', studies }))
    await site.server.clock.advance(60_000)
    const names = (await deliveries(site)).map(({ trigger }) => trigger['event-name']).sort()
    expect(names).toEqual(['Resource', 'Resource', 'Scan', 'Scan', 'Session', 'Subject'])
  })

  test('dqr-containers-events C4: actions are the enabled wrappers that fit, and the log', async ({ site }) => {
    await subscribeWrapper(site)
    const byEvent = `/xapi/projects/P1/events/actionsbyevent?event-type=${scanEvent}`
    expect((await site.send(`GET ${byEvent}`, { as: 'owner' })).json()).toMatchObject([
      { 'action-key': 'org.nrg.containers.services.CommandActionProvider:1', 'display-name': 'w' },
      { 'action-key': `${logging}:${logging}` },
    ])
    await site.send('PUT /xapi/wrappers/1/disabled')
    expect((await site.send(`GET ${byEvent}`)).json()).toHaveLength(1)
    expect((await site.send('GET /xapi/events/allactions')).json()).toHaveLength(2)
    expect((await site.send('GET /xapi/events/actions?project=P1&xnattype=xnat:mrScanData')).json()).toHaveLength(1)
  })
})

describe('predicates', () => {
  const object = {
    id: '2',
    xsiType: 'xnat:mrScanData',
    'scan-type': 'T1 MPRAGE',
    'integer-id': 7,
    modalities: ['MR'],
    resources: [{ label: 'DICOM' }, { label: 'NIFTI' }],
  }

  test.each([
    ['@.xsiType == "xnat:mrScanData"', true],
    ["@['scan-type'] =~ /.*mprage/i", true],
    ['@.integer-id > 6 && !(@.id == "3")', true],
    ['@.integer-id >= 8 || @.id != "2"', false],
    ['@.xsiType in ["a", "b"]', false],
    ['@.xsiType nin ["a"]', true],
    ['@.modalities contains "MR"', true],
    ['@.quality', false],
    ['@.id', true],
    ['@.quality == null', false],
    ['(@.resources.length() > 0 && "DICOM" in @.resources[*].label)', true],
    ['"SEG" in @.resources[*].label', false],
    ['@.resources[1].label == "NIFTI"', true],
    ['@.quality.length() > 0', false],
  ])('%s', (source, expected) => {
    expect(compilePredicate(source)(object)).toBe(expected)
  })

  test.each(['', '@.id ==', '== 1', '(@.id', '@.id = 1', '@.id == 1 2', '@.id =~ "x"', '@.id.reverse() == "2"'])(
    'refuses %j',
    (source) => {
      expect(() => compilePredicate(source)).toThrow(PredicateError)
    },
  )
})
