// What administrators have set for the whole site.
import * as z from 'zod'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { filePath, xnatPath } from './path.ts'

// XNAT: a preference that was set comes as text, one that never was as what it is (AbstractPreferenceBean.java get).
const flag = z.union([z.boolean(), z.stringbool()])

/** By XNAT's names and defaults (XDAT/xdat/preferences/SiteConfigPreferences.java). A version leaves out what it has not. */
const SiteSettings = z
  .object({
    /** Where links in mails lead, and where XNAT sends browsers. */
    siteUrl: z.string(),
    /** Sessions that one account may have at a time. */
    concurrentMaxSessions: z.coerce.number(),
    /** `Interval`, `Date` or `Disabled`. */
    passwordExpirationType: z.string(),
    /** A regular expression that the whole of a password has to fit. */
    passwordComplexity: z.string(),
    /** Whether projects may archive what arrives without being asked. */
    projectAllowAutoArchive: flag,
    /** Whether catalogs hold MD5 digests. */
    checksums: flag,
    enableSitewideSeriesImportFilter: flag,
    /** Whether any DICOM receiver listens. */
    enableDicomReceiver: flag,
  })
  .partial()
export type SiteSettings = z.infer<typeof SiteSettings>

/** The settings of the site that matter to those who bring data. Administrators only. */
export async function getSiteSettings(client: XnatClient, options: CallOptions = {}): Promise<SiteSettings> {
  // XNAT: the whole configuration at once would set the site's address on a site that is not set up yet, and is not
  // asked for (X/rest/settings/SiteConfigApi.java getSiteConfigProperties).
  const names = filePath(Object.keys(SiteSettings.shape).join(','))
  return client.json(SiteSettings, { method: 'GET', path: xnatPath`/xapi/siteConfig/values/${names}`, ...options })
}

const Plugin = z.object({ id: z.string(), version: z.string().optional() })
export type Plugin = z.infer<typeof Plugin>

/** The plug-in of this ID, such as `dicom-query-retrieve` or `containers`, or `undefined`. */
export async function findPlugin(
  client: XnatClient,
  pluginId: string,
  options: CallOptions = {},
): Promise<Plugin | undefined> {
  return client.find(Plugin, { method: 'GET', path: xnatPath`/xapi/plugins/${pluginId}`, ...options })
}
