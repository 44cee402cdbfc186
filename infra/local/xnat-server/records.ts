// What the stand-in remembers, one schema per kind of record. Journal lines pass these when they are read back.
import * as z from 'zod'

export const User = z.object({
  id: z.number(),
  username: z.string(),
  password: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  email: z.string(),
  enabled: z.boolean(),
  verified: z.boolean(),
  roles: z.array(z.string()),
  groups: z.array(z.string()),
  lastModifiedAtMs: z.number().optional(),
  lastLoginAtMs: z.number().optional(),
  /** An address that waits for its owner's confirmation. */
  pendingEmail: z.string().optional(),
})
export type User = z.infer<typeof User>

const Inserted = z.object({ at: z.string(), by: z.string() })
/** Absent until the first change. */
const ModifiedAt = z.string().optional()

export const Project = z.object({
  projectId: z.string(),
  secondaryId: z.string(),
  name: z.string(),
  aliases: z.array(z.string()),
  accessibility: z.enum(['public', 'protected', 'private']),
  prearchiveCode: z.number(),
  quarantineCode: z.number(),
  currentArc: z.string(),
  /** Everything else the project document holds, by its XML path: `description`, `PI/lastname`, ... */
  fields: z.record(z.string(), z.string()),
  inserted: Inserted,
})
export type Project = z.infer<typeof Project>

const Share = z.object({ projectId: z.string(), label: z.string() })

export const Subject = z.object({
  subjectId: z.string(),
  projectId: z.string(),
  label: z.string(),
  fields: z.record(z.string(), z.string()),
  shares: z.array(Share),
  inserted: Inserted,
  modifiedAt: ModifiedAt,
})
export type Subject = z.infer<typeof Subject>

/** An image session, another subject assessment, or an image assessor (then `sessionId` is set). */
export const Experiment = z.object({
  experimentId: z.string(),
  projectId: z.string(),
  label: z.string(),
  xsiType: z.string(),
  subjectId: z.string(),
  sessionId: z.string().optional(),
  fields: z.record(z.string(), z.string()),
  shares: z.array(Share),
  inserted: Inserted,
  modifiedAt: ModifiedAt,
})
export type Experiment = z.infer<typeof Experiment>

export const Scan = z.object({
  /** `xnat_imagescandata_id`: the row, as the scan ID is unique within its session only. */
  rowId: z.number(),
  sessionId: z.string(),
  scanId: z.string(),
  xsiType: z.string(),
  fields: z.record(z.string(), z.string()),
  inserted: Inserted,
})
export type Scan = z.infer<typeof Scan>

export const ResourceParent = z.object({
  level: z.enum(['project', 'subject', 'experiment', 'scan']),
  /** Project ID, accession ID, or a scan's row id. */
  id: z.string(),
  /** Set on the resources of an image assessor only. */
  direction: z.enum(['in', 'out']).optional(),
})
export type ResourceParent = z.infer<typeof ResourceParent>

export const Resource = z.object({
  resourceId: z.number(),
  label: z.string(),
  parent: ResourceParent,
  /** Folder of the catalog and its files, relative to the archive. */
  folder: z.string(),
  description: z.string(),
  format: z.string(),
  content: z.string(),
  tags: z.array(z.string()),
  fileCount: z.number().optional(),
  fileSize: z.number().optional(),
})
export type Resource = z.infer<typeof Resource>

// XNAT: names and defaults of SiteConfigPreferences.java, durations in milliseconds.
export const SiteSettings = z.object({
  siteId: z.string().default('XNAT'),
  requireLogin: z.boolean().default(true),
  sessionTimeoutMs: z.number().default(15 * 60_000),
  concurrentMaxSessions: z.number().default(1000),
  maxFailedLogins: z.number().default(20),
  lockoutMs: z.number().default(60 * 60_000),
  aliasTokenTimeoutMs: z.number().default(2 * 24 * 60 * 60_000),
  emailVerification: z.boolean().default(true),
  passwordComplexity: z.string().default('^.*$'),
  enableCsrfToken: z.boolean().default(true),
  restrictUserListAccessToAdmins: z.boolean().default(false),
  uiAllowNonAdminProjectCreation: z.boolean().default(true),
  securityAllowNonPrivateProjects: z.boolean().default(true),
  projectAllowAutoArchive: z.boolean().default(true),
  defaultPrearchiveCode: z.number().default(4),
  checksums: z.boolean().default(true),
  /** Minutes without a new file after which a session is built. */
  sessionXmlRebuilderInterval: z.number().default(5),
  preventCrossModalityMerge: z.boolean().default(true),
  uiDefaultCompressedUploaderImporter: z.string().default('DICOM-zip'),
})
export type SiteSettings = z.infer<typeof SiteSettings>

export const defaultSettings: SiteSettings = SiteSettings.parse({})
