// /projects, but for those that the hub asks for (1.4).
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
  {
    name: 'one that XNAT says it deleted and did not',
    request: 'DELETE /projects/P11',
    given: { before: [[plain('P11')]], xnat: { 'DELETE /data/projects/P11': { status: 200 } } },
    status: 409,
    detail: expect.stringMatching(/^XNAT did not delete the project\./),
    differs: 'notDeleted',
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
    detail: "404: Experiment with this ID or label not found in project 'C8'.",
  },
  { name: 'of an unknown project', request: 'GET /projects/nowhere/experiment/E1', ...noProject },
  {
    name: 'that XNAT does not show',
    request: 'GET /projects/C9/experiment/E1',
    given: { ...withSession('C9'), xnat: { 'GET /data/projects/C9/experiments/E1': { status: 403 } } },
    ...forbidden,
  },
]

export const projects: readonly Row[] = [...plainProjects, ...contents]
