// Misbehaviour that lasts until it is switched off again: `state.arrange({ ... })`, or POST /__stand-in/settings.
// What hits single requests is in faults.ts.
import * as z from 'zod'

export const pluginIds = ['dicom-query-retrieve', 'containers'] as const
export type PluginId = (typeof pluginIds)[number]

export const Switches = z.object({
  /** Every instance is thrown away on arrival, as an anonymization script may have it: an import is 200 and empty. */
  rejectInstances: z.boolean().default(false),
  /** How long a session stays in each of QUEUED_BUILDING, BUILDING, QUEUED_ARCHIVING and ARCHIVING. */
  sessionStepMs: z.number().nonnegative().default(0),
  /** The status that sessions in the prearchive do not leave by themselves. */
  prearchiveHangsIn: z.enum(['nowhere', 'RECEIVING', 'BUILDING', 'ARCHIVING']).default('nowhere'),
  directArchiveHangsIn: z.enum(['nowhere', 'RECEIVING', 'BUILDING', 'ARCHIVING']).default('nowhere'),
  /**
   * `moved`: a session that should have gone straight into the archive ends in the prearchive, with ERROR;
   * `left`: and even that fails, so that its row stays, with ERROR.
   */
  directArchiveFails: z.enum(['never', 'moved', 'left']).default('never'),
  /** Archiving fails with this text, for no fault of the data. Empty: it does not. */
  archivingFailsWith: z.string().default(''),
  /** Sessions arrive in the archive without their files, or without their scans. */
  emptyShells: z.enum(['never', 'without-files', 'without-scans']).default('never'),
  /** The PACS is out of reach: it is not pinged, not queried, and sends nothing. */
  pacsDown: z.boolean().default(false),
  /** How long the PACS takes to answer a query, in real time. */
  pacsAnswersAfterMs: z.number().nonnegative().default(0),
  /** The PACS finds letters whatever their case, as Orthanc does; patients' names it finds so anyway. */
  pacsFoldsCase: z.boolean().default(false),
  /** How long after a retrieve began its first object comes, and how long after that the last. */
  retrieveStepMs: z.number().nonnegative().default(0),
  /** What DQR makes of a retrieve that brought nothing: 2.4.1 and 3.1 call it FAILED, others leave it ISSUED for ever. */
  zeroFiles: z.enum(['FAILED', 'ISSUED']).default('FAILED'),
  /** Whether the site's processor that applies study scripts is there and enabled. */
  remappingProcessor: z.boolean().default(true),
  /** The plug-ins that are installed. */
  plugins: z.array(z.enum(pluginIds)).default([...pluginIds]),
  /** Data types that nobody has set up for access and search. */
  unregisteredTypes: z.array(z.string()).default([]),
  /** What containers would run on, if any ran. */
  containerHost: z.enum(['reachable', 'unreachable', 'none']).default('reachable'),
  /** What it says its version is. It answers as 1.8.11 all the same. */
  version: z.string().default('1.8.11'),
})
export type Switches = z.infer<typeof Switches>

export const noSwitches: Switches = Switches.parse({})
