import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'

// They switch the site's Event Service on.
const standInOnly = 'changes the site'

const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })
const scanEvent = 'org.nrg.xnat.eventservice.events.ScanEvent'
const logging = 'org.nrg.xnat.eventservice.actions.EventServiceLoggingAction'
const filter = { 'event-type': scanEvent, 'project-ids': ['{P1}'], status: 'CREATED' }
const wanted = { name: 'log scans', active: true, 'action-key': `${logging}:${logging}`, 'event-filter': filter }
const turnOn = { send: 'PUT /xapi/events/prefs', ...json({ enabled: true }), status: 200, text: '' }
const subscription = '/xapi/projects/{P1}/events/subscription'
const create = (more = {}) => ({ send: `POST ${subscription}`, ...json({ ...wanted, ...more }) })
const withFilter = (more: object) => create({ 'event-filter': { ...filter, ...more } })

const facts: Case[] = [
  {
    fact: 'dqr-containers-events C1: the service is off at first, and each call says so in its own way',
    standInOnly,
    steps: [
      { send: 'GET /xapi/events/prefs', as: 'outsider', status: 200, text: '{"enabled":false}' },
      { ...create(), status: 405, text: 'There was an error in the request : Event Service disabled.' },
      { send: 'GET /xapi/events/subscriptions', status: 200, text: '' },
      { send: 'GET /xapi/projects/{P1}/events/subscriptions', status: 500 },
      { send: `POST ${subscription}/1/activate`, status: 405 },
      { send: 'POST /xapi/events/subscription/1/activate', status: 404 },
      { send: 'GET /xapi/events/events', status: 200, text: /ScanEvent/ },
      { ...turnOn, as: 'owner', status: 403 },
    ],
  },
  {
    fact: 'dqr-containers-events C2: a subscription is answered as name:id, and the same again is another',
    standInOnly,
    steps: [
      turnOn,
      { ...create(), as: 'owner', status: 201, text: 'log scans:1' },
      { ...create({ name: 'a:b' }), as: 'owner', status: 201, text: 'a:b:2' },
      { ...create(), as: 'owner', status: 201, text: 'log scans:3' },
      { ...create(), as: 'member', status: 403, text: '' },
    ],
  },
  {
    fact: 'dqr-containers-events C2: without a name one is made up, and only such names are unique',
    standInOnly,
    steps: [
      turnOn,
      { ...create({ name: null }), status: 201, text: 'Logging Action on Scan CREATED for {P1}:1' },
      { ...create({ name: null }), status: 201, text: 'Logging Action on Scan CREATED for {P1} v2:2' },
    ],
  },
  {
    fact: 'dqr-containers-events C2: the project in the path must be among those named, all of which are the caller’s own',
    standInOnly,
    steps: [
      turnOn,
      { send: 'PUT /data/projects/{P2}', status: 200 },
      {
        ...withFilter({ 'project-ids': ['{P2}'] }),
        as: 'owner',
        status: 401,
        text: /^Unauthorized\.\n{owner} not authorized/,
      },
      {
        ...withFilter({ 'project-ids': ['{P1}', '{P2}'] }),
        as: 'owner',
        status: 401,
        text: /project\(s\): {P1},{P2}$/,
      },
      { ...withFilter({ 'project-ids': ['{P1}', '{P2}'] }), status: 201 },
    ],
  },
  {
    fact: 'dqr-containers-events C2: what does not validate is 424 with XNAT’s words',
    standInOnly,
    steps: [
      turnOn,
      {
        ...withFilter({ 'event-type': 'no.such.Event' }),
        status: 424,
        text: 'Subscription format failed to validate.\nno.such.Event',
      },
      {
        ...withFilter({ 'event-type': 'org.nrg.xnat.eventservice.events.WorkflowStatusChangeEvent' }),
        status: 424,
        text: /Could not compile jsonPath filter\. null$/,
      },
      { ...withFilter({ 'payload-filter': '$[?(@.id == 1)]' }), status: 424, text: /contains \$ or \$\[\?/ },
      { ...withFilter({ 'payload-filter': '@.id ==' }), status: 424, text: /Could not compile jsonPath filter/ },
      { ...withFilter({ schedule: '* * * * * *', status: 'CRON' }), status: 424, text: /Invalid Cron Expression/ },
      {
        ...create({ 'action-key': 'org.nrg.containers.services.CommandActionProvider:7' }),
        status: 424,
        text: /Could not validate Action: org\.nrg\.containers/,
      },
      { ...create({ 'action-key': 'no.such.Action:1' }), status: 424, text: /Could not load Action Provider/ },
    ],
  },
  {
    fact: 'dqr-containers-events C2: what the bean cannot do without is 500',
    standInOnly,
    steps: [
      turnOn,
      { ...create({ 'action-key': null }), status: 500 },
      { ...create({ 'event-filter': null }), status: 500 },
      { ...withFilter({ 'project-ids': null }), status: 500 },
      { ...withFilter({ 'event-type': null }), status: 500 },
    ],
  },
  {
    fact: 'dqr-containers-events C3: event-selector in the body is not looked at',
    standInOnly,
    steps: [turnOn, { ...create({ 'event-selector': `${scanEvent}:CREATED` }), status: 201 }],
  },
  {
    fact: 'dqr-containers-events C2: a project lists its own and the site’s, and may edit only what is its alone',
    standInOnly,
    steps: [
      turnOn,
      { ...create(), status: 201 },
      {
        send: 'POST /xapi/events/subscription',
        ...json({ ...wanted, name: 'site', 'event-filter': { 'event-type': scanEvent } }),
        status: 201,
        text: 'site:2',
      },
      {
        send: 'GET /xapi/projects/{P1}/events/subscriptions',
        as: 'owner',
        status: 200,
        text: /"id":1,.*"editable":true\},\{.*"name":"site".*"id":2.*"editable":false/,
      },
      { send: `POST ${subscription}/2/deactivate`, as: 'owner', status: 401, text: /project\(s\): Site$/ },
      {
        send: `GET ${subscription}/9`,
        status: 404,
        text: 'There was an error in the request : Could not find entity with ID 9',
      },
    ],
  },
  {
    fact: 'dqr-containers-events C2: PUT keeps what is absent, but empties attributes and forgets the projects of a filter',
    standInOnly,
    steps: [
      turnOn,
      { ...create({ attributes: { a: 'b' } }), status: 201 },
      { send: `PUT ${subscription}/1`, ...json({ 'event-filter': { status: 'CREATED' } }), status: 200, text: '' },
      {
        send: 'GET /xapi/events/subscription/1',
        status: 200,
        text: /^(?=.*"attributes":\{\})(?=.*"name":"log scans")(?!.*project-ids)/,
      },
      { send: `DELETE ${subscription}/1`, status: 401 },
      { send: 'DELETE /xapi/events/subscription/1', status: 204 },
      { send: 'GET /xapi/events/subscription/1', status: 404 },
    ],
  },
  {
    fact: 'dqr-containers-events C2: a predicate can be tried out',
    standInOnly,
    steps: [
      { send: 'POST /xapi/events/subscription/filter/validate', body: '@.id == "1"', status: 200, text: '' },
      {
        send: 'POST /xapi/events/subscription/filter/validate',
        body: '@.id = 1',
        status: 424,
        text: /^JsonPath format failed to validate\.\n/,
      },
    ],
  },
]

describe('subscriptions of the Event Service', () => testFacts(facts))
