// Whether the account may do what the functions do, and will still be able to tomorrow.
import { XnatError } from '../../../lib/errors.ts'
import { getSiteSettings } from '../../../lib/xnat/site.ts'
import { countOwnSessions, listRoles } from '../../../lib/xnat/users.ts'
import { exitCodes, Failure } from '../failure.ts'
import { adviseOnXnat, failed, ok, type Site, type SiteCheck, warning, within } from './site.ts'

export const signIn: SiteCheck = {
  name: 'sign-in',
  needs: ['address'],
  async look(site) {
    try {
      return ok(`as ${await site.xnat.whoAmI(within(site))}`)
    } catch (cause) {
      // XNAT's own words are a page that names every reason there can be.
      if (!(cause instanceof XnatError && cause.code === 'XNAT_UNAUTHORIZED')) throw cause
      throw new Failure('XNAT refuses the account', exitCodes.failed, { cause })
    }
  },
  advise: (failure) => adviceOnSignIn(failure),
}

function adviceOnSignIn({ cause }: Failure): string {
  const detail = cause instanceof XnatError ? (cause.detail ?? '') : ''
  // XNAT: where the redirect points tells why (WEB/security/XnatExpiredPasswordFilter.java).
  if (detail.includes('XDATScreen_UpdateUser')) {
    return "The account's password has expired: set a new one, and give the account the role non_expiring."
  }
  if (detail.includes('InactiveAccount')) return 'The account is disabled: enable it in XNAT.'
  if (/not yet been configured/i.test(detail))
    return 'Finish the set-up of the site in XNAT as its administrator first.'
  if (cause instanceof XnatError && cause.code === 'XNAT_UNAUTHORIZED') {
    return 'Are XNAT_SERVICE_USER and XNAT_SERVICE_PASSWORD right, and the account enabled and verified? XNAT answers the same when it is locked after 20 wrong passwords, for an hour, and when it has too many sessions. Each try counts.'
  }
  return adviseOnXnat()
}

/** Users, their tokens, the hours of the PACS and settings of DQR are for administrators (X/rest/users/UsersApi.java, D:rest/DqrPacsApi.java). */
export const administrator: SiteCheck = {
  name: 'administrator',
  needs: ['sign-in'],
  async look(site) {
    if ((await rolesOf(site)).includes('Administrator')) return ok('the account is one')
    return failed(
      "the account is none: it may not make accounts and invitations, see when the PACS may be asked, or see all of DQR's queue",
      "Give it the role: an administrator's PUT /xapi/users/{user}/roles/Administrator.",
    )
  },
  advise: adviseOnXnat,
}

export const password: SiteCheck = {
  name: 'password',
  needs: ['administrator'],
  async look(site) {
    const { passwordExpirationType: type = 'Disabled' } = await getSiteSettings(site.xnat, within(site))
    // XNAT: other words switch it off, too (WEB/security/XnatExpiredPasswordFilter.java).
    const expires = type === 'Interval' || type === 'Date'
    if (!expires || (await rolesOf(site)).includes('non_expiring')) return ok('does not expire')
    return warning(
      'will expire by the rules of the site, and XNAT does not tell when',
      'Give the account the role non_expiring: PUT /xapi/users/{user}/roles/non_expiring.',
    )
  },
  advise: adviseOnXnat,
}

const rolesOf = async (site: Site) => listRoles(site.xnat, await site.xnat.whoAmI(within(site)), within(site))

/**
 * Each running function holds one session: 16 workers and the sweep (`maximumConcurrency` in serverless.yml), the API's
 * own, and those that ended within the session timeout.
 */
export const sessionsWanted = 50

export const sessions: SiteCheck = {
  name: 'sessions',
  needs: ['administrator'],
  async look(site) {
    const { concurrentMaxSessions: most = Number.POSITIVE_INFINITY } = await getSiteSettings(site.xnat, within(site))
    const open = await countOwnSessions(site.xnat, within(site))
    if (most - open >= sessionsWanted) return ok(`the account has ${open} open, of at most ${most}`)
    return warning(
      `the account has ${open} open, of at most ${most}: functions may want ${sessionsWanted}`,
      'Raise concurrentMaxSessions in the site administration and restart XNAT, or let nobody else use the account.',
    )
  },
  advise: adviseOnXnat,
}
