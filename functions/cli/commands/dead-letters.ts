import * as z from 'zod'
import { DeadLetterQueue, DeadLetters, Redrive } from '../../../lib/services/dead-letters.ts'
import { type CommandTools, command } from '../command.ts'
import { exitCodes, usageFailure } from '../failure.ts'

export const listDeadLetters = command({
  words: 'dead-letters list',
  shortForm: 'dead-letters',
  summary: 'Counts what could not be done and waits for somebody, by queue and reason.',
  positionals: [],
  options: {},
  input: z.object({}),
  examples: [{ about: 'what waits, for a script', line: 'conduit dead-letters list -o json' }],
  async run(_, { api, show }) {
    const answer = z.object({ queues: z.array(DeadLetters) })
    const { queues } = await api.ask({ method: 'GET', path: '/dead-letters', answer })
    show({ queues }, () => queues.map(queueText).join('\n'))
    return exitCodes.done
  },
})

function queueText({ queue, messages, seen, codes }: DeadLetters): string {
  const partly = seen < messages ? ` (${seen} of them looked at)` : ''
  const lines = codes.flatMap(({ code, messages: some, samples }) => [
    `  ${String(some).padStart(6)}  ${code}`,
    ...samples.map(({ sentAt, deliveryId, projectId, messageId }) =>
      ['         ', sentAt, projectId ?? '', deliveryId ?? `message ${messageId}`].join(' '),
    ),
  ])
  return [`${queue}: ${messages}${partly}`, ...lines].join('\n')
}

export const redriveDeadLetters = command({
  words: 'dead-letters redrive',
  summary: 'Hands dead letters in again: counts first, and moves them when told to.',
  positionals: ['queue'],
  options: {
    code: { type: 'string', multiple: true, value: 'CODE', about: 'only those with this reason; may be repeated' },
    'dry-run': { type: 'boolean', about: 'only count' },
    yes: { type: 'boolean', short: 'y', about: 'do not ask' },
  },
  input: z.object({
    queue: DeadLetterQueue,
    code: z.array(z.string()).optional(),
    'dry-run': z.boolean().default(false),
    yes: z.boolean().default(false),
  }),
  examples: [
    { about: 'which would be handed in again', line: 'conduit dead-letters redrive deliveries --dry-run' },
    {
      about: 'after the sessions were made in XNAT',
      line: 'conduit dead-letters redrive deliveries --code EXPERIMENT_NOT_FOUND --yes',
    },
  ],
  async run({ queue, code: codes, 'dry-run': dryRun, yes }, tools) {
    const { terminal, show, signal } = tools
    if (!dryRun && !yes && !terminal.isInteractive) throw usageFailure('nobody can be asked here: say --yes')
    const request = { queue, ...(codes !== undefined && { codes }) }
    terminal.progress('counting')
    const waiting = await redrive(tools, { ...request, dryRun: true })
    if (dryRun) {
      show(waiting, () => redriveText(waiting, 'would be handed in again'))
      return waiting.isComplete ? exitCodes.done : exitCodes.incomplete
    }
    if (waiting.messages > 0 && !yes) {
      terminal.tell(redriveText(waiting, 'would be handed in again'))
      if (!(await terminal.confirm('Hand them in?', signal))) return exitCodes.failed
    }
    const moved = await redriveAll(tools, request, waiting)
    show(moved, () => redriveText(moved, 'handed in again'))
    return moved.isComplete ? exitCodes.done : exitCodes.incomplete
  },
})

interface RedriveBody {
  queue: DeadLetterQueue
  codes?: readonly string[]
  dryRun: boolean
  before?: string
}

const redrive = ({ api }: CommandTools, body: RedriveBody) =>
  api.ask({ method: 'POST', path: '/dead-letters/redrive', body, answer: Redrive })

/** One request moves what it can in its time; further ones go on, with those alone that lay there when this began. */
async function redriveAll(
  tools: CommandTools,
  request: Omit<RedriveBody, 'dryRun' | 'before'>,
  { before, messages, isComplete }: Redrive,
): Promise<Redrive> {
  const about = isComplete ? messages : `more than ${messages}`
  const counts = new Map<string, number>()
  for (;;) {
    const turn = await redrive(tools, { ...request, dryRun: false, before })
    for (const { code, messages: some } of turn.codes) counts.set(code, (counts.get(code) ?? 0) + some)
    const codes = [...counts].map(([code, some]) => ({ code, messages: some }))
    const moved = codes.reduce((sum, { messages: some }) => sum + some, 0)
    tools.terminal.progress(`${moved} of ${about} handed in again`)
    if (turn.isComplete || turn.messages === 0) return { ...turn, codes, messages: moved }
  }
}

function redriveText({ messages, codes, isComplete }: Redrive, what: string): string {
  const rest = isComplete ? '' : ' There are more, which were not seen: ask again.'
  return [
    `${messages} ${what}.${rest}`,
    ...codes.map(({ code, messages: some }) => `  ${String(some).padStart(6)}  ${code}`),
  ].join('\n')
}
