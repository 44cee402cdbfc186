// /imaging: imports from the PACS (1.5).
import { expect } from 'vitest'
import { type Given, inPacs, pingOfOne, type Row } from './contract.ts'

const disabledPing = {
  pacsId: 1,
  successful: true,
  enabled: false,
  disabled: 1,
  id: 1,
  pingTime: 1,
  created: 1,
  timestamp: 1,
}

const queue = 'POST /imaging/queue_image_import_request'
const dqrImport = 'POST /xapi/dqr/import'
const study = (number: number) => ({ studyInstanceUid: `2.25.${number}`, accessionNumber: `A${number}` })

/** A project, which may import if `mayImport` is said, and the studies of these numbers in the PACS. */
function withProject(projectId: string, numbers: readonly number[] = [], mayImport?: boolean): Pick<Given, 'before'> {
  return {
    before: [
      // What is queued stays there to be looked at.
      ['POST /xapi/dqr/settings', { pacsAvailabilityCheckFrequency: '1 hour' }],
      [`POST /projects/?project_id=${projectId}&project_secondary_id=${projectId}&project_name=${projectId}`],
      ...(mayImport === undefined
        ? []
        : [[`PUT /xapi/dqr/settings/project/${projectId}`, { enabled: mayImport }] as const]),
      ...numbers.map((number) => inPacs(study(number).studyInstanceUid, study(number).accessionNumber)),
    ],
  }
}

const queued = (number: number, status = 'QUEUED') => ({
  id: expect.any(Number),
  pacsId: 1,
  status,
  accessionNumber: `A${number}`,
  queuedTime: expect.any(Number),
  created: expect.any(Number),
  priority: expect.any(Number),
})

export const imports: readonly Row[] = [
  {
    name: 'a study',
    request: queue,
    body: { projectId: 'Q1', studies: [study(1)] },
    given: withProject('Q1', [1], true),
    status: 200,
    answer: [queued(1)],
  },
  {
    name: 'a study twice: once',
    request: queue,
    body: { projectId: 'Q2', studies: [{ ...study(2), accessionNumber: 'OTHER' }, study(2)] },
    given: withProject('Q2', [2], true),
    status: 200,
    answer: [queued(2)],
  },
  {
    name: 'by a PACS and to a receiver of the caller: by and to the own',
    request: queue,
    body: { projectId: 'Q3', studies: [study(3)], pacsId: 4711, aeTitle: 'ELSEWHERE', port: 1, forceImport: false },
    given: withProject('Q3', [3], true),
    status: 200,
    answer: [queued(3)],
    differs: 'receiver',
  },
  {
    name: 'a study that DQR takes, but not as QUEUED',
    request: queue,
    body: { projectId: 'Q4', studies: [study(4)] },
    given: {
      ...withProject('Q4'),
      xnat: {
        [dqrImport]: {
          status: 200,
          body: JSON.stringify([
            { ...queued(4, 'FAILED'), id: 1, queuedTime: 1, created: 1, priority: 1, ...study(4) },
          ]),
        },
      },
    },
    status: 200,
    answer: [queued(4, 'FAILED')],
  },
  {
    name: 'into an unknown project',
    request: queue,
    body: { projectId: 'nowhere', studies: [study(5)] },
    status: 404,
    detail: "404: Project with ID 'nowhere' not found.",
  },
  {
    name: 'from a PACS that is gone',
    request: queue,
    body: { projectId: 'Q5', studies: [study(5)] },
    given: { ...withProject('Q5'), xnat: { [pingOfOne]: { status: 404 } } },
    status: 404,
    detail: "404: PACS with ID '1' not found.",
  },
  {
    name: 'from a PACS that cannot be pinged',
    request: queue,
    body: { projectId: 'Q6', studies: [study(6)] },
    given: { ...withProject('Q6'), xnat: { [pingOfOne]: { status: 500 } } },
    status: 500,
    detail: "Failed to ping PACS with ID '1'.",
  },
  {
    name: 'from a PACS that is down',
    request: queue,
    body: { projectId: 'Q7', studies: [study(7)] },
    given: { ...withProject('Q7', [7], true), standIn: { pacsDown: true } },
    status: 500,
    detail: "PACS with ID '1' is not reachable.",
  },
  {
    name: 'from a PACS that is disabled',
    request: queue,
    body: { projectId: 'Q8', studies: [study(8)] },
    given: { ...withProject('Q8'), xnat: { [pingOfOne]: { status: 200, body: JSON.stringify(disabledPing) } } },
    status: 500,
    detail: "PACS with ID '1' is disabled.",
  },
  {
    name: 'into a project that DQR does not know',
    request: queue,
    body: { projectId: 'Q9', studies: [study(9)] },
    given: withProject('Q9', [9]),
    status: 404,
    detail: "404: Not found error for project 'Q9'",
  },
  {
    name: 'into a project that may not import',
    request: queue,
    body: { projectId: 'Q10', studies: [study(10)] },
    given: withProject('Q10', [10], false),
    status: 500,
    detail: "Failed to queue image import via DQR for project 'Q10'",
  },
  {
    name: 'while DQR fails',
    request: queue,
    body: { projectId: 'Q11', studies: [study(11)] },
    given: { ...withProject('Q11', [11], true), xnat: { [dqrImport]: { status: 500 } } },
    status: 500,
    detail: "Failed to queue image import via DQR for project 'Q11'",
  },
  {
    name: 'a study that the PACS does not have',
    request: queue,
    body: { projectId: 'Q12', studies: [study(12)] },
    given: withProject('Q12', [], true),
    status: 404,
    detail: '404: No studies found on PACS with the study instance UID(s) provided',
  },
  {
    name: 'two studies, of which the PACS has one',
    request: queue,
    body: { projectId: 'Q13', studies: [study(13), study(14)] },
    given: withProject('Q13', [13], true),
    status: 500,
    detail: 'Some studies not found on PACS: 2.25.14',
  },
  {
    name: 'no study',
    request: queue,
    body: { projectId: 'Q1', studies: [] },
    status: 422,
    detail: [{ type: expect.any(String), loc: ['body', 'studies'], msg: expect.any(String) }],
    differs: 'input',
  },
  {
    name: 'an accession number that is a path',
    request: queue,
    body: { projectId: 'Q1', studies: [{ ...study(1), accessionNumber: '../x' }] },
    status: 422,
    detail: [
      {
        type: 'value_error',
        loc: ['body', 'studies', 0, 'accessionNumber'],
        msg: 'Value error, must contain only RFC 3986 unreserved characters [A-Za-z0-9._~-]',
      },
    ],
    differs: 'input',
  },
]
