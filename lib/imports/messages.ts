// What travels between the parts of an import: to the planner of a project, and from it to those who ask the PACS.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { OutgoingMessage, Queue } from '../aws/queue.ts'
import { parts } from '../in-parts.ts'

/** Where XNAT's DQR and the PACS left a study of a chunk. */
const outcomeCodes = [
  /** XNAT has it in DQR's queue. */
  'REQUESTED',
  'NOT_ON_PACS',
  'SEVERAL_STUDIES',
  'LEFT_OUT_BY_XNAT',
  /** XNAT failed at the query for this number, while it answered otherwise. */
  'QUERY_FAILED',
  // These take the attempt back: nothing was found out about the study.
  'PACS_UNREACHABLE',
  'PACS_UNKNOWN',
  'IMPORT_REFUSED',
  'LEASE_EXPIRED',
] as const
export type OutcomeCode = (typeof outcomeCodes)[number]

const Study = z.tuple([z.string(), z.string()])

const Outcome = z.object({
  accessionNumber: z.string(),
  code: z.enum(outcomeCodes),
  /** Its studies, as UID and session label, when the PACS was heard. */
  studies: z.array(Study).optional(),
})
export type Outcome = z.infer<typeof Outcome>

const projectId = z.string()

export const ImportMessage = z.discriminatedUnion('kind', [
  /** See where the project stands and ask for what is due. `asked`: hear the cohort's source again, with this query if given. */
  z.object({ kind: z.literal('look'), projectId, cause: z.enum(['asked', 'sweep']), query: z.string().optional() }),
  /** Take these into the cohort, and try each that is not there yet anew. */
  z.object({ kind: z.literal('name'), projectId, accessionNumbers: z.array(z.string()) }),
  z.object({ kind: z.literal('outcomes'), projectId, requestId: z.string(), outcomes: z.array(Outcome) }),
])
export type ImportMessage = z.infer<typeof ImportMessage>

/** Studies to be asked for in one import request. */
export const StudiesOrder = z.object({
  projectId,
  pacsId: z.int(),
  requestId: z.string(),
  /** When it was made, and when it is no longer to be acted on, in milliseconds since 1970. */
  atMs: z.int(),
  expiresAtMs: z.int(),
  /** Rows of DQR's history up to this ID are older than the order. */
  historyReadTo: z.int(),
  wanted: z.array(
    z.object({
      accessionNumber: z.string(),
      subjectLabel: z.string(),
      /** The labels its studies have had so far. */
      known: z.array(Study).optional(),
      /** Studies of it that are there or on their way, by UID. */
      settled: z.array(z.string()).optional(),
    }),
  ),
})
export type StudiesOrder = z.infer<typeof StudiesOrder>

/** The most studies that one order, and so one import request, may hold. */
export const maxStudiesPerOrder = 100

/**
 * Puts a project before the planner. Each call is a request of its own: looking once too often does no harm, and a
 * changed cohort must not be taken for the one before.
 */
export async function askForLook(imports: Queue, look: { projectId: string; query?: string }): Promise<void> {
  await imports.send([messageFor({ kind: 'look', cause: 'asked', ...look }, randomUUID())])
}

/** The sweep's word for a project; the same within one round, so that a sweep made twice is one. */
export const sweepMessage = (projectId: string, round: string) =>
  messageFor({ kind: 'look', cause: 'sweep', projectId }, `sweep-${round}-${projectId}`)

// Some 100 bytes each at most, as JSON: far below what a message may hold.
const namesPerMessage = 1_000

/** Hands accession numbers over by name, in as many messages as they need. */
export async function askByName(imports: Queue, projectId: string, accessionNumbers: readonly string[]): Promise<void> {
  const messageOf = (part: string[]) => messageFor({ kind: 'name', projectId, accessionNumbers: part }, randomUUID())
  await imports.send([...parts(accessionNumbers, namesPerMessage)].map(messageOf))
}

/** Tells the planner what became of an order. Sent again after a fault, it is dropped by the queue or by the planner. */
export async function reportOutcomes(
  imports: Queue,
  { projectId, requestId }: Pick<StudiesOrder, 'projectId' | 'requestId'>,
  outcomes: readonly Outcome[],
): Promise<void> {
  const message: ImportMessage = { kind: 'outcomes', projectId, requestId, outcomes: [...outcomes] }
  await imports.send([messageFor(message, `outcomes-${requestId}`)])
}

function messageFor(message: ImportMessage, deduplicationId: string): OutgoingMessage {
  return { body: JSON.stringify(message), group: message.projectId, deduplicationId }
}
