import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import { addUser, addUserToProject, readUsers, switchUser } from '../../lib/services/manage-users.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { listed, listingQuery } from './listing.ts'
import { Email, Line, PersonName, ProjectId, User, Username, xnatErrors } from './schemas.ts'
import { userAnswer } from './user-answer.ts'

const listUsers = route({
  method: 'GET',
  path: '/users',
  operationId: 'listUsers',
  summary: 'Lists the accounts in XNAT.',
  request: z.object({ query: listingQuery({ email: 'sam.doe@example.org', username: 'samdoe' }) }),
  answer: z.array(User),
  errors: xnatErrors,
  run: async ({ query }, tools) => listed((await readUsers(tools)).map(userAnswer), query, 'username'),
})

const NewUser = z
  .object({
    username: Username,
    password: Line,
    email: Email,
    firstName: PersonName,
    lastName: PersonName,
    enabled: z.boolean().default(true),
  })
  .meta({
    id: 'NewUser',
    example: {
      username: 'jbloggs',
      password: 'example-password-1',
      email: 'jo.bloggs@example.org',
      firstName: 'Jo',
      lastName: 'Bloggs',
      enabled: true,
    },
  })

const createUser = route({
  method: 'POST',
  path: '/users',
  operationId: 'createUser',
  summary: 'Creates an account in XNAT.',
  request: z.object({ body: NewUser }),
  answer: User,
  errors: { ...xnatErrors, 409: 'The username is taken.' },
  run: async ({ body }, tools) => userAnswer(await addUser(tools, body)),
})

const SwitchedUser = z
  .object({ email: Email, enabled: z.boolean() })
  .meta({ id: 'SwitchedUser', example: { email: 'jo.bloggs@example.org', enabled: true } })

const updateUser = route({
  method: 'PUT',
  path: '/users',
  operationId: 'switchUser',
  summary: 'Enables or disables all accounts that have this e-mail address.',
  request: z.object({ body: SwitchedUser }),
  answer: User,
  errors: { ...xnatErrors, 404: 'No account has this address.' },
  run: async ({ body }, tools) => userAnswer(await switchUser(tools, body.email, body.enabled)),
})

const addToProject = route({
  method: 'PUT',
  path: '/users/add-to-project/{username}/{project_id}',
  operationId: 'addUserToProject',
  summary: 'Makes a user a member of a project.',
  request: z.object({
    path: z.object({ username: Username, project_id: ProjectId }),
  }),
  answer: User,
  errors: { ...xnatErrors, 404: 'There is no such user, or no such project.' },
  run: async ({ path }, tools) =>
    userAnswer(await addUserToProject(tools, { username: path.username, projectId: path.project_id })),
})

export const routes = [listUsers, createUser, updateUser, addToProject]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
