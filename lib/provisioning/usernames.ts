// FLIP's rule for account names (flip-contract 2.4), within what XNAT takes.

/**
 * The name an account for this address would like to have; `undefined` when nothing of it could be a username.
 *
 * XNAT: a letter first, then letters, digits and `- _ ' .`, 64 at most (X/rest/users/UsersApi.java). FLIP keeps spaces,
 * which XNAT refuses, so they go too.
 */
export function usernameStem(email: string): string | undefined {
  const stem = email
    .slice(0, email.lastIndexOf('@'))
    .replaceAll(/[^a-zA-Z0-9-]/g, '')
    .replace(/^[^a-zA-Z]+/, '')
    .slice(0, maxStemLength)
  return stem === '' ? undefined : stem
}

// Leaves room for the number that tells two accounts apart.
const maxStemLength = 60

/** `stem`, `stem1`, `stem2` and so on, without those that are taken. */
export function* freeUsernames(stem: string, taken: ReadonlySet<string>): Generator<string> {
  for (let number = 0; number <= 999; number += 1) {
    const name = number === 0 ? stem : `${stem}${number}`
    if (!taken.has(name)) yield name
  }
}
