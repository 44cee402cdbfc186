// The site configuration as /xapi/siteConfig knows it: which names there are, who may read them, what they are worth
// (SiteConfigPreferences.java, site-config-access.yaml).
import type { Exchange, Xnat } from './exchange.ts'
import { formatInterval, parseInterval } from './interval.ts'
import { isAdmin } from './permissions.ts'
import type { SiteSettings } from './records.ts'

type Setting = keyof SiteSettings

/** Properties the stand-in acts on, by their name in XNAT where it is not the setting's own. */
const wired: Readonly<Record<string, Setting>> = {
  siteId: 'siteId',
  requireLogin: 'requireLogin',
  sessionTimeout: 'sessionTimeoutMs',
  concurrentMaxSessions: 'concurrentMaxSessions',
  maxFailedLogins: 'maxFailedLogins',
  maxFailedLoginsLockoutDuration: 'lockoutMs',
  aliasTokenTimeout: 'aliasTokenTimeoutMs',
  emailVerification: 'emailVerification',
  passwordComplexity: 'passwordComplexity',
  enableCsrfToken: 'enableCsrfToken',
  restrictUserListAccessToAdmins: 'restrictUserListAccessToAdmins',
  uiAllowNonAdminProjectCreation: 'uiAllowNonAdminProjectCreation',
  securityAllowNonPrivateProjects: 'securityAllowNonPrivateProjects',
  projectAllowAutoArchive: 'projectAllowAutoArchive',
  checksums: 'checksums',
}

/** Properties that are only kept. */
const defaults: Readonly<Record<string, unknown>> = {
  initialized: true,
  adminEmail: 'you@yoursite.org',
  primaryAdminUsername: 'admin',
  siteHome: '/screens/QuickSearch.vm',
  siteLogoPath: '/images/logo.png',
  receivedFileUser: 'admin',
  sessionXmlRebuilderInterval: 5,
  sessionXmlRebuilderRepeat: 60_000,
  sessionArchiveTimeoutInterval: 600,
  uiDefaultCompressedUploaderImporter: 'DICOM-zip',
  zipExtensions: 'zip,jar,rar,ear,gar,mrb',
  preventCrossModalityMerge: true,
  enableDicomReceiver: true,
  enableSitewideAnonymizationScript: true,
  sitewideAnonymizationScript: '',
  enableSitewideSeriesImportFilter: false,
  aliasTokenTimeoutSchedule: '0 0 * * * *',
  resetFailedLoginsSchedule: '0 0 * * * *',
  passwordExpirationType: 'Interval',
  passwordExpirationInterval: '1 year',
  interactiveAgentIds: ['.*MSIE.*', '.*Mozilla.*', '.*AppleWebKit.*', '.*Opera.*'],
  dataPaths: ['/xapi/**', '/data/**', '/REST/**', '/fs/**'],
  userRegistration: false,
  archivePath: '/data/xnat/archive',
  prearchivePath: '/data/xnat/prearchive',
  cachePath: '/data/xnat/cache',
}

const publicNames = new Set(['buildInfo', 'siteHome', 'siteId', 'siteLogoPath', 'siteUrl'])
const loggedInNames = new Set([
  ...['checksums', 'projectAllowAutoArchive', 'enableDicomReceiver', 'enableSitewideAnonymizationScript'],
  'enableSitewideSeriesImportFilter',
  ...['sitewideAnonymizationScript', 'sessionXmlRebuilderInterval', 'sessionXmlRebuilderRepeat', 'zipExtensions'],
  ...['uiAllowNonAdminProjectCreation', 'uiDefaultCompressedUploaderImporter'],
])

export function mayReadProperty(name: string, { user }: Pick<Exchange, 'user'>): boolean {
  if (publicNames.has(name) || isAdmin(user)) return true
  return user !== undefined && loggedInNames.has(name)
}

/** Every property by name. */
export function siteProperties({ state, siteUrl }: Xnat): Map<string, unknown> {
  const acted = Object.entries(wired).map(([name, setting]): [string, unknown] => [
    name,
    shown(state.settings, setting),
  ])
  const kept = state.siteProperties.all().map(({ name, value }): [string, unknown] => [name, value])
  return new Map([['siteUrl', siteUrl()], ...Object.entries(defaults), ...acted, ...kept])
}

/** XNAT: the site configuration is not strict; an unknown name is simply added. */
export function setSiteProperty({ state }: Xnat, name: string, value: unknown): void {
  const setting = wired[name]
  const read = setting === undefined ? undefined : settingFrom(state.settings[setting], setting, String(value))
  if (setting === undefined || read === undefined) state.siteProperties.put({ name, value })
  else state.configure({ [setting]: read })
}

function shown(settings: SiteSettings, setting: Setting): string | number | boolean {
  const value = settings[setting]
  return setting.endsWith('Ms') && typeof value === 'number' ? formatInterval(value) : value
}

function settingFrom(present: string | number | boolean, setting: Setting, text: string) {
  if (typeof present === 'boolean') return text.toLowerCase() === 'true'
  if (typeof present === 'string') return text
  if (setting.endsWith('Ms')) return parseInterval(text)
  return Number.isFinite(Number(text)) ? Number(text) : undefined
}
