// What a delivery came to, for people and for scripts.
import { type ExitCode, exitCodes } from '../failure.ts'
import type { PlannedFile } from './plan.ts'
import { readableBytes } from './progress.ts'
import type { Standing } from './standing.ts'

export interface Outcome {
  files: readonly PlannedFile[]
  /** Those that this run put into the bucket. */
  sent: ReadonlySet<PlannedFile>
  standings: ReadonlyMap<PlannedFile, Standing>
}

export interface Report {
  files: number
  bytes: number
  sent: number
  sentBytes: number
  verified: number
  /** XNAT has them as far as it can be told, where same-named files are replaced (DICOM_OVERWRITE). */
  unproved: number
  failed: { name: string; code: string; deliveryId: string }[]
  /** Names of those of which nothing is known yet. */
  pending: string[]
}

export function reportOf({ files, sent, standings }: Outcome): Report {
  const count = (kind: Standing['kind']) => [...standings.values()].filter((standing) => standing.kind === kind).length
  return {
    files: files.length,
    bytes: sizeOf(files),
    sent: sent.size,
    sentBytes: sizeOf([...sent]),
    verified: count('verified'),
    unproved: count('unproved'),
    failed: [...standings].flatMap(([{ name }, standing]) =>
      standing.kind === 'failed' ? [{ name, code: standing.code, deliveryId: standing.deliveryId }] : [],
    ),
    pending: files.filter((file) => !standings.has(file)).map(({ name }) => name),
  }
}

export const sizeOf = (files: readonly PlannedFile[]) => files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

export function exitCodeOf({ failed, pending, unproved }: Report): ExitCode {
  if (failed.length > 0) return exitCodes.failed
  return pending.length > 0 || unproved > 0 ? exitCodes.incomplete : exitCodes.done
}

const namesShown = 10

export function reportText({ files, bytes, sent, sentBytes, verified, unproved, failed, pending }: Report): string {
  return [
    `${files} ${files === 1 ? 'file' : 'files'} (${readableBytes(bytes)}), ${sent} of them sent now (${readableBytes(sentBytes)}): ${verified} verified in XNAT.`,
    ...(unproved > 0 ? [`${unproved} are in XNAT as far as can be told: DICOM_OVERWRITE=replace proves no more.`] : []),
    ...(pending.length > 0
      ? [
          `${pending.length} are in S3, and nothing is known of them yet:`,
          ...shown(pending),
          '  The same command waits on. What may hold them up: conduit doctor, conduit dead-letters',
        ]
      : []),
    ...[...Map.groupBy(failed, ({ code }) => code)].flatMap(([code, some]) => [
      `${some.length} failed with ${code}:`,
      ...shown(some.map(({ name }) => name)),
      `  After the cure: conduit dead-letters redrive deliveries --code ${code}`,
    ]),
  ].join('\n')
}

function shown(names: readonly string[]): string[] {
  const more = names.length > namesShown ? [`  and ${names.length - namesShown} more`] : []
  return [...names.slice(0, namesShown).map((name) => `  ${name}`), ...more]
}
