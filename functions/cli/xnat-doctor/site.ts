// What the checks of an XNAT work with.
import type { SiteExpectations } from '../../../lib/config.ts'
import type { CallOptions } from '../../../lib/xnat/call.ts'
import type { XnatClient } from '../../../lib/xnat/client.ts'
import type { Check, Finding } from '../checkup.ts'

export interface Site {
  /** As the functions would be told. */
  expected: SiteExpectations
  /** Asks once: what is down now is to be told now. */
  xnat: XnatClient
  signal: AbortSignal
}

export type SiteCheck = Check<Site>

export const ok = (says: string): Finding => ({ state: 'ok', says })
export const warning = (says: string, advice: string): Finding => ({ state: 'warning', says, advice })
export const failed = (says: string, advice: string): Finding => ({ state: 'failed', says, advice })

/** What to do where a check only fails when XNAT does. */
export const adviseOnXnat = () => 'Is XNAT well, and has the account the right to ask this? Its logs say more.'

export const within = ({ signal }: Site): CallOptions => ({ signal })
