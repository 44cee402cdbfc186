// POST /projects/create-project-from-central-hub-project (1.4).
import { expect } from 'vitest'
import type { Row } from './contract.ts'

export const createFromHub = 'POST /projects/create-project-from-central-hub-project'
const hubId = (number: number) => `a0000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const trustId = '11111111-2222-4333-8444-555555555555'
const hubProject = (number: number) => ({
  project_id: hubId(number),
  trust_id: trustId,
  project_name: 'Heart study',
  query: 'SELECT accession_id FROM omop.image_occurrence',
})
const hubUser = (email: string, is_disabled = false) => ({ id: trustId, email, is_disabled })

const created = (number: number) => ({
  ID: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  name: `Heart study:${hubId(number)}-FL-Project`,
  created_users: [],
  added_users: [],
})

const invited = (username: string, email: string) => ({
  username,
  email,
  encrypted_setup_path: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
})

const refused = (field: readonly (string | number)[], type: string, msg: string) =>
  ({ status: 422, detail: [{ type, loc: ['body', ...field], msg }], differs: 'input' }) as const

const badName = "Value error, project_name must not contain XML control characters ('<', '>', '&')"

export const hubProjects: readonly Row[] = [
  { name: 'the least that may be said', request: createFromHub, body: hubProject(1), status: 200, answer: created(1) },
  {
    name: 'asked for again, with an id in capitals and keys of a later hub',
    request: createFromHub,
    body: { ...hubProject(2), project_id: hubId(2).toUpperCase(), something_new: { that: 'is ignored' } },
    given: { before: [[createFromHub, hubProject(2)]] },
    status: 200,
    answer: created(2),
  },
  {
    name: 'with a user who is new, one who is disabled and one whose account is in use',
    request: createFromHub,
    body: {
      ...hubProject(3),
      users: [hubUser('Ann.Lee@x.example'), hubUser('gone@x.example', true), hubUser('admin@example.org')],
      dicom_to_nifti: false,
    },
    status: 200,
    answer: {
      ...created(3),
      created_users: [invited('AnnLee', 'Ann.Lee@x.example')],
      added_users: [expect.objectContaining({ username: 'admin', lastSuccessfulLogin: expect.any(Number) })],
    },
  },
  {
    name: 'with a user who was invited and has never signed in',
    request: createFromHub,
    body: { ...hubProject(4), users: [hubUser('new@x.example')] },
    given: { before: [[createFromHub, { ...hubProject(5), users: [hubUser('new@x.example')] }]] },
    status: 200,
    answer: { ...created(4), created_users: [invited('new', 'new@x.example')] },
  },
  {
    name: 'with quotes in its name',
    request: createFromHub,
    body: { ...hubProject(6), project_name: `Ann's "heart" study` },
    status: 200,
    answer: { name: `Ann's "heart" study:${hubId(6)}-FL-Project` },
  },
  ...['<', '>', '&'].map((character) => ({
    name: `with ${character} in its name`,
    request: createFromHub,
    body: { ...hubProject(7), project_name: `a ${character} b` },
    ...refused(['project_name'], 'value_error', badName),
  })),
  {
    name: 'with no cohort, as a hub without a query sends it',
    request: createFromHub,
    body: { ...hubProject(7), query: null },
    ...refused(['query'], 'string_type', 'Input should be a valid string'),
  },
  {
    name: 'with an id that is none',
    request: createFromHub,
    body: { ...hubProject(7), project_id: 'P7' },
    ...refused(['project_id'], 'uuid_parsing', 'Input should be a valid UUID'),
  },
  {
    name: 'with a user without an address',
    request: createFromHub,
    body: { ...hubProject(7), users: [hubUser('nobody')] },
    ...refused(['users', 0, 'email'], 'value_error', 'value is not a valid email address'),
  },
  {
    name: 'with nothing said',
    request: createFromHub,
    body: {},
    status: 422,
    detail: ['project_id', 'trust_id', 'project_name', 'query'].map((field) => ({
      type: 'missing',
      loc: ['body', field],
      msg: 'Field required',
    })),
    differs: 'input',
  },
  {
    name: 'with a name that another project has',
    request: createFromHub,
    body: hubProject(8),
    given: {
      before: [
        [`POST /projects/?project_id=T8&project_secondary_id=T8&project_name=Heart%20study:${hubId(8)}-FL-Project`],
      ],
    },
    status: 409,
    detail: 'XNAT reports a conflict with what is already there.',
    differs: 'nameTaken',
  },
  {
    name: 'where the command is not installed',
    request: createFromHub,
    body: hubProject(9),
    given: { xnat: { 'GET /xapi/commands': { status: 200, body: '[]' } } },
    status: 500,
    // trust-api keeps the first 1000 characters of the body (flip-contract 4.2).
    detail: expect.stringMatching(
      /^DICOM to NIfTI conversion cannot be set up: .{1,850}xnat\/dcm2niix:latest.{1,850}$/,
    ),
  },
  {
    name: 'where the account lacks the role for commands',
    request: createFromHub,
    body: hubProject(10),
    given: { xnat: { 'GET /xapi/commands': { status: 403 } } },
    status: 502,
    detail: expect.stringMatching(/lacks the role ContainerManager/),
    differs: 'exceptions',
  },
]
