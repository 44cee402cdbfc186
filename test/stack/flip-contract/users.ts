// /users (1.9).
import { expect } from 'vitest'
import type { Given, Row } from './contract.ts'

const account = (username: string) => ({
  username,
  password: 'Fake-password-1!',
  email: `${username}@x.example`,
  firstName: 'Ann',
  lastName: 'Lee',
})

/** A user of this name is there, and a project of this ID. */
const withUser = (username: string, projectId?: string): Pick<Given, 'before'> => ({
  before: [
    ['POST /users', account(username)],
    ...(projectId === undefined
      ? []
      : [
          [
            `POST /projects/?project_id=${projectId}&project_secondary_id=${projectId}&project_name=${projectId}`,
          ] as const,
        ]),
  ],
})

const user = (username: string, enabled = true) => ({
  lastModified: expect.any(Number),
  username,
  enabled,
  id: expect.any(Number),
  secured: true,
  email: `${username}@x.example`,
  verified: true,
  firstName: 'Ann',
  lastName: 'Lee',
  lastSuccessfulLogin: null,
})

export const users: readonly Row[] = [
  {
    name: 'all of them',
    request: 'GET /users',
    given: withUser('u-listed'),
    status: 200,
    answer: expect.arrayContaining([user('u-listed')]),
  },
  {
    name: 'while XNAT lets the account list nobody',
    request: 'GET /users',
    given: { xnat: { 'GET /xapi/users/profiles': { status: 403 } } },
    status: 502,
    detail: 'XNAT does not allow the service account to do this.',
    differs: 'exceptions',
  },

  { name: 'a new one', request: 'POST /users', body: account('u-new'), status: 200, answer: user('u-new') },
  {
    name: 'one who may not sign in yet',
    request: 'POST /users',
    body: { ...account('u-off'), enabled: false, something_new: 1 },
    status: 200,
    answer: user('u-off', false),
  },
  {
    name: 'no more than a name',
    request: 'POST /users',
    body: { username: 'u-half' },
    status: 422,
    detail: ['password', 'email', 'firstName', 'lastName'].map((field) => ({
      type: 'missing',
      loc: ['body', field],
      msg: 'Field required',
    })),
    differs: 'input',
  },
  {
    name: 'a name that is taken',
    request: 'POST /users',
    body: account('u-twice'),
    given: withUser('u-twice'),
    status: 409,
    detail: 'Error: A user of this name already exists',
    differs: 'userExists',
  },
  {
    name: 'a password that the site finds too weak',
    request: 'POST /users',
    body: account('u-weak'),
    given: { standIn: { passwordComplexity: '^.{50,}$' } },
    status: 422,
    detail: 'XNAT did not take the user. The password may be too weak for this site.',
    differs: 'userRefused',
  },

  {
    name: 'off',
    request: 'PUT /users',
    body: { email: 'u-goes@x.example', enabled: false },
    given: withUser('u-goes'),
    status: 200,
    answer: user('u-goes', false),
  },
  {
    name: 'on, who is on already (304 from XNAT)',
    request: 'PUT /users',
    body: { email: 'u-stays@x.example', enabled: true },
    given: withUser('u-stays'),
    status: 200,
    answer: user('u-stays'),
  },
  {
    name: 'off, whose address is written otherwise',
    request: 'PUT /users',
    body: { email: 'U-Case@X.example', enabled: false },
    given: withUser('u-case'),
    status: 200,
    answer: user('u-case', false),
    differs: 'letterCase',
  },
  {
    name: 'off, all who have the address',
    request: 'GET /users',
    given: {
      before: [
        ['POST /users', { ...account('u-one'), email: 'both@x.example' }],
        ['POST /users', { ...account('u-two'), email: 'both@x.example' }],
        ['PUT /users', { email: 'both@x.example', enabled: false }],
      ],
    },
    status: 200,
    answer: expect.arrayContaining(
      ['u-one', 'u-two'].map((username) => ({ ...user(username, false), email: 'both@x.example' })),
    ),
    differs: 'everyAccount',
  },
  {
    name: 'nobody of that address',
    request: 'PUT /users',
    body: { email: 'nobody@x.example', enabled: true },
    status: 404,
    detail: '404: User not found by email',
  },
  {
    name: 'one who is gone before XNAT is told',
    request: 'PUT /users',
    body: { email: 'u-gone@x.example', enabled: false },
    given: { ...withUser('u-gone'), xnat: { 'PUT /xapi/users/u-gone': { status: 404 } } },
    status: 404,
    detail: 'User not found',
  },
  ...[
    { answered: 400, detail: 'XNAT refused the request.' },
    { answered: 401, detail: 'XNAT refused the service account.' },
    { answered: 403, detail: 'XNAT does not allow the service account to do this.' },
  ].map(
    ({ answered, detail }): Row => ({
      name: `one whom XNAT does not change, and says ${answered}`,
      request: 'PUT /users',
      body: { email: `u-firm${answered}@x.example`, enabled: false },
      given: {
        ...withUser(`u-firm${answered}`),
        xnat: { [`PUT /xapi/users/u-firm${answered}`]: { status: answered, body: 'not ann@x.example' } },
      },
      status: 502,
      detail,
      differs: 'memberRefused',
    }),
  ),
  {
    name: 'no address',
    request: 'PUT /users',
    body: { email: 'nobody', enabled: 'perhaps' },
    status: 422,
    detail: [
      { type: 'value_error', loc: ['body', 'email'], msg: 'value is not a valid email address' },
      { type: 'bool_type', loc: ['body', 'enabled'], msg: 'Input should be a valid boolean' },
    ],
    differs: 'input',
  },

  {
    name: 'a user',
    request: 'PUT /users/add-to-project/u-joins/U1',
    given: withUser('u-joins', 'U1'),
    status: 200,
    answer: user('u-joins'),
  },
  {
    name: 'an unknown user',
    request: 'PUT /users/add-to-project/nobody/U1',
    status: 404,
    detail: '404: User not found by username',
  },
  {
    name: 'to an unknown project',
    request: 'PUT /users/add-to-project/u-lost/nowhere',
    given: withUser('u-lost'),
    status: 404,
    detail: "404: Project with ID 'nowhere' not found.",
    differs: 'unknownProject',
  },
  {
    name: 'whom XNAT does not let in',
    request: 'PUT /users/add-to-project/u-out/U2',
    given: {
      ...withUser('u-out', 'U2'),
      xnat: { 'PUT /data/projects/U2/users/member/u-out': { status: 403, body: 'not u-out' } },
    },
    status: 502,
    detail: 'Error: The user could not be added to project: 403 - XNAT refused.',
    differs: 'memberRefused',
  },
]
