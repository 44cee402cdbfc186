import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'

// They need the Container Service, and enable wrappers for the site.
const standInOnly = 'changes the site'

const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } })
const dcm2niix = {
  id: 99,
  name: 'dcm2niix',
  version: '1.5',
  image: 'ghcr.io/flip/dcm2niix:1.5',
  'command-line': 'dcm2niix /input',
  xnat: [
    {
      id: 98,
      name: 'dcm2niix-scan',
      contexts: ['xnat:imageScanData'],
      'external-inputs': [{ name: 'scan', type: 'Scan' }],
    },
  ],
}
const create = (more = {}) => ({
  send: 'POST /xapi/commands',
  ...json({ ...dcm2niix, ...more }),
  status: 201,
  text: '1',
})

const facts: Case[] = [
  {
    fact: 'dqr-containers-events B2: a new command answers with its id as a bare number; ids that were sent are dropped',
    standInOnly,
    steps: [
      create(),
      {
        send: 'GET /xapi/commands/1',
        status: 200,
        text: /^\{"id":1,.*"command-line":"dcm2niix \/input".*"xnat":\[\{"id":1,/,
      },
      { send: 'POST /xapi/commands', ...json(dcm2niix), status: 400, text: /^Bad request:\n/ },
      { send: 'POST /xapi/commands', ...json({ name: 'x' }), status: 400, text: /^Invalid command:\n\t/ },
    ],
  },
  {
    fact: 'dqr-containers-events B2: image is compared as it is stored, tag and all; nothing found is an empty list',
    standInOnly,
    steps: [
      create(),
      {
        send: 'GET /xapi/commands?image=ghcr.io/flip/dcm2niix:1.5',
        as: 'outsider',
        status: 200,
        text: /dcm2niix-scan/,
      },
      { send: 'GET /xapi/commands?image=ghcr.io/flip/dcm2niix', status: 200, text: '[]' },
      { send: 'GET /xapi/commands?name=dcm2niix&version=1.5', status: 200, text: /dcm2niix-scan/ },
      { send: 'GET /xapi/commands?version=1.5', status: 400, text: /must specify "name" as well/ },
      { send: 'GET /xapi/commands?restrictToEnabledForSite=true', status: 200, text: '[]' },
      { send: 'GET /xapi/commands/7', status: 404 },
    ],
  },
  {
    fact: 'dqr-containers-events B1: an administrator without the role ContainerManager manages nothing',
    standInOnly,
    steps: [
      create(),
      { send: 'DELETE /xapi/users/{admin}/roles/ContainerManager', status: 200 },
      {
        send: 'POST /xapi/commands',
        ...json(dcm2niix),
        status: 401,
        text: 'There was an error in the request : User {admin} is not a Container Manager.',
      },
      { send: 'DELETE /xapi/commands/1', status: 401 },
      { send: 'PUT /xapi/wrappers/1/enabled', status: 403, text: '' },
      { send: 'GET /xapi/wrappers/1/projects', status: 403, text: '' },
    ],
  },
  {
    fact: 'dqr-containers-events B2: commands and wrappers are changed and deleted',
    standInOnly,
    steps: [
      create(),
      { send: 'POST /xapi/commands/1', ...json({ image: 'other' }), status: 200, text: '' },
      { send: 'GET /xapi/commands?image=other', status: 200, text: /"name":"dcm2niix"/ },
      {
        send: 'POST /xapi/commands/1/wrappers',
        ...json({ name: 'more', contexts: ['xnat:mrSessionData'] }),
        status: 201,
        text: '2',
      },
      { send: 'POST /xapi/commands/1/wrappers/2', ...json({ label: 'More' }), status: 200 },
      { send: 'DELETE /xapi/wrappers/1', status: 204, text: '' },
      { send: 'DELETE /xapi/wrappers/1', status: 404 },
      { send: 'GET /xapi/commands/1', status: 200, text: /"xnat":\[\{"id":2,"name":"more".*"label":"More"\}\]/ },
      { send: 'DELETE /xapi/commands/1', status: 204 },
      { send: 'GET /xapi/commands', status: 200, text: '[]' },
    ],
  },
  {
    fact: 'dqr-containers-events B2: a private command is shown to managers, and in projects where it is enabled',
    standInOnly,
    steps: [
      create({ visibility: 'private' }),
      { send: 'GET /xapi/commands', as: 'member', status: 200, text: '[]' },
      { send: 'GET /xapi/commands/1', as: 'member', status: 200, text: '' },
      { send: 'PUT /xapi/projects/{P1}/wrappers/1/enabled', status: 200 },
      { send: 'GET /xapi/commands', as: 'member', status: 200, text: /dcm2niix/ },
      { send: 'GET /xapi/commands', as: 'outsider', status: 200, text: '[]' },
    ],
  },
  {
    fact: 'dqr-containers-events B3: a wrapper is usable in a project only where the site allows it, whatever the project was told',
    standInOnly,
    steps: [
      create(),
      { send: 'PUT /xapi/projects/{P1}/wrappers/1/enabled', as: 'owner', status: 200, text: '' },
      {
        send: 'GET /xapi/projects/{P1}/wrappers/1/enabled',
        as: 'member',
        status: 200,
        text: '{"enabled-for-site":false,"enabled-for-project":true,"project":"{P1}"}',
      },
      {
        send: 'GET /xapi/projects/{P1}/commands/available?xsiType=xnat:mrScanData',
        as: 'member',
        status: 200,
        text: /"wrapper-name":"dcm2niix-scan".*"enabled":false/,
      },
      {
        send: 'GET /xapi/commands/available/site?xsiType=xnat:mrScanData',
        as: 'outsider',
        status: 200,
        text: /"wrapper-name":"dcm2niix-scan".*"enabled":false/,
      },
      { send: 'PUT /xapi/commands/1/wrappers/dcm2niix-scan/enabled', status: 200, text: '' },
      { send: 'GET /xapi/wrappers/1/enabled', status: 200, text: 'true' },
      {
        send: 'GET /xapi/projects/{P1}/commands/available?xsiType=xnat:mrScanData',
        as: 'member',
        status: 200,
        text: /"wrapper-name":"dcm2niix-scan".*"enabled":true,"root-element-name":"scan"/,
      },
      {
        send: 'GET /xapi/commands/available/site?xsiType=xnat:mrScanData',
        as: 'outsider',
        status: 200,
        text: /"enabled":true/,
      },
      { send: 'GET /xapi/commands/available?project={P1}&xsiType=xnat:mrSessionData', status: 200, text: '[]' },
      {
        send: 'GET /xapi/commands/available?project={P1}&xsiType=xnat:nonsense',
        status: 400,
        text: /^Bad XSI Type\. /,
      },
      {
        send: 'GET /xapi/commands/available/site?xsiType=xnat:mrScanData&projects={P1}',
        status: 200,
        text: /dcm2niix/,
      },
      { send: 'GET /xapi/wrappers/1/projects', status: 200, text: '["{P1}"]' },
      { send: 'PUT /xapi/wrappers/1/disabled', status: 200 },
      { send: 'GET /xapi/commands?restrictToEnabledForSite=true', status: 200, text: '[]' },
    ],
  },
  {
    fact: 'dqr-containers-events B3: lacking the right in the project is 401 with a sentence',
    standInOnly,
    steps: [
      create(),
      {
        send: 'PUT /xapi/projects/{P1}/wrappers/1/enabled',
        as: 'member',
        status: 401,
        text: 'There was an error in the request : User {member} does not have Delete access.',
      },
      { send: 'GET /xapi/projects/{P1}/wrappers/1/enabled', as: 'collaborator', status: 401 },
    ],
  },
  {
    fact: 'dqr-containers-events B3: a name is looked up, an id is not',
    standInOnly,
    steps: [
      create(),
      { send: 'PUT /xapi/commands/9/wrappers/x/enabled', status: 404, text: /^No command with id 9/ },
      { send: 'PUT /xapi/commands/1/wrappers/x/enabled', status: 404, text: 'Command 1 has no wrapper x' },
      { send: 'PUT /xapi/commands/1/wrappers/1/enabled', status: 200 },
      { send: 'PUT /xapi/wrappers/4711/enabled', status: 200 },
      { send: 'PUT /xapi/projects/NONE/wrappers/4711/enabled', status: 200 },
    ],
  },
  {
    fact: 'XnatPluginApi: plug-ins are told by their IDs to everybody who is signed in',
    standInOnly,
    steps: [
      { send: 'GET /xapi/plugins', as: 'outsider', status: 200, text: /^\{"dicom-query-retrieve":.*"containers":/ },
      { send: 'GET /xapi/plugins/containers', as: 'outsider', status: 200, text: /"id":"containers".*"version":"/ },
      {
        send: 'GET /xapi/plugins/none',
        status: 404,
        text: 'Unable to find requested file or resource: No plugin with ID none could be found on this system',
      },
      { send: 'GET /xapi/plugins', as: 'nobody', status: 401 },
    ],
  },
  {
    fact: 'DockerRestApi: the container host is pinged when it is asked for',
    standInOnly,
    steps: [
      { send: 'GET /xapi/docker/server', as: 'outsider', status: 200, text: /"backend":"docker","ping":true\}$/ },
    ],
  },
]

describe('commands and wrappers', () => {
  testFacts(facts)
})
