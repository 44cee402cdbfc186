import type { User } from './records.ts'

/** A user as /xapi shows it (X/model/users/User.java). The last login is known to the lists of profiles only. */
export function userJson(user: User, options: { withLogin: boolean }) {
  return {
    id: user.id,
    username: user.username,
    firstName: user.firstName,
    lastName: user.lastName,
    email: user.email,
    secured: true,
    lastModified: user.lastModifiedAtMs ?? 0,
    enabled: user.enabled,
    verified: user.verified,
    ...(options.withLogin && { lastSuccessfulLogin: user.lastLoginAtMs, pendingEmail: user.pendingEmail }),
  }
}
