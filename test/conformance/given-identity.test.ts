// Records whose maker says what they are called: SubjectResource.java, SubjAssessmentResource.java.
import { describe } from 'vitest'
import { testFacts } from './facts.ts'
import { session } from './site.ts'

const subjects = '/data/projects/{P1}/subjects'

describe('a new record', () => {
  testFacts([
    {
      fact: 'data-api 2.2: keeps the ID it is given, by shortcut or by path',
      steps: [
        { send: `PUT ${subjects}/S2?ID={P1}_SUBJ_2&group=control`, status: 201, text: '{P1}_SUBJ_2' },
        {
          send: `PUT ${subjects}/S3?xsiType=xnat:subjectData&xnat:subjectData/ID={P1}_SUBJ_3`,
          status: 201,
          text: '{P1}_SUBJ_3',
        },
        {
          send: 'GET /data/subjects/{P1}_SUBJ_2?format=json',
          status: 200,
          text: /(?=.*"label":"S2").*"group":"control"/,
        },
        {
          send: `PUT ${subjects}/S1/experiments/E2?xsiType=xnat:mrSessionData&xnat:mrSessionData/ID={P1}_EXPT_2`,
          status: 201,
          text: '{P1}_EXPT_2',
        },
        {
          send: `PUT ${session}/assessors/A2?xsiType=xnat:qcAssessmentData&xnat:qcAssessmentData/ID={P1}_ASST_2`,
          status: 201,
          text: '{P1}_ASST_2',
        },
      ],
    },
    {
      fact: 'data-api 2.2: cannot take the ID of another, nor one with special characters',
      steps: [
        { send: `PUT ${subjects}/S2?ID={S1}`, status: 409, text: /Project must be modified/ },
        { send: `PUT ${subjects}/S2?ID=a+b`, status: 417 },
        { send: `PUT ${subjects}/S1/experiments/E2?xsiType=xnat:mrSessionData&ID={E1}`, status: 409 },
      ],
    },
    {
      fact: 'data-api 0.1: takes its fields though the query names it by path, too',
      steps: [
        {
          send: `PUT ${subjects}/S2?xnat:subjectData/label=S2&xnat:subjectData/group=control`,
          status: 201,
        },
        { send: `GET ${subjects}/S2?format=json`, status: 200, text: /"group":"control"/ },
      ],
    },
  ])
})
