import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import { addUser, addUserToProject, readUsers, switchUser } from '../../lib/services/manage-users.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { Email, PathSegment, ProjectId, User } from './schemas.ts'
import { userAnswer } from './user-answer.ts'

const listUsers = route({
  method: 'GET',
  path: '/users',
  request: z.object({}),
  answer: z.array(User),
  run: async (_, tools) => (await readUsers(tools)).map(userAnswer),
})

const NewUser = z.object({
  username: z.string().min(1).max(64),
  password: z.string(),
  email: Email,
  firstName: z.string(),
  lastName: z.string(),
  enabled: z.boolean().default(true),
})

const createUser = route({
  method: 'POST',
  path: '/users',
  request: z.object({ body: NewUser }),
  answer: User,
  run: async ({ body }, tools) => userAnswer(await addUser(tools, body)),
})

const updateUser = route({
  method: 'PUT',
  path: '/users',
  request: z.object({ body: z.object({ email: Email, enabled: z.boolean() }) }),
  answer: User,
  run: async ({ body }, tools) => userAnswer(await switchUser(tools, body.email, body.enabled)),
})

const addToProject = route({
  method: 'PUT',
  path: '/users/add-to-project/{username}/{project_id}',
  request: z.object({ path: z.object({ username: PathSegment, project_id: ProjectId }) }),
  answer: User,
  run: async ({ path }, tools) =>
    userAnswer(await addUserToProject(tools, { username: path.username, projectId: path.project_id })),
})

export const routes = [listUsers, createUser, updateUser, addToProject]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
