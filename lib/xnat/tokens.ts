import * as z from 'zod'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { xnatPath } from './path.ts'

const TokenReply = z
  .object({
    alias: z.string(),
    secret: z.string(),
    xdatUserId: z.string(),
    singleUse: z.boolean().optional(),
    estimatedExpirationTime: z.number().optional(),
  })
  .transform((token) => ({
    alias: token.alias,
    secret: token.secret,
    username: token.xdatUserId,
    isSingleUse: token.singleUse ?? false,
    /** XNAT sweeps hourly: the token may work for up to an hour longer. */
    expiresAtMs: token.estimatedExpirationTime,
  }))
/** A name and secret that sign in as a user in place of the password. */
export type AliasToken = z.infer<typeof TokenReply>

/** Makes a token for the account itself, or for another user if the account is an administrator's. */
export async function issueToken(
  client: XnatClient,
  { username, ...options }: CallOptions & { username?: string } = {},
): Promise<AliasToken> {
  const issue = xnatPath`/data/services/tokens/issue`
  const path = username === undefined ? issue : xnatPath`${issue}/user/${username}`
  // XNAT: all operations on tokens are GET (W/restlet/services/AliasTokenRestlet.java); each of these makes a new one.
  return client.json(TokenReply, { method: 'GET', path, idempotent: false, ...options })
}

const Validity = z.object({ valid: z.string().optional() })

/** The user that a token signs in, or `undefined` when it is not valid. */
export async function validateToken(
  client: XnatClient,
  { alias, secret }: Pick<AliasToken, 'alias' | 'secret'>,
  options: CallOptions = {},
): Promise<string | undefined> {
  const path = xnatPath`/data/services/tokens/validate/${alias}/${secret}`
  return (await client.find(Validity, { method: 'GET', path, ...options }))?.valid
}

export async function invalidateToken(
  client: XnatClient,
  alias: string,
  options: CallOptions = {},
): Promise<{ kind: 'invalidated' } | { kind: 'not-there' }> {
  const path = xnatPath`/data/services/tokens/invalidate/${alias}`
  const { status } = await client.send({ method: 'GET', path, accept: [404], ...options })
  return { kind: status === 404 ? 'not-there' : 'invalidated' }
}
