import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'

// They register PACS and receivers with the site.
const standInOnly = 'changes the site'

const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })
const settings = {
  aeTitle: 'ORTHANC',
  host: 'orthanc',
  queryRetrievePort: 4242,
  label: 'Orthanc',
  ormStrategySpringBeanId: 'dicomOrmStrategy',
}
const create = (more = {}) => ({ send: 'POST /xapi/pacs', ...json({ ...settings, ...more }), status: 200 })
const monday = {
  dayOfWeek: 'MONDAY',
  availabilityStart: '9:30',
  availabilityEnd: '24:00',
  threads: 1,
  utilizationPercent: 100,
}
const open = (more = {}) => ({ send: 'POST /xapi/pacs/1/availability', ...json({ ...monday, ...more }) })

const facts: Case[] = [
  {
    fact: 'dqr-containers-events A2: a PACS is queryable and not storable unless told otherwise',
    standInOnly,
    steps: [
      { ...create(), text: /"id":1,.*"queryable":true,"storable":false/ },
      { send: 'GET /xapi/pacs?storable=true', as: 'outsider', status: 200, text: '[]' },
      { send: 'GET /xapi/pacs?queryable=true', as: 'outsider', status: 200, text: /ORTHANC/ },
      { send: 'GET /xapi/pacs/1', as: 'outsider', status: 200, text: /"enabled":true.*"disabled":0/ },
    ],
  },
  {
    fact: 'dqr-containers-events A2: an invalid or second PACS of the same label or address is answered with 200 and nothing',
    standInOnly,
    steps: [
      create(),
      { ...create(), text: '' },
      { ...create({ label: 'Other' }), text: '' },
      { ...create({ label: 'Other', host: 'other', ormStrategySpringBeanId: '' }), text: '' },
      { ...create({ label: 'Other', host: 'other', dicomWebEnabled: true, storable: true }), text: '' },
      { send: 'GET /xapi/pacs', status: 200, text: /^\[\{[^{]*\}\]$/ },
    ],
  },
  {
    fact: 'dqr-containers-events A2: a new default takes the flag from the other, and a change keeps what it does not name',
    standInOnly,
    steps: [
      create({ defaultQueryRetrievePacs: true }),
      create({ label: 'B', host: 'b', defaultQueryRetrievePacs: true, queryable: false }),
      { send: 'GET /xapi/pacs/1', status: 200, text: /"defaultQueryRetrievePacs":false/ },
      { send: 'GET /xapi/pacs/2', status: 200, text: /"queryable":true.*"defaultQueryRetrievePacs":true/ },
      {
        send: 'PUT /xapi/pacs/1',
        ...json({ storable: true, host: null }),
        status: 200,
        text: /"host":"orthanc".*"storable":true/,
      },
    ],
  },
  {
    fact: 'dqr-containers-events A2: an unknown PACS is 404 to read or delete and 500 to change; only administrators change',
    standInOnly,
    steps: [
      { send: 'GET /xapi/pacs/9', status: 404, text: 'There was an error in the request : null' },
      { send: 'DELETE /xapi/pacs/9', status: 404 },
      { send: 'PUT /xapi/pacs/9', ...json({}), status: 500 },
      { send: 'GET /xapi/pacs/x', status: 500 },
      { ...create(), as: 'owner', status: 403, text: '' },
      create(),
      { send: 'DELETE /xapi/pacs/1', status: 200, text: '' },
      { send: 'GET /xapi/pacs', status: 200, text: '[]' },
    ],
  },
  {
    fact: 'dqr-containers-events A2: a ping that fails is 200 all the same, and is remembered',
    standInOnly,
    steps: [
      create(),
      { send: 'GET /xapi/pacs/1/status', status: 200, text: /"pacsId":1,"successful":true/ },
      { send: 'POST /__stand-in/settings', ...json({ pacsDown: true }), status: 200 },
      { send: 'GET /xapi/pacs/1/status', status: 200, text: /"successful":false/ },
      { send: 'GET /xapi/pacs/1/status/last', status: 200, text: /"id":2,.*"successful":false/ },
      { send: 'GET /xapi/pacs/1/status/all', status: 200, text: /"successful":true.*"successful":false/ },
      { send: 'GET /xapi/pacs/1/status', as: 'owner', status: 403, text: '' },
      { send: 'GET /xapi/pacs/9/status', status: 404 },
    ],
  },
  {
    fact: 'dqr-containers-events A3: an interval is stored with padded times, midnight as 00:00',
    standInOnly,
    steps: [
      create(),
      { ...open(), status: 200, text: /"availabilityStart":"09:30","availabilityEnd":"00:00"/ },
      {
        send: 'GET /xapi/pacs/1/availability',
        status: 200,
        text: /^\{"MONDAY":\[\{.*\}\],"TUESDAY":\[\],.*"SUNDAY":\[\]\}$/,
      },
    ],
  },
  {
    fact: 'dqr-containers-events A3: overlapping or incomplete intervals are 400, a missing day or nonsense 500',
    standInOnly,
    steps: [
      create(),
      { ...open(), status: 200 },
      { ...open({ availabilityStart: '23:00' }), status: 400, text: /probable overlap/ },
      { ...open({ availabilityEnd: '' }), status: 400, text: /did not supply/ },
      { ...open({ dayOfWeek: null }), status: 500 },
      { ...open({ availabilityStart: 'noon' }), status: 500 },
      {
        send: 'POST /xapi/pacs/1/availability/validate',
        ...json({ ...monday, availabilityStart: '00:00' }),
        status: 200,
        text: 'false',
      },
      {
        send: 'POST /xapi/pacs/1/availability/validate',
        ...json({ ...monday, dayOfWeek: 'FRIDAY' }),
        status: 200,
        text: 'true',
      },
    ],
  },
  {
    fact: 'dqr-containers-events A3: no threads means no utilisation either',
    standInOnly,
    steps: [create(), { ...open({ threads: 0 }), status: 200, text: /"threads":0,"utilizationPercent":0/ }],
  },
  {
    fact: 'dqr-containers-events A3: a change trims its neighbours; no change is 304; a body without pacsId moves it to PACS 0',
    standInOnly,
    steps: [
      create(),
      { ...open({ availabilityEnd: '12:00' }), status: 200 },
      { ...open({ availabilityStart: '12:00', availabilityEnd: '18:00' }), status: 200 },
      {
        send: 'PUT /xapi/pacs/1/availability/1',
        ...json({ ...monday, pacsId: 1, availabilityEnd: '15:00' }),
        status: 200,
        text: /"availabilityEnd":"15:00"/,
      },
      { send: 'GET /xapi/pacs/1/availability/2', status: 200, text: /"availabilityStart":"15:00"/ },
      {
        send: 'PUT /xapi/pacs/1/availability/1',
        ...json({ ...monday, pacsId: 1, availabilityEnd: '15:00' }),
        status: 304,
        text: '',
      },
      { send: 'PUT /xapi/pacs/1/availability/1', ...json({ ...monday }), status: 200, text: /"pacsId":0/ },
      { send: 'GET /xapi/pacs/1/availability/1', status: 404, text: /^Unable to find requested file or resource: / },
    ],
  },
  {
    fact: 'dqr-containers-events A3: an interval is found under its own PACS only, and deleting answers true',
    standInOnly,
    steps: [
      create(),
      { ...open(), status: 200 },
      { send: 'GET /xapi/pacs/2/availability/1', status: 404 },
      { send: 'DELETE /xapi/pacs/1/availability/1', as: 'owner', status: 403 },
      { send: 'DELETE /xapi/pacs/1/availability/1', status: 200, text: 'true' },
      { send: 'DELETE /xapi/pacs/1/availability/1', status: 404 },
    ],
  },
  {
    fact: 'dqr-containers-events A8: settings are texts, unknown ones are dropped, and reading takes all-data access',
    standInOnly,
    steps: [
      { send: 'GET /xapi/dqr/settings', as: 'owner', status: 403, text: '' },
      {
        send: 'POST /xapi/dqr/settings',
        ...json({ dqrMaxPacsCMOVEAttempts: '100', nonsense: 'x' }),
        status: 200,
        text: '',
      },
      { send: 'GET /xapi/dqr/settings', status: 200, text: /"dqrMaxPacsRequestAttempts":"100"/ },
      { send: 'GET /xapi/dqr/settings', status: 200, text: /^((?!nonsense).)*$/ },
    ],
  },
  {
    fact: 'dqr-containers-events A8: a project is enabled as "enabled" and shown as "dqrEnabled"; the same again is 304',
    standInOnly,
    steps: [
      { send: 'GET /xapi/dqr/settings/project/{P1}', status: 404 },
      { send: 'GET /xapi/dqr/settings/project/{P1}/enabled', as: 'collaborator', status: 404 },
      { send: 'PUT /xapi/dqr/settings/project/{P1}', ...json({ dqrEnabled: true }), status: 304 },
      {
        send: 'PUT /xapi/dqr/settings/project/{P1}',
        ...json({ enabled: true }),
        status: 200,
        text: /"projectId":"{P1}","dqrEnabled":true/,
      },
      { send: 'PUT /xapi/dqr/settings/project/{P1}', ...json({ enabled: true }), status: 304 },
      { send: 'GET /xapi/dqr/settings/project/{P1}/enabled', as: 'collaborator', status: 200, text: 'true' },
      { send: 'GET /xapi/dqr/settings/project/{P1}/enabled', as: 'outsider', status: 403, text: 'false' },
      { send: 'POST /xapi/dqr/settings/project', ...json({ projectId: '{P1}', dqrEnabled: false }), status: 409 },
      { send: 'PUT /xapi/dqr/settings/project/NONE', ...json({ enabled: true }), status: 404 },
      { send: 'DELETE /xapi/dqr/settings/project/{P1}', status: 200, text: 'true' },
      { send: 'DELETE /xapi/dqr/settings/project/{P1}', status: 404 },
    ],
  },
  {
    fact: 'dqr-containers-events A9: a site begins with one receiver, which neither relabels nor knows DQR',
    standInOnly,
    steps: [
      { send: 'GET /xapi/dicomscp', status: 200, text: /"customProcessing":false.*"aeTitle":"XNAT","port":8104/ },
      {
        send: 'POST /xapi/dicomscp',
        ...json({ aeTitle: 'FLIP', port: 8105, identifier: 'dqrObjectIdentifier', customProcessing: true }),
        status: 200,
        text: /"id":2,.*"label":"FLIP:8105"/,
      },
      { send: 'PUT /xapi/dicomscp/2', ...json({ enabled: false }), status: 200, text: /"enabled":false/ },
      { send: 'DELETE /xapi/dicomscp/2', status: 200 },
      { send: 'GET /xapi/dicomscp/2', status: 404 },
    ],
  },
  {
    fact: 'ArchiveProcessorInstanceApi: what a receiver with custom processing gets can be relabelled, exactly named',
    standInOnly,
    steps: [
      { send: 'GET /xapi/processors/site/canRemap/receiver/XNAT:8104', as: 'outsider', status: 200, text: 'false' },
      { send: 'PUT /xapi/dicomscp/1', ...json({ customProcessing: true }), status: 200 },
      { send: 'GET /xapi/processors/site/canRemap/receiver/XNAT%3A8104', status: 200, text: 'true' },
      {
        send: 'GET /xapi/processors/site/canRemap/receiver/xnat:8104',
        status: 404,
        text: /^Unable to find requested file or resource: /,
      },
      { send: 'GET /xapi/processors/site/canRemap/receiver/XNAT', status: 500 },
      { send: 'GET /xapi/processors/site/canRemap/receiver/XNAT:8104', as: 'nobody', status: 401 },
    ],
  },
  {
    fact: 'dqr-containers-events A8: with all projects allowed, enabled is true without a row',
    standInOnly,
    steps: [
      { send: 'POST /xapi/dqr/settings', ...json({ allowAllProjectsToUseDqr: 'true' }), status: 200 },
      { send: 'GET /xapi/dqr/settings/project/{P1}/enabled', status: 200, text: 'true' },
    ],
  },
]

describe('the registry of DQR', () => testFacts(facts))
