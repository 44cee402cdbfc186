import type * as z from 'zod'
import type { readUsers } from '../../lib/services/manage-users.ts'
import type { User } from './schemas.ts'

type Account = Awaited<ReturnType<typeof readUsers>>[number]

/** An account as FLIP's callers read it: XNAT leaves out what is null. */
export const userAnswer = (user: Account): z.input<typeof User> => ({
  lastModified: user.lastModifiedAtMs ?? null,
  username: user.username,
  enabled: user.enabled,
  id: user.id,
  // XNAT: always true (X/model/users/User.java).
  secured: true,
  email: user.email ?? '',
  verified: user.verified,
  firstName: user.firstName ?? '',
  lastName: user.lastName ?? '',
  lastSuccessfulLogin: user.lastLoginAtMs ?? null,
})
