// What the DICOM Query-Retrieve plug-in keeps (D:domain/entities of NrgXnat/dicom-query-retrieve).
import * as z from 'zod'

/** Columns of every entity of XNAT's framework (AbstractHibernateEntity.java). */
const entity = { id: z.number(), createdMs: z.number(), changedMs: z.number() }

export const Pacs = z.object({
  ...entity,
  aeTitle: z.string(),
  host: z.string(),
  label: z.string().optional(),
  queryable: z.boolean(),
  storable: z.boolean(),
  queryRetrievePort: z.number().optional(),
  defaultQueryRetrievePacs: z.boolean(),
  defaultStoragePacs: z.boolean(),
  ormStrategySpringBeanId: z.string(),
  supportsExtendedNegotiations: z.boolean(),
  dicomWebEnabled: z.boolean(),
  dicomWebRootUrl: z.string().optional(),
  dicomObjectIdentifier: z.string().optional(),
  retrieveLevel: z.enum(['STUDY', 'SERIES']).optional(),
  anonymizationEnabled: z.boolean(),
})
export type Pacs = z.infer<typeof Pacs>

export const weekdays = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const

/** When a PACS may be asked for studies. Times of day are `HH:mm`, an end of `00:00` is the end of the day. */
export const PacsAvailability = z.object({
  ...entity,
  pacsId: z.number(),
  dayOfWeek: z.enum(weekdays),
  availabilityStart: z.string(),
  availabilityEnd: z.string(),
  threads: z.number(),
  utilizationPercent: z.number(),
})
export type PacsAvailability = z.infer<typeof PacsAvailability>

export const PacsPing = z.object({ ...entity, pacsId: z.number(), successful: z.boolean(), pingTimeMs: z.number() })
export type PacsPing = z.infer<typeof PacsPing>

export const DqrProjectSettings = z.object({ ...entity, projectId: z.string(), dqrEnabled: z.boolean() })
export type DqrProjectSettings = z.infer<typeof DqrProjectSettings>

const request = {
  ...entity,
  pacsId: z.number(),
  username: z.string(),
  projectId: z.string(),
  requestId: z.string().optional(),
  studyInstanceUid: z.string(),
  seriesIds: z.array(z.string()),
  destinationAeTitle: z.string(),
  queuedTimeMs: z.number(),
  studyDate: z.string().optional(),
  studyId: z.string().optional(),
  accessionNumber: z.string().optional(),
  patientName: z.string().optional(),
  retrieveLevel: z.enum(['STUDY', 'SERIES']).optional(),
}

export const QueuedRequest = z.object({
  ...request,
  status: z.enum(['QUEUED', 'PROCESSING', 'ISSUED', 'FAILED']),
  priority: z.number(),
  patientId: z.string().optional(),
  remappingScript: z.string().optional(),
  retries: z.number().optional(),
})
export type QueuedRequest = z.infer<typeof QueuedRequest>

/** One attempt to retrieve. Its id is not that of the request it came from. */
export const ExecutedRequest = z.object({
  ...request,
  status: z.enum(['ISSUED', 'RECEIVED', 'FAILED']),
  executedTimeMs: z.number(),
  errorMessage: z.string().optional(),
})
export type ExecutedRequest = z.infer<typeof ExecutedRequest>

/** Which project a study belongs to while it is on its way: one for the whole site. */
export const StudyRouting = z.object({ studyInstanceUid: z.string(), projectId: z.string(), username: z.string() })
export type StudyRouting = z.infer<typeof StudyRouting>

/** How a study's headers are rewritten on arrival: one for the whole site. */
export const StudyScript = z.object({ studyInstanceUid: z.string(), script: z.string(), enabled: z.boolean() })
export type StudyScript = z.infer<typeof StudyScript>

/** An SCP receiver (DicomSCPInstance.java). */
export const Receiver = z.object({
  ...entity,
  aeTitle: z.string(),
  port: z.number(),
  identifier: z.string(),
  enabled: z.boolean(),
  customProcessing: z.boolean(),
  directArchive: z.boolean(),
  anonymizationEnabled: z.boolean(),
  whitelistEnabled: z.boolean(),
})
export type Receiver = z.infer<typeof Receiver>

export const DqrPreference = z.object({ name: z.string(), value: z.string() })
