// Names and secrets that sign in in place of a password (HibernateAliasTokenService.java, AliasToken.java).
import { randomInt, randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Chore } from './background.ts'
import type { Xnat } from './exchange.ts'
import { nextFullHour } from './full-hour.ts'

export const AliasToken = z.object({
  tokenId: z.number(),
  alias: z.string(),
  secret: z.string(),
  username: z.string(),
  issuedAtMs: z.number(),
  expectedEndMs: z.number(),
})
export type AliasToken = z.infer<typeof AliasToken>

const secretCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

export function issueToken({ state, now }: Xnat, username: string): AliasToken {
  const issuedAtMs = now().getTime()
  const secret = Array.from({ length: 64 }, () => secretCharacters[randomInt(secretCharacters.length)]).join('')
  return state.aliasTokens.put({
    tokenId: state.next('aliasToken'),
    alias: randomUUID(),
    secret,
    username,
    issuedAtMs,
    expectedEndMs: issuedAtMs + state.settings.aliasTokenTimeoutMs,
  })
}

export function invalidateTokensOf({ state }: Xnat, username: string): void {
  for (const { alias, username: owner } of state.aliasTokens.all()) {
    if (owner === username) state.aliasTokens.delete(alias)
  }
}

// XNAT: age is not looked at when a token is used; an hourly job deletes the old ones (aliasTokenTimeoutSchedule).
export const sweepTokens: Chore = {
  dueAt({ state }) {
    const ends = state.aliasTokens.all().map((token) => token.issuedAtMs + state.settings.aliasTokenTimeoutMs)
    return ends.length === 0 ? undefined : nextFullHour(Math.min(...ends))
  },
  async run({ state, now }) {
    for (const { alias, issuedAtMs } of state.aliasTokens.all()) {
      if (issuedAtMs + state.settings.aliasTokenTimeoutMs <= now().getTime()) state.aliasTokens.delete(alias)
    }
  },
}
