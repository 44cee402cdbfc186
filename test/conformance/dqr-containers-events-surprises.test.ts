// The ten things that surprise clients, at the head of dqr-containers-events.md. They need the plug-ins, a PACS with
// known studies and settings of the whole site, so that none of them is asked of a real XNAT.
import { describe, expect } from 'vitest'
import { type Case, testFacts, testStandInOnly } from './facts.ts'
import type { Site } from './site.ts'
import type { StandIn } from './target.ts'

interface Row {
  id: number
  status: string
  studyInstanceUid: string
}

const minuteMs = 60_000
const surprise = (number: number, claim: string) => `dqr-containers-events 0, surprise ${number}: ${claim}`
const title = (number: number, claim: string) => `${surprise(number, claim)} [stand-in only: changes the site]`
const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })

/** A PACS with a study, registered and open, and {P1} allowed to import. */
function addStudy({ server }: StandIn, site: Site, projects = ['P1']): string {
  // Longer than any case moves the clock.
  server.state.configure({ sessionTimeoutMs: 1000 * minuteMs })
  server.pacs.register({ projects: projects.map((name) => site.name(name)) })
  const [study] = server.pacs.add({ accessionNumber: 'ACC1' })
  return study?.studyInstanceUid ?? ''
}

const importing = (site: Site, studyInstanceUids: readonly string[], more: object = {}) =>
  site.send('POST /xapi/dqr/import', {
    ...json({
      pacsId: 1,
      aeTitle: 'XNAT',
      port: 8104,
      projectId: '{P1}',
      studies: studyInstanceUids.map((studyInstanceUid) => ({ studyInstanceUid })),
      ...more,
    }),
  })

const rows = async (site: Site, what: 'queue' | 'history') =>
  (await site.send(`GET /xapi/dqr/import/${what}?all=true`)).json() as Row[]

const standInOnly = 'changes the site'
const settings = 'PUT /xapi/dqr/settings/project/{P1}'
const subscription = {
  name: 'log scans',
  active: true,
  'action-key':
    'org.nrg.xnat.eventservice.actions.EventServiceLoggingAction:org.nrg.xnat.eventservice.actions.EventServiceLoggingAction',
  'event-filter': {
    'event-type': 'org.nrg.xnat.eventservice.events.ScanEvent',
    'project-ids': ['{P1}'],
    status: 'CREATED',
  },
}
const subscribe = { send: 'POST /xapi/projects/{P1}/events/subscription', ...json(subscription) }
const importNothing = {
  send: 'POST /xapi/dqr/import',
  ...json({ pacsId: 1, aeTitle: 'XNAT', projectId: '{P1}', studies: [] }),
}

const facts: Case[] = [
  {
    fact: surprise(7, 'unreadable JSON is 500, no right an empty 403, and no change 304'),
    standInOnly,
    steps: [
      { send: 'POST /xapi/dqr/import', body: '{', status: 500 },
      { send: 'GET /xapi/dqr/settings', as: 'owner', status: 403, text: '' },
      { send: settings, ...json({ enabled: true }), status: 200 },
      { send: settings, ...json({ enabled: true }), status: 304, text: '' },
    ],
  },
  {
    fact: surprise(
      8,
      'a project without a row is 404, disabled 403, and is enabled as "enabled" but shown as "dqrEnabled"',
    ),
    standInOnly,
    steps: [
      { send: 'GET /xapi/dqr/settings/project/{P1}', status: 404 },
      { ...importNothing, status: 404 },
      { send: settings, ...json({ dqrEnabled: true }), status: 304 },
      { send: settings, ...json({ enabled: true }), status: 200, text: /"dqrEnabled":true/ },
      { send: settings, ...json({ enabled: false }), status: 200 },
      { ...importNothing, status: 403, text: '' },
    ],
  },
  {
    fact: surprise(10, 'the Event Service is off at first, which is 405'),
    standInOnly,
    steps: [{ ...subscribe, status: 405 }],
  },
  {
    fact: surprise(10, 'a subscription is 201 with name:id, the same again another, and what does not validate 424'),
    standInOnly,
    steps: [
      { send: 'PUT /xapi/events/prefs', ...json({ enabled: true }), status: 200 },
      { ...subscribe, status: 201, text: 'log scans:1' },
      { ...subscribe, status: 201, text: 'log scans:2' },
      { ...subscribe, ...json({ ...subscription, 'action-key': 'no.such.Action:1' }), status: 424 },
    ],
  },
  {
    fact: surprise(10, 'a PUT with a filter that names no projects makes the subscription one of the site'),
    standInOnly,
    steps: [
      { send: 'PUT /xapi/events/prefs', ...json({ enabled: true }), status: 200 },
      { ...subscribe, status: 201 },
      {
        send: 'PUT /xapi/projects/{P1}/events/subscription/1',
        ...json({ 'event-filter': { status: 'CREATED' } }),
        status: 200,
      },
      { send: 'GET /xapi/events/subscription/1', status: 200, text: /^(?!.*project-ids)/ },
    ],
  },
  {
    fact: surprise(
      10,
      'a wrapper is enabled for a project to no effect while the site does not allow it, even one that does not exist',
    ),
    standInOnly,
    steps: [
      {
        send: 'POST /xapi/commands',
        ...json({ name: 'c', image: 'i', xnat: [{ name: 'w', contexts: ['xnat:imageScanData'] }] }),
        status: 201,
        text: '1',
      },
      { send: 'PUT /xapi/projects/{P1}/wrappers/1/enabled', status: 200 },
      { send: 'PUT /xapi/projects/{P1}/wrappers/4711/enabled', status: 200 },
      {
        send: 'GET /xapi/projects/{P1}/wrappers/1/enabled',
        status: 200,
        text: '{"enabled-for-site":false,"enabled-for-project":true,"project":"{P1}"}',
      },
      { send: 'GET /xapi/projects/{P1}/commands/available?xsiType=xnat:mrScanData', status: 200, text: '[]' },
      { send: 'PUT /xapi/projects/{P1}/wrappers/1/enabled', as: 'member', status: 401 },
    ],
  },
]

describe('dqr-containers-events: ten things that surprise clients', () => {
  testStandInOnly(title(1, 'POST to the queue deletes'), async ({ site, standIn }) => {
    const uid = addStudy(standIn, site)
    const [queued] = (await importing(site, [uid])).json() as Row[]
    const answer = await site.send('POST /xapi/dqr/import/queue', json([queued?.id]))
    expect([answer.status, answer.text]).toEqual([200, 'true'])
    expect(await rows(site, 'queue')).toEqual([])
  })

  testStandInOnly(
    title(2, 'an import of what the PACS does not know is 200 without a row'),
    async ({ site, standIn }) => {
      const uid = addStudy(standIn, site)
      const none = await importing(site, ['1.2.3'])
      expect([none.status, none.text]).toEqual([200, '[]'])
      expect((await importing(site, [uid, '1.2.3'])).json()).toHaveLength(1)
    },
  )

  testStandInOnly(title(2, 'a study that is queued or archived is queued again'), async ({ site, standIn }) => {
    const uid = addStudy(standIn, site)
    await importing(site, [uid])
    await importing(site, [uid])
    expect(await rows(site, 'queue')).toHaveLength(2)
    await standIn.server.clock.advance(10 * minuteMs)
    expect((await importing(site, [uid])).json()).toHaveLength(1)
  })

  testStandInOnly(
    title(3, 'RECEIVED is the first object, and stays when the session ends in a conflict'),
    async ({ site, standIn }) => {
      const uid = addStudy(standIn, site)
      const [other] = standIn.server.pacs.add({ accessionNumber: 'ACC2' })
      for (const studyInstanceUid of [uid, other?.studyInstanceUid]) {
        const studies = [{ studyInstanceUid, relabelMap: { Subject: 'S', Session: 'SESS' } }]
        await importing(site, [], { studies })
        await standIn.server.clock.advance(minuteMs)
      }
      expect(await rows(site, 'history')).toMatchObject([{ status: 'RECEIVED' }, { status: 'RECEIVED' }])
      const waiting = (await site.send('GET /data/prearchive/projects/{P1}?format=json')).rows()
      expect(waiting).toMatchObject([{ status: 'CONFLICT', name: 'SESS' }])
    },
  )

  testStandInOnly(
    title(3, 'ISSUED is the end where the receiver has no custom processing'),
    async ({ site, standIn }) => {
      const uid = addStudy(standIn, site)
      await site.send('PUT /xapi/dicomscp/1', json({ customProcessing: false }))
      await importing(site, [uid])
      await standIn.server.clock.advance(10 * minuteMs)
      expect(await rows(site, 'history')).toMatchObject([{ status: 'ISSUED' }])
      expect((await site.send('GET /data/projects/{P1}/experiments?dcmAccessionNumber=ACC1')).rows()).toHaveLength(1)
    },
  )

  testStandInOnly(
    title(4, 'the queue row goes when its retrieve was issued; history rows have ids of their own'),
    async ({ site, standIn }) => {
      const uid = addStudy(standIn, site)
      const [unknown] = (await importing(site, [uid])).json() as Row[]
      await site.send(`DELETE /xapi/dqr/import/queue/${unknown?.id}`)
      const [queued] = (await importing(site, [uid], { requestId: 'R1' })).json() as Row[]
      await standIn.server.clock.advance(minuteMs)
      expect((await site.send(`GET /xapi/dqr/import/queue/${queued?.id}`)).status).toBe(404)
      const [executed] = await rows(site, 'history')
      expect(executed).toMatchObject({ requestId: 'R1', studyInstanceUid: uid, xnatProject: site.name('P1') })
      expect(executed?.id).not.toBe(queued?.id)
    },
  )

  testStandInOnly(
    title(5, 'a PACS that is not open never drains its queue, and nothing fails'),
    async ({ site, standIn }) => {
      const uid = addStudy(standIn, site)
      const week = (await site.send('GET /xapi/pacs/1/availability')).json() as Record<string, { id: number }[]>
      for (const { id } of Object.values(week).flat()) await site.send(`DELETE /xapi/pacs/1/availability/${id}`)
      await importing(site, [uid])
      await standIn.server.clock.advance(60 * minuteMs)
      expect(await rows(site, 'queue')).toMatchObject([{ status: 'QUEUED' }])
      expect(await rows(site, 'history')).toEqual([])
    },
  )

  testStandInOnly(
    title(6, 'a study on its way to one project takes a second request’s data there too'),
    async ({ site, standIn }) => {
      await site.send('PUT /data/projects/{P2}')
      const uid = addStudy(standIn, site, ['P1', 'P2'])
      await site.send('PUT /data/projects/{P1}/prearchive_code/0')
      await importing(site, [uid])
      await standIn.server.clock.advance(minuteMs)
      await importing(site, [uid], { projectId: '{P2}' })
      await standIn.server.clock.advance(minuteMs)
      const received = async (project: string) =>
        (await site.send(`GET /data/prearchive/projects/${project}?format=json`)).rows()
      expect(await received('{P1}')).toHaveLength(1)
      expect(await received('{P2}')).toEqual([])
    },
  )

  testStandInOnly(
    title(7, 'no study is 204, a PACS that is down 400 for a query and 200 for a ping'),
    async ({ site, standIn }) => {
      addStudy(standIn, site)
      const find = (criteria: object) => site.send('POST /xapi/dqr/query/studies', json({ pacsId: 1, ...criteria }))
      expect((await find({ accessionNumber: 'NONE' })).status).toBe(204)
      await site.send('POST /__stand-in/settings', json({ pacsDown: true }))
      expect((await find({ accessionNumber: 'ACC1' })).status).toBe(400)
      const ping = await site.send('GET /xapi/pacs/1/status')
      expect([ping.status, ping.json()]).toEqual([200, expect.objectContaining({ successful: false })])
    },
  )

  testStandInOnly(
    title(9, 'an administrator reads all rows of all users, and only pages choose among them'),
    async ({ site, standIn }) => {
      const uid = addStudy(standIn, site)
      await site.send('PUT /xapi/users/{member}/roles/Dqr')
      const body = json({
        pacsId: 1,
        aeTitle: 'XNAT',
        port: 8104,
        projectId: '{P1}',
        studies: [{ studyInstanceUid: uid }],
      })
      expect((await site.send('POST /xapi/dqr/import', { ...body, as: 'member' })).status).toBe(200)
      await importing(site, [uid])
      expect(await rows(site, 'queue')).toHaveLength(2)
      const filtered = await site.send('GET /xapi/dqr/import/queue?all=true&xnatProject=NONE&pageSize=1')
      expect(filtered.json()).toHaveLength(1)
    },
  )

  testFacts(facts)
})
