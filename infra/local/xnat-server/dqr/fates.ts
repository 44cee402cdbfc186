// What becomes of a study of the simulated PACS when it is retrieved. Site-wide misfortunes are in ../switches.ts.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { State } from '../state.ts'
import type { PacsStudy } from './pacs-study.ts'

/** How many retrieves it befalls, counted from when it was decreed; later ones go well. */
const attempts = (usual: number) => z.number().int().positive().default(usual)
const forEver = 1_000_000

const brokenMove = {
  afterInstances: z.number().int().nonnegative().default(0),
  message: z.string().default('C-MOVE failed with status a702: Refused: out of resources'),
}

export const Fate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('arrives') }),
  /** The PACS reports success and sends nothing. `history`: what DQR makes of it, where not what `zeroFiles` says. */
  z.strictObject({
    kind: z.literal('sends-nothing'),
    attempts: attempts(forEver),
    history: z.enum(['FAILED', 'ISSUED']).optional(),
  }),
  z.strictObject({ kind: z.literal('move-fails'), attempts: attempts(forEver), ...brokenMove }),
  /** Each retrieve by itself, decided by `seed`, the study and the number of the retrieve: the same in every run. */
  z.strictObject({
    kind: z.literal('move-fails-sometimes'),
    probability: z.number().min(0).max(1),
    seed: z.string().default(''),
    ...brokenMove,
  }),
  /**
   * The PACS neither sends nor ends: the request is PROCESSING for ever. `losesThread`: as if XNAT had been stopped in
   * the midst of it, which leaves the request so and no thread with it.
   */
  z.strictObject({
    kind: z.literal('move-hangs'),
    attempts: attempts(forEver),
    afterInstances: brokenMove.afterInstances,
    losesThread: z.boolean().default(false),
  }),
  /** It comes, and its session in the prearchive, or its direct-archive row, does not leave this status by itself. */
  z.strictObject({
    kind: z.literal('gets-stuck'),
    in: z.enum(['RECEIVING', 'BUILDING', 'ARCHIVING']),
    attempts: attempts(1),
  }),
  /** It comes, and its session is archived without its files, or without its scans. */
  z.strictObject({ kind: z.literal('empty-shell'), without: z.enum(['files', 'scans']), attempts: attempts(1) }),
])
export type Fate = z.infer<typeof Fate>

/** What befalls the retrieve that is under way, or was the last. */
export function presentFate({ fate, fatedAfter, attempts: retrieves }: PacsStudy): Fate {
  return 'attempts' in fate && retrieves - fatedAfter > fate.attempts ? { kind: 'arrives' } : fate
}

/** Decrees a fate for studies, all of them unless some are named, and returns how many. What has arrived stays. */
export function decree(state: State, fate: z.input<typeof Fate>, accessionNumbers?: readonly string[]): number {
  const { pacsStudies } = state.dqr
  const decreed = Fate.parse(fate)
  const wanted = accessionNumbers && new Set(accessionNumbers)
  const studies = pacsStudies.all().filter(({ accessionNumber }) => wanted?.has(accessionNumber) ?? true)
  for (const study of studies) pacsStudies.put({ ...study, fate: decreed, fatedAfter: study.attempts })
  return studies.length
}

/** Whether a session of that study does not leave this status by itself. */
export function isStuck(state: State, studyInstanceUid: string, status: string): boolean {
  const fate = fateOf(state, studyInstanceUid)
  return fate?.kind === 'gets-stuck' && fate.in === status
}

/** What a session of that study lacks in the archive, by its own fate or by the site's switch. */
export function lackOf(state: State, studyInstanceUid: string): 'files' | 'scans' | 'nothing' {
  const fate = fateOf(state, studyInstanceUid)
  if (fate?.kind === 'empty-shell') return fate.without
  const { emptyShells } = state.switches
  return emptyShells === 'never' ? 'nothing' : emptyShells === 'without-files' ? 'files' : 'scans'
}

/** What DQR makes of a retrieve of that study that brought nothing. */
export function zeroFilesStatus(state: State, studyInstanceUid: string): 'FAILED' | 'ISSUED' {
  const fate = fateOf(state, studyInstanceUid)
  return (fate?.kind === 'sends-nothing' ? fate.history : undefined) ?? state.switches.zeroFiles
}

/** How the present retrieve of a study breaks off; undefined when it does not. */
export function breakOf(study: PacsStudy): Extract<Fate, { afterInstances: number }> | undefined {
  const fate = presentFate(study)
  if (fate.kind === 'move-fails-sometimes') return isUnlucky(study, fate) ? fate : undefined
  return fate.kind === 'move-fails' || fate.kind === 'move-hangs' ? fate : undefined
}

function isUnlucky(
  { studyInstanceUid, attempts: retrieves }: PacsStudy,
  { probability, seed }: Extract<Fate, { kind: 'move-fails-sometimes' }>,
): boolean {
  const digest = createHash('sha256').update(`${seed} ${studyInstanceUid} ${retrieves}`).digest()
  return digest.readUInt32BE(0) / 2 ** 32 < probability
}

function fateOf({ dqr }: State, studyInstanceUid: string): Fate | undefined {
  const study = dqr.pacsStudies.get(studyInstanceUid)
  return study && presentFate(study)
}
