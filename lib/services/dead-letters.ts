// What could not be done and waits in the dead-letter queues: counted by its code, and handed in again.
import * as z from 'zod'
import type { OutgoingMessage, Queue } from '../aws/queue.ts'
import type { QueueReader, ReceivedMessage } from '../aws/queue-reader.ts'
import { AnyOrder } from '../delivery/order.ts'
import { parseJson } from '../json.ts'

export const DeadLetterQueue = z.enum(['uploads', 'deliveries', 'imports', 'studies', 'exports'])
export type DeadLetterQueue = z.infer<typeof DeadLetterQueue>

const Sample = z.object({
  messageId: z.string(),
  sentAt: z.iso.datetime(),
  /** Of a delivery order; its receipt is under this id. */
  deliveryId: z.string().optional(),
  /** As the keys spell it. */
  projectId: z.string().optional(),
})

export const DeadLetters = z.object({
  queue: DeadLetterQueue,
  /** By SQS's rough count. */
  messages: z.int().nonnegative(),
  /** How many were looked at for the counts by code. */
  seen: z.int().nonnegative(),
  codes: z.array(z.object({ code: z.string(), messages: z.int().positive(), samples: z.array(Sample) })),
})
export type DeadLetters = z.infer<typeof DeadLetters>

interface LookOptions {
  signal: AbortSignal
  now?: () => Date
}

/** How many letters one look takes in, how many of each code it shows, and how long it may take. */
const look = { letters: 1_000, samples: 3, ms: 8_000 }

/**
 * Counts what lies in each dead-letter queue, by code, with some samples. SQS cannot show a message without receiving it,
 * so letters are hidden from others while they are looked at, for seconds. What `seen` says is less than all when there
 * are very many, and of letters that SQS itself moved: a few of a FIFO group hide the others.
 */
export async function listDeadLetters(
  deps: LookOptions & { deadLetters: Readonly<Record<DeadLetterQueue, QueueReader>> },
): Promise<DeadLetters[]> {
  return Promise.all(
    DeadLetterQueue.options.map(async (queue) => {
      const reader = deps.deadLetters[queue]
      const messages = await reader.count({ signal: deps.signal })
      if (messages === 0) return { queue, messages, seen: 0, codes: [] }
      const letters: ReceivedMessage[] = []
      await lookThrough(
        reader,
        { ...deps, ms: look.ms, isEnough: () => letters.length >= look.letters },
        async (some) => {
          letters.push(...some)
          return some
        },
      )
      return { queue, messages: Math.max(messages, letters.length), seen: letters.length, codes: byCode(letters) }
    }),
  )
}

export interface RedriveRequest {
  queue: DeadLetterQueue
  /** Only letters with one of these codes; all when left out. */
  codes?: readonly string[] | undefined
  /** Only counts what would be moved. */
  dryRun: boolean
  /** Only letters that lay there at this time; now when left out. */
  before?: Date | undefined
}

export const Redrive = z.object({
  queue: DeadLetterQueue,
  dryRun: z.boolean(),
  messages: z.int().nonnegative().meta({ description: 'How many were moved, or would be.' }),
  codes: z.array(z.object({ code: z.string(), messages: z.int().positive() })),
  /** Otherwise time was over, or some lie behind letters of their FIFO group that stay: asking with those too goes on. */
  isComplete: z.boolean().meta({ description: 'Whether all letters were seen. Otherwise ask again: it goes on.' }),
  before: z.iso.datetime().meta({
    description:
      'Only letters older than this count. Sent along when asking again, it leaves out those that died anew.',
  }),
})
export type Redrive = z.infer<typeof Redrive>

/** An HTTP request has 29 seconds. */
const redriveMs = 18_000

/**
 * Moves dead letters back into the queue that they came from, as they are. Each is sent before it is deleted, so that
 * none is lost; sent twice, the second finds its work done. What dies again meanwhile stays for the next time.
 */
export async function redriveDeadLetters(
  deps: LookOptions & {
    deadLetters: Readonly<Record<DeadLetterQueue, QueueReader>>
    sources: Readonly<Record<DeadLetterQueue, Queue>>
  },
  { queue, codes, dryRun, before = (deps.now ?? (() => new Date()))() }: RedriveRequest,
): Promise<Redrive> {
  const reader = deps.deadLetters[queue]
  const chosen: ReceivedMessage[] = []
  const isChosen = (letter: ReceivedMessage) =>
    letter.sentAt <= before && (codes === undefined || codes.includes(codeOf(letter)))
  const isComplete = await lookThrough(reader, { ...deps, ms: redriveMs, isEnough: () => false }, async (letters) => {
    const some = letters.filter(isChosen)
    chosen.push(...some)
    if (dryRun || some.length === 0) return letters
    await deps.sources[queue].send(some.map(messageAgain))
    await reader.remove(some.map(({ receiptHandle }) => receiptHandle))
    return letters.filter((letter) => !some.includes(letter))
  })
  const counts = byCode(chosen).map(({ code, messages }) => ({ code, messages }))
  return { queue, dryRun, codes: counts, messages: chosen.length, isComplete, before: before.toISOString() }
}

/** Longer than a look takes, so that no letter comes twice; and no longer, for when the looking dies. */
const hiddenSeconds = 30

/**
 * Receives letters until none comes, time is over or it is enough. `take` gives back those that stay; they are shown
 * again at the end. Tells whether all were seen, as far as SQS can count.
 */
async function lookThrough(
  reader: QueueReader,
  { signal, now = () => new Date(), ms, isEnough }: LookOptions & { ms: number; isEnough: () => boolean },
  take: (letters: ReceivedMessage[]) => Promise<readonly ReceivedMessage[]>,
): Promise<boolean> {
  const endsAt = now().getTime() + ms
  const hidden = new Set<string>()
  try {
    while (now().getTime() < endsAt && !isEnough()) {
      const letters = await reader.receive({ hiddenSeconds, signal })
      // None also comes when the rest waits behind hidden letters of its group: those that SQS itself moved share one.
      if (letters.length === 0) return (await reader.count({ signal })) <= hidden.size
      for (const { receiptHandle } of letters) hidden.add(receiptHandle)
      const staying = new Set((await take(letters)).map(({ receiptHandle }) => receiptHandle))
      for (const { receiptHandle } of letters) if (!staying.has(receiptHandle)) hidden.delete(receiptHandle)
    }
    return false
  } finally {
    await reader.release([...hidden])
  }
}

/** SQS itself moves messages whose tries are spent, and says nothing with them. */
const codeOf = ({ attributes }: ReceivedMessage) => attributes['code'] ?? 'TRIES_SPENT'

function byCode(letters: readonly ReceivedMessage[]): DeadLetters['codes'] {
  return [...Map.groupBy(letters, codeOf)]
    .map(([code, some]) => ({ code, messages: some.length, samples: some.slice(0, look.samples).map(sampleOf) }))
    .toSorted((a, b) => b.messages - a.messages || (a.code < b.code ? -1 : 1))
}

/** What the messages of imports say of themselves. */
const OfProject = z.object({ projectId: z.string() })

/** Of a letter what holds no label and no key. */
function sampleOf({ messageId, sentAt, body }: ReceivedMessage): z.infer<typeof Sample> {
  // Letters that are not JSON exist, and count like the others.
  const content = parseJson(body)
  const order = AnyOrder.safeParse(content).data
  const projectId = order?.target.projectId ?? OfProject.safeParse(content).data?.projectId
  return { messageId, sentAt: sentAt.toISOString(), deliveryId: order?.deliveryId, projectId }
}

function messageAgain({ messageId, body, group, attributes }: ReceivedMessage): OutgoingMessage {
  // Letters lie each in a group of its own, and remember the one that they came from (lib/handler.ts).
  const original = attributes['group'] ?? group
  return { body, ...(original !== undefined && { group: original, deduplicationId: `redrive-${messageId}` }) }
}
