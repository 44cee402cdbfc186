import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'

const xml = { 'content-type': 'text/xml' }
function project(attributes: string, content = ''): string {
  return `<xnat:Project ${attributes} xmlns:xnat="http://nrg.wustl.edu/xnat">${content}</xnat:Project>`
}
const create = (document: string) => ({ send: 'POST /data/projects', headers: xml, body: document })

const facts: Case[] = [
  {
    fact: 'data-api 1.2: POST creates with 200 and gives the absolute URL as body and Location',
    steps: [
      {
        ...create(
          project(
            'ID="{P2}" secondary_ID="{P2} hub"',
            '<xnat:name>{P2} two</xnat:name><xnat:description>a &lt; b</xnat:description>',
          ),
        ),
        status: 200,
        text: /^https?:\/\/[^/]+.*\/data\/projects\/{P2}$/,
        replyHeaders: { location: /\/data\/projects\/{P2}$/, 'content-type': 'text/plain;charset=ISO-8859-1' },
      },
      {
        send: 'GET /data/projects?ID={P2}',
        status: 200,
        rows: [{ ID: '{P2}', secondary_ID: '{P2} hub', name: '{P2} two', description: 'a < b' }],
      },
    ],
  },
  {
    fact: 'data-api 1.2: secondary_ID and name default to the ID, the prearchive code to 4',
    steps: [
      { ...create(project('ID="{P2}"')), status: 200 },
      { send: 'GET /data/projects?ID={P2}', status: 200, rows: [{ secondary_ID: '{P2}', name: '{P2}' }] },
      { send: 'GET /data/projects/{P2}/prearchive_code', status: 200, text: '4' },
      { send: 'GET /data/projects/{P2}/accessibility', status: 200, text: 'protected' },
    ],
  },
  {
    fact: 'data-api 8: the URL of a POST echoes the form of the request',
    steps: [
      {
        send: 'POST /REST/archive/projects',
        headers: xml,
        body: project('ID="{P2}"'),
        status: 200,
        text: /\/REST\/archive\/projects\/{P2}$/,
      },
    ],
  },
  {
    fact: 'data-api 1.2: an ID that exists is 409',
    steps: [{ ...create(project('ID="{P1}"')), status: 409, text: /Project already exists\./ }],
  },
  {
    fact: 'data-api 1.2: an ID that exists is 409 for someone who cannot see it',
    steps: [{ ...create(project('ID="{P1}"')), as: 'outsider', status: 409 }],
  },
  {
    fact: 'data-api 1.2: nothing to create from is 417',
    steps: [{ send: 'POST /data/projects', status: 417, text: /Need POST Contents/ }],
  },
  {
    fact: 'data-api 1.2: no ID is 417',
    steps: [{ ...create(project('')), status: 417, text: /Requires XNAT ProjectData ID/ }],
  },
  {
    fact: 'data-api 1.2: bad characters are 417',
    steps: [{ ...create(project('ID="a b"')), status: 417, text: /Invalid character in project ID\./ }],
  },
  { fact: 'data-api 1.2: malformed XML is 422', steps: [{ ...create('<xnat:Project ID="{P2}">'), status: 422 }] },
  {
    fact: 'data-api 1.2: a name that is taken is 500 without a message of its own',
    steps: [
      { ...create(project('ID="{P2}"', '<xnat:name>{p1}</xnat:name>')), status: 500, text: /unexpected condition/ },
    ],
  },
  {
    fact: 'data-api 1.2: another kind of document is 200 and does nothing',
    steps: [
      {
        send: 'POST /data/projects',
        headers: xml,
        body: '<xnat:Subject ID="{P2}" xmlns:xnat="http://nrg.wustl.edu/xnat"/>',
        status: 200,
        text: '',
      },
      { send: 'GET /data/projects?ID={P2}', status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 1.3: PUT is 200 and empty whether it creates or updates',
    steps: [
      { send: 'PUT /data/projects/{P2}?name={P2}+one', status: 200, text: '' },
      { send: 'PUT /data/projects/{P2}?description=two&pi_lastname=Lee', status: 200, text: '' },
      {
        send: 'GET /data/projects?ID={P2}',
        status: 200,
        rows: [{ name: '{P2} one', description: 'two', pi_lastname: 'Lee' }],
      },
    ],
  },
  {
    fact: 'data-api 1.3: a document for another project is 417',
    steps: [{ send: 'PUT /data/projects/{P2}', headers: xml, body: project('ID="{P3}"'), status: 417 }],
  },
  {
    fact: 'data-api 1.3: a title in use is 409, whatever its case, and says which',
    steps: [
      {
        send: 'PUT /data/projects/{P2}?name={p1}',
        status: 409,
        text: /conflicts with existing projects: Invalid Project Title: '{p1}' is already being used\./,
      },
    ],
  },
  {
    fact: "data-api 1.3: somebody else's private project cannot be PUT",
    steps: [{ send: 'PUT /data/projects/{P1}?name=mine', as: 'outsider', status: 403 }],
  },
  {
    fact: 'data-api 1.4: a project is found by its alias too',
    steps: [
      { ...create(project('ID="{P2}"', '<xnat:aliases><xnat:alias>{P2}a</xnat:alias></xnat:aliases>')), status: 200 },
      { send: 'GET /data/projects/{P2}a?format=json', status: 200, text: /"ID":"{P2}"/ },
      {
        send: 'GET /data/projects/{P2}?format=xml',
        status: 200,
        text: /<xnat:aliases><xnat:alias>{P2}a<\/xnat:alias><\/xnat:aliases>/,
      },
    ],
  },
  {
    fact: 'data-api 1.5: DELETE is 200, and the project is gone',
    steps: [
      { send: 'DELETE /data/projects/{P1}?removeFiles=true', status: 200, text: '' },
      { send: 'GET /data/projects/{P1}?format=json', status: 404 },
      { send: 'GET /data/experiments/{E1}?format=json', status: 404 },
      { send: 'GET /data/experiments?project={P1}', status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 1.5: DELETE of what is not there, or not to be seen, is 400',
    steps: [
      { send: 'DELETE /data/projects/{P3}', status: 400 },
      { send: 'DELETE /data/projects/{P1}', as: 'outsider', status: 400 },
      { send: 'DELETE /data/projects/{P1}', as: 'member', status: 403 },
    ],
  },
  {
    fact: 'data-api 1.5: the ID of a deleted project is never free again',
    steps: [
      { send: 'DELETE /data/projects/{P1}', status: 200 },
      {
        send: 'PUT /data/projects/{P1}',
        status: 403,
        text: /'{P1}' was used in a previously deleted project and cannot be reused\./,
      },
      { ...create(project('ID="{P1}"')), status: 500 },
    ],
  },
  {
    fact: 'data-api 1.1: a list has the default columns, and columns= replaces them all but the key',
    steps: [
      {
        send: 'GET /data/projects?ID={P1}',
        status: 200,
        rows: [
          {
            ID: '{P1}',
            secondary_ID: '{P1}',
            name: '{P1}',
            description: '',
            pi_firstname: '',
            pi_lastname: '',
            URI: '/data/projects/{P1}',
          },
        ],
      },
      {
        send: 'GET /data/projects?columns=name,nonsense&ID={P1}',
        status: 200,
        text: /^(?!.*(description|nonsense))/,
        rows: [{ name: '{P1}', ID: '{P1}', URI: '/data/projects/{P1}' }],
      },
    ],
  },
  {
    fact: 'data-api 0.1: a project is named by shortcut or by path',
    steps: [
      { send: 'PUT /data/projects/{P2}?name={P2}+by+shortcut&secondary_ID={P2}-two', status: 200 },
      {
        send: 'PUT /data/projects/{P3}?xnat:projectData/name={P3}+by+path&xnat:projectData/secondary_ID={P3}-three',
        status: 200,
      },
      {
        send: 'GET /data/projects?ID={P2},{P3}&sortBy=ID',
        status: 200,
        rows: [
          { name: '{P2} by shortcut', secondary_ID: '{P2}-two' },
          { name: '{P3} by path', secondary_ID: '{P3}-three' },
        ],
      },
    ],
  },
  {
    fact: 'data-api 7.2: a filter knows wildcards and lists',
    steps: [
      { send: 'PUT /data/projects/{P2}?secondary_ID={P2}-hub', status: 200 },
      { send: 'GET /data/projects?secondary_ID={P2}-hub', status: 200, rows: [{ ID: '{P2}' }] },
      { send: 'GET /data/projects?secondary_ID={P2}-h*', status: 200, rows: [{ ID: '{P2}' }] },
      {
        send: 'GET /data/projects?ID={P1},{P2}&sortBy=ID&sortOrder=DESC',
        status: 200,
        rows: [{ ID: '{P2}' }, { ID: '{P1}' }],
        inOrder: true,
      },
      { send: 'GET /data/projects?ID={P3}', status: 200, rows: [] },
    ],
  },
  {
    fact: 'data-api 1.1: restrict=edit leaves what one owns',
    steps: [
      { send: 'GET /data/projects?restrict=edit', as: 'owner', status: 200, among: { ID: '{P1}' } },
      { send: 'GET /data/projects?restrict=edit', as: 'member', status: 200, lacks: { ID: '{P1}' } },
      { send: 'GET /data/projects', as: 'member', status: 200, among: { ID: '{P1}' } },
      { send: 'GET /data/projects', as: 'outsider', status: 200, lacks: { ID: '{P1}' } },
    ],
  },
  {
    fact: 'data-api 1.1: filter mode has other, lower-case columns',
    steps: [
      {
        send: 'GET /data/projects?accessible=true',
        as: 'owner',
        status: 200,
        among: { id: '{P1}', secondary_id: '{P1}', project_access: 'private' },
      },
      {
        send: 'GET /data/projects?prearc_code=true',
        as: 'owner',
        status: 200,
        among: { id: '{P1}', proj_prearchive_code: '4' },
      },
      { send: 'GET /data/projects?data=writable', as: 'collaborator', status: 200, lacks: { id: '{P1}' } },
      { send: 'GET /data/projects?data=readable', as: 'collaborator', status: 200, among: { id: '{P1}' } },
      { send: 'GET /data/projects?data=nonsense', status: 500 },
    ],
  },
  {
    fact: 'data-api 1.4: a project that is missing or not to be seen is 404, in the words for an experiment',
    steps: [
      {
        send: 'GET /data/projects/{P2}?format=json',
        status: 404,
        text: /<h3>Unable to find the specified experiment\.<\/h3>/,
      },
      {
        send: 'GET /data/projects/{P1}?format=json',
        as: 'outsider',
        status: 404,
        text: /<h3>Unable to find the specified experiment\.<\/h3>/,
      },
    ],
  },
  {
    fact: 'data-api 1.2: a site may keep creation to administrators',
    standInOnly: 'changes the site',
    steps: [
      { send: 'POST /xapi/siteConfig/uiAllowNonAdminProjectCreation', body: 'false', status: 200 },
      { send: 'PUT /data/projects/{P2}', as: 'outsider', status: 403 },
      { send: 'PUT /data/projects/{P2}', status: 200 },
    ],
  },
]

describe('projects', () => testFacts(facts))
