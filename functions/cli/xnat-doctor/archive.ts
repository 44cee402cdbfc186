// How the site treats projects, users and what arrives.
import { randomPassword } from '../../../lib/provisioning/users.ts'
import { listDataTypes } from '../../../lib/xnat/data-types.ts'
import { getSiteSettings } from '../../../lib/xnat/site.ts'
import { adviseOnXnat, failed, ok, type SiteCheck, warning, within } from './site.ts'

export const siteUrl: SiteCheck = {
  name: 'site URL',
  needs: ['administrator'],
  async look(site) {
    const { siteUrl: theirs = '' } = await getSiteSettings(site.xnat, within(site))
    const { url } = site.expected
    // XNAT 1.10: without it, POST /data/projects makes the project and answers 500.
    if (theirs.trim() === '') {
      return failed(
        'is not set: XNAT fails at new projects and cannot make links',
        `Set siteUrl to ${url} or the address that people use.`,
      )
    }
    if (sameAddress(theirs, url)) return ok('is the address that was named')
    return warning(
      `is ${theirs}: invitations and redirects lead there`,
      'That is right where people reach XNAT by another address than the functions do; else set siteUrl, or XNAT_URL, to the one.',
    )
  },
  advise: adviseOnXnat,
}

const sameAddress = (one: string, other: string) => plain(one) === plain(other)
const plain = (address: string) => (URL.parse(address)?.href ?? address).replace(/\/+$/, '')

export const autoArchive: SiteCheck = {
  name: 'auto-archive',
  needs: ['administrator'],
  async look(site) {
    const { projectAllowAutoArchive: isAllowed = true } = await getSiteSettings(site.xnat, within(site))
    if (isAllowed) return ok('projects may archive what arrives')
    // XNAT: then prearchive codes other than 0 are 403 (W/restlet/resources/ProjectResource.java).
    return failed(
      'is forbidden to projects: none can be provisioned',
      'Set projectAllowAutoArchive to true for the site.',
    )
  },
  advise: adviseOnXnat,
}

export const checksums: SiteCheck = {
  name: 'checksums',
  needs: ['administrator'],
  async look(site) {
    const { checksums: areKept = true } = await getSiteSettings(site.xnat, within(site))
    if (areKept) return ok('catalogs hold MD5 digests')
    return warning(
      'catalogs hold none: arrivals are proved by name and size alone',
      'Set checksums to true for the site.',
    )
  },
  advise: adviseOnXnat,
}

export const seriesFilter: SiteCheck = {
  name: 'series filter',
  needs: ['administrator'],
  async look(site) {
    const { enableSitewideSeriesImportFilter: isOn = false } = await getSiteSettings(site.xnat, within(site))
    if (!isOn) return ok('the site has none')
    return warning(
      'is on for the site: sessions that it leaves series out of fail as SESSION_INCOMPLETE when they are delivered',
      'Switch enableSitewideSeriesImportFilter off, or filter in projects that nothing is delivered to.',
    )
  },
  advise: adviseOnXnat,
}

/** As many as make it certain that a rule which fits only some of them is found. */
const passwordsTried = 100

export const newPasswords: SiteCheck = {
  name: 'new passwords',
  needs: ['administrator'],
  async look(site) {
    const { passwordComplexity: rule = '' } = await getSiteSettings(site.xnat, within(site))
    const pattern = compiled(rule)
    if (pattern === undefined) return { state: 'skipped', says: "the site's rule for them cannot be read here" }
    if (Array.from({ length: passwordsTried }, randomPassword).every((each) => pattern.test(each))) {
      return ok("those of new users fit the site's rule")
    }
    return failed(
      "those of new users, 15 characters with letters, digits and signs, do not fit the site's rule: no account can be made",
      'Loosen passwordComplexity: these passwords are never used, users set their own by invitation.',
    )
  },
  advise: adviseOnXnat,
}

// XNAT: the whole password has to fit, and anything does where there is no rule
// (XDAT/xdat/security/validators/RegExpValidator.java). Java's expressions are not quite JavaScript's.
function compiled(rule: string): RegExp | undefined {
  try {
    return rule.trim() === '' ? /^/ : new RegExp(`^(?:${rule})$`)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Those that nearly every cohort has. */
const commonTypes = ['xnat:mrSessionData', 'xnat:ctSessionData', 'xnat:petSessionData']

export const dataTypes: SiteCheck = {
  name: 'data types',
  needs: ['administrator'],
  async look(site) {
    const types = await listDataTypes(site.xnat, {}, within(site))
    const missing = commonTypes.filter(
      (wanted) => !types.some(({ xsiType, isSecured }) => xsiType === wanted && isSecured),
    )
    if (missing.length === 0) return ok('MR, CT and PET sessions are set up')
    return warning(
      `not set up: ${missing.join(', ')}; members of projects would not see such sessions`,
      'Set them up under Administer, Data Types.',
    )
  },
  advise: adviseOnXnat,
}
