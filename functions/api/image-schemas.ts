// What uploads and downloads of training clients have in common, in FLIP's names.
import * as z from 'zod'
import { type Job, JobState } from '../../lib/images/job.ts'

/** Judged by the service: FLIP answers 400 where it would lead out of its folder. */
export const NetId = z.string().meta({ description: 'The federated network that asks.', example: 'default' })

// Sealed with the public key of FLIP's own test vectors: it opens nowhere else.
export const sealedExample =
  'eyJ2IjogMSwgImtpZCI6ICJzaGFyZWQiLCAiaXYiOiAiRUJFU0V4UVZGaGNZR1JvYiIsICJjdCI6ICJUcGlxZEhHcUM5Ym5RbXdwYmxSZE11SmxZemQ2OGpLYzBaclRBMnd4Wjcxa2lHSmg5RzBhc1o4VEtmcm0xek9YdE1hSm9nPT0ifQ=='

export const SealedProjectId = z.string().meta({ description: "The hub's id of the project, as the hub sealed it." })

/** RFC 7240. */
export const Preference = z.object({
  prefer: z.string().optional().meta({ description: '`respond-async`: do not wait for the end.', example: 'wait=20' }),
})

const isAsync = /(?:^|,)\s*respond-async\s*(?:[;,]|$)/i

/** How long to wait for the end of what was asked for. */
export const patienceMs = ({ prefer = '' }: z.output<typeof Preference>, answerWithinMs: number) =>
  isAsync.test(prefer) ? 0 : answerWithinMs

const count = (what: string) => z.int().nonnegative().meta({ description: what })

export const Standing = z.object({
  state: JobState,
  code: z
    .string()
    .optional()
    .meta({ description: 'Why it failed; while it is queued, why the last try did, which is made again.' }),
  files: count('Of all files.'),
  filesDone: count('As far as they are through.'),
  bytes: count('Of all files; 0 until they are known.'),
  bytesDone: count('As far as they are through.'),
  updatedAt: z.iso.datetime(),
})

export const standingExample: z.infer<typeof Standing> = {
  state: 'running',
  files: 500,
  filesDone: 120,
  bytes: 1_073_741_824,
  bytesDone: 257_698_037,
  updatedAt: '2026-01-01T00:00:01.500Z',
}

export const standingOf = ({ state, code, done, total, updatedAt }: Job<unknown>): z.infer<typeof Standing> => ({
  state,
  code,
  files: total.files,
  filesDone: done.files,
  bytes: total.bytes,
  bytesDone: done.bytes,
  updatedAt,
})
