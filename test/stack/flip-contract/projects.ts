// /projects (1.4).
import { expect } from 'vitest'
import type { Row } from './contract.ts'

const plain = (projectId: string) =>
  `POST /projects/?project_id=${projectId}&project_secondary_id=${projectId}-hub&project_name=${projectId}-name`

const project = (projectId: string) => ({
  pi_firstname: '',
  secondary_ID: `${projectId}-hub`,
  pi_lastname: '',
  name: `${projectId}-name`,
  description: null,
  ID: projectId,
  URI: `/data/projects/${projectId}`,
})

const noProject = { status: 404, detail: "404: Project with ID 'nowhere' not found." }
const forbidden = {
  status: 502,
  detail: 'XNAT does not allow the service account to do this.',
  differs: 'exceptions',
} as const

const plainProjects: readonly Row[] = [
  {
    name: 'all of them',
    request: 'GET /projects/',
    given: { before: [[plain('P1')]] },
    status: 200,
    answer: expect.arrayContaining([project('P1')]),
  },
  { name: 'one', request: 'GET /projects/P2', given: { before: [[plain('P2')]] }, status: 200, answer: project('P2') },
  { name: 'an unknown one', request: 'GET /projects/nowhere', ...noProject },
  { name: 'a new one', request: plain('P3'), status: 200, answer: project('P3') },
  {
    name: 'a new one with a description',
    request: `${plain('P4')}&project_description=Knees%20%26%20hips`,
    status: 200,
    answer: { ...project('P4'), description: 'Knees & hips' },
  },
  {
    name: 'an ID that is there',
    request: plain('P5'),
    given: { before: [[plain('P5')]] },
    status: 400,
    detail: "Project ID 'P5' already exists. Can't create a new project with the same ID.",
  },
  {
    name: 'no more than an ID',
    request: 'POST /projects/?project_id=P6',
    status: 422,
    detail: [
      { type: 'missing', loc: ['query', 'project_secondary_id'], msg: 'Field required' },
      { type: 'missing', loc: ['query', 'project_name'], msg: 'Field required' },
    ],
    differs: 'input',
  },
  {
    name: 'where XNAT lets the account make none',
    request: plain('P7'),
    given: { xnat: { 'POST /data/projects': { status: 403 } } },
    ...forbidden,
  },
  {
    name: 'one',
    request: 'DELETE /projects/P8',
    given: { before: [[plain('P8')]] },
    status: 200,
    answer: project('P8'),
  },
  {
    name: 'one that was deleted',
    request: 'DELETE /projects/P9',
    given: { before: [[plain('P9')], ['DELETE /projects/P9']] },
    status: 404,
    detail: "404: Project with ID 'P9' not found.",
  },
  { name: 'an unknown one', request: 'DELETE /projects/nowhere', ...noProject },
  {
    name: 'one that XNAT does not let the account delete',
    request: 'DELETE /projects/P10',
    given: { before: [[plain('P10')]], xnat: { 'DELETE /data/projects/P10': { status: 403 } } },
    ...forbidden,
  },
]

/** XNAT's project-scoped listing leaves out types that it has no security for, such as this one (FLIP#612). */
const withSession = (projectId: string) => ({
  before: [
    [plain(projectId)],
    [`PUT /data/projects/${projectId}/subjects/S1/experiments/E1?xsiType=xnat:dxSessionData`],
  ] as const,
})

const subject = (projectId: string) => ({
  ID: expect.stringMatching(/^XNAT_S\d+$/),
  label: 'S1',
  insert_date: expect.any(String),
  project: projectId,
  insert_user: 'admin',
  URI: expect.stringMatching(/^\/data\/subjects\/XNAT_S\d+$/),
})

const experiment = (projectId: string) => ({
  ID: expect.stringMatching(/^XNAT_E\d+$/),
  label: 'E1',
  date: expect.any(String),
  project: projectId,
  insert_date: expect.any(String),
  xsiType: 'xnat:dxSessionData',
  URI: expect.stringMatching(/^\/data\/experiments\/XNAT_E\d+$/),
})

const contents: readonly Row[] = [
  { name: 'one', request: 'GET /projects/C1/subjects', given: withSession('C1'), status: 200, answer: [subject('C1')] },
  { name: 'none', request: 'GET /projects/C2/subjects', given: { before: [[plain('C2')]] }, status: 200, answer: [] },
  { name: 'of an unknown project', request: 'GET /projects/nowhere/subjects', ...noProject },
  {
    name: 'that XNAT does not show',
    request: 'GET /projects/C3/subjects',
    given: { before: [[plain('C3')]], xnat: { 'GET /data/projects/C3/subjects': { status: 403 } } },
    ...forbidden,
  },
  {
    name: 'one',
    request: 'GET /projects/C4/experiments',
    given: withSession('C4'),
    status: 200,
    answer: [experiment('C4')],
  },
  {
    name: 'none',
    request: 'GET /projects/C5/experiments',
    given: { before: [[plain('C5')]] },
    status: 200,
    answer: [],
  },
  { name: 'of an unknown project', request: 'GET /projects/nowhere/experiments', ...noProject },
  {
    name: 'that XNAT does not show',
    request: 'GET /projects/C6/experiments',
    given: { before: [[plain('C6')]], xnat: { 'GET /data/experiments': { status: 403 } } },
    ...forbidden,
  },
  {
    name: "by its label, as XNAT's own document",
    request: 'GET /projects/C7/experiment/E1',
    given: withSession('C7'),
    status: 200,
    answer: {
      items: [{ meta: { 'xsi:type': 'xnat:dxSessionData' }, data_fields: { label: 'E1', project: 'C7' } }],
    },
  },
  {
    name: 'an unknown one',
    request: 'GET /projects/C8/experiment/E9',
    given: withSession('C8'),
    status: 404,
    detail: "404: Experiment with ID or label 'E9' not found in project 'C8'.",
  },
  { name: 'of an unknown project', request: 'GET /projects/nowhere/experiment/E1', ...noProject },
  {
    name: 'that XNAT does not show',
    request: 'GET /projects/C9/experiment/E1',
    given: { ...withSession('C9'), xnat: { 'GET /data/projects/C9/experiments/E1': { status: 403 } } },
    ...forbidden,
  },
]

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

const hubProjects: readonly Row[] = [
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

export const projects: readonly Row[] = [...plainProjects, ...contents, ...hubProjects]
