import * as z from 'zod'
import { type CommandTools, command } from '../command.ts'
import { type DeliverDeps, deliverPlan, missingOf, type SortedPlan, sortPlan } from '../deliver/deliver-plan.ts'
import { listFolder } from '../deliver/folder.ts'
import { planDelivery } from '../deliver/plan.ts'
import { readableBytes } from '../deliver/progress.ts'
import { exitCodeOf, reportOf, reportText, sizeOf } from '../deliver/report.ts'
import { uploadJournal } from '../deliver/upload-journal.ts'
import { type ExitCode, exitCodes } from '../failure.ts'
import { openIncoming, storageFailure } from '../storage.ts'

const XsiType = z.string().regex(/^[A-Za-z][A-Za-z0-9]*:[A-Za-z][A-Za-z0-9]*$/, 'is no data type of XNAT')

export const deliver = command({
  words: 'deliver',
  summary: "Sends a folder's files by way of S3, and waits until XNAT is proved to have each of them.",
  positionals: ['dir'],
  options: {
    to: { type: 'string', value: 'PREFIX', about: "what the keys begin with, XNAT's own path: projects/P/..." },
    'xsi-type': { type: 'string', value: 'TYPE', about: 'of what is missing on the way, such as xnat:mrSessionData' },
    'scan-xsi-type': { type: 'string', value: 'TYPE', about: "of new scans, where it does not follow the session's" },
    again: { type: 'boolean', about: 'send all, also what is there' },
    'no-follow': { type: 'boolean', about: 'end when all is sent, without waiting for XNAT' },
    patience: { type: 'string', value: 'MINUTES', about: 'give up waiting when nothing has moved for so long (120)' },
    'dry-run': { type: 'boolean', about: 'only say what would be sent' },
  },
  input: z.object({
    dir: z.string().min(1),
    to: z.string({ error: 'is wanted: projects/P/...' }),
    'xsi-type': XsiType.optional(),
    'scan-xsi-type': XsiType.optional(),
    again: z.boolean().default(false),
    'no-follow': z.boolean().default(false),
    patience: z.coerce.number().positive().default(120),
    'dry-run': z.boolean().default(false),
  }),
  examples: [
    {
      about: 'the files of a scan, in a session that is made when it is missing',
      line: 'conduit deliver scan-1/ --to projects/P1/subjects/S1/experiments/MR1/scans/1/resources/DICOM/files/ --xsi-type xnat:mrSessionData',
    },
    {
      about: 'DICOM as a whole session: XNAT reads the headers',
      line: 'conduit deliver study/ --to projects/P1/subjects/S1/experiments/MR1/dicom/',
    },
    { about: 'a folder that is laid out as the keys are', line: 'conduit deliver export/ --to projects/P1/ --dry-run' },
  ],
  async run({ dir, to, again: isAgain, patience, 'no-follow': isLeft, 'dry-run': isDry, ...types }, tools) {
    const { terminal, profile, stateFolder, show, signal } = tools
    const plan = planDelivery(to, await listFolder(dir))
    const bucket = openIncoming(profile)
    const journal = uploadJournal(stateFolder, bucket.name)
    const deps = { ...tools, bucket, journal, metadata: metadataOf(types) }
    try {
      const sorted = await sortPlan(deps, plan, { isAgain })
      if (isDry) return foretell(sorted, tools)
      const outcome = await deliverPlan(deps, sorted, { isFollowed: !isLeft, patienceMs: patience * 60_000 })
      const report = reportOf(outcome)
      show(report, () => reportText(report))
      return isLeft ? exitCodes.done : exitCodeOf(report)
    } catch (error) {
      if (signal.aborted) terminal.tell('Broken off. The same command goes on from here.')
      throw storageFailure(error, bucket.name)
    } finally {
      bucket.close()
    }
  },
})

function metadataOf(types: Readonly<Record<string, string | undefined>>): DeliverDeps['metadata'] {
  return Object.fromEntries(Object.entries(types).flatMap(([name, type]) => (type === undefined ? [] : [[name, type]])))
}

function foretell(sorted: SortedPlan, { show }: CommandTools): ExitCode {
  const { files } = sorted.plan
  const missing = missingOf(sorted)
  const result = {
    files: files.length,
    toSend: missing.map(({ name, key, sizeBytes }) => ({ name, key, sizeBytes })),
    toSendBytes: sizeOf(missing),
  }
  show(result, () =>
    [
      ...missing.map(({ key }) => key),
      `${missing.length} of ${files.length} files would be sent (${readableBytes(result.toSendBytes)}).`,
    ].join('\n'),
  )
  return exitCodes.done
}
