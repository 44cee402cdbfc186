import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { DeliveryError, InvalidInputError, StorageError, XnatError } from '../../lib/errors.ts'
import { batchHandler, queueHandler } from '../../lib/handler.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { memoryQueue } from '../support/memory-queue.ts'
import { testWired } from '../support/wired.ts'

const Message = z.object({ id: z.string() })
const body = (id: string) => JSON.stringify({ id })

function rig(work: (id: string) => Promise<void>) {
  const source = { queue: memoryQueue(), deadLetters: memoryQueue() }
  const wired = testWired({ deliveries: source })
  const handler = queueHandler(
    { message: Message, source: ({ deliveries }) => deliveries, work: ({ id }) => work(id) },
    () => wired,
  )
  return {
    ...source,
    lines: wired.lines,
    handle: (event: ReturnType<typeof sqsEvent>) => handler(event, lambdaContext()),
  }
}

const failed = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) })

describe('a queue message', () => {
  it('that was worked on is done, and its neighbours too', async () => {
    const seen: string[] = []
    const { handle, queue, deadLetters } = rig(async (id) => void seen.push(id))

    expect(await handle(sqsEvent([body('a'), body('b')]))).toEqual(failed())
    expect([seen, queue.postponed, deadLetters.sent]).toEqual([['a', 'b'], [], []])
  })

  it('that can never succeed goes to the dead letters at once, with its code, and is done', async () => {
    const { handle, deadLetters } = rig(async (id) => {
      if (id === 'bad') throw new DeliveryError('no', { code: 'EXPERIMENT_NOT_FOUND' })
    })

    expect(await handle(sqsEvent([body('a'), body('bad'), body('c')], { group: 'g' }))).toEqual(failed())
    expect(deadLetters.sent).toMatchObject([
      { body: body('bad'), attributes: { code: 'EXPERIMENT_NOT_FOUND', group: 'g' }, group: 'message-1' },
    ])
  })

  it('that may succeed later is handed back, after a wait that grows', async () => {
    const { handle, queue, deadLetters } = rig(async () => {
      throw new StorageError('busy', { code: 'STORAGE_BUSY' })
    })

    expect(await handle(sqsEvent([body('a')], { receiveCount: 3 }))).toEqual(failed('message-0'))
    expect(deadLetters.sent).toEqual([])
    expect(queue.postponed).toMatchObject([{ receiptHandle: 'receipt-0' }])
    expect(queue.postponed[0]!.delayMs).toBeLessThanOrEqual(40_000)
  })

  it.each([
    { code: 'XNAT_UNAUTHORIZED', status: 401 },
    // XNAT: a site that has not been set up yet.
    { code: 'XNAT_FORBIDDEN', status: 403 },
  ] as const)('that met a refused sign-in is handed back, the account is at fault: $status', async (refusal) => {
    const { handle, deadLetters } = rig(async () => {
      throw new XnatError({ ...refusal, method: 'POST', pathTemplate: '/data/JSESSION' })
    })

    expect(await handle(sqsEvent([body('a')]))).toEqual(failed('message-0'))
    expect(deadLetters.sent).toEqual([])
  })

  it('that failed for an unknown reason is handed back too, and its log line does not quote the error', async () => {
    const { handle, lines } = rig(async () => {
      throw new Error('cannot read /data/SMITH^JOHN.dcm')
    })

    expect(await handle(sqsEvent([body('a')]))).toEqual(failed('message-0'))
    expect(JSON.stringify(lines)).not.toContain('SMITH')
    expect(lines).toMatchObject([{ message: 'message failed', code: 'UNEXPECTED', attempt: 1 }])
  })

  it.each(['not json', '{}', '{"id":1}', 'null', ''])(
    'that is not of the known shape is a dead letter: %j',
    async (text) => {
      const { handle, deadLetters } = rig(async () => undefined)

      expect(await handle(sqsEvent([text, body('a')]))).toEqual(failed())
      expect(deadLetters.sent).toMatchObject([{ body: text, attributes: { code: 'MESSAGE_NOT_UNDERSTOOD' } }])
    },
  )

  it('is handed back when it cannot be laid among the dead letters', async () => {
    const { handle, deadLetters } = rig(async () => {
      throw new InvalidInputError('no')
    })
    deadLetters.failNext(new StorageError('busy', { code: 'STORAGE_BUSY' }))

    expect(await handle(sqsEvent([body('a')]))).toEqual(failed('message-0'))
  })

  it('is handed back also when its wait cannot be set', async () => {
    const { handle, queue } = rig(async () => {
      throw new StorageError('busy', { code: 'STORAGE_BUSY' })
    })
    queue.failNext(new StorageError('busy', { code: 'STORAGE_BUSY' }))

    expect(await handle(sqsEvent([body('a')]))).toEqual(failed('message-0'))
  })
})

describe('a held message', () => {
  function heldRig(work: () => Promise<void>) {
    const source = { queue: memoryQueue(), deadLetters: memoryQueue() }
    const wired = testWired()
    const handler = queueHandler({ message: Message, source: () => source, isHeld: true, work }, () => wired)
    return { ...source, lines: wired.lines, handle: () => handler(sqsEvent([body('a')]), lambdaContext(600_000)) }
  }

  it('is hidden for a little longer than the function can live', async () => {
    const { queue, handle } = heldRig(async () => undefined)

    expect(await handle()).toEqual(failed())
    expect(queue.postponed).toMatchObject([{ receiptHandle: 'receipt-0' }])
    expect(queue.postponed[0]!.delayMs).toBeGreaterThan(600_000)
    expect(queue.postponed[0]!.delayMs).toBeLessThan(660_000)
  })

  it('that fails comes again after its own wait', async () => {
    const { queue, handle } = heldRig(() => Promise.reject(new StorageError('busy', { code: 'STORAGE_BUSY' })))

    expect(await handle()).toEqual(failed('message-0'))
    expect(queue.postponed).toHaveLength(2)
    expect(queue.postponed[1]!.delayMs).toBeLessThanOrEqual(10_000)
  })

  it('is worked on also when it cannot be held', async () => {
    const { queue, lines, handle } = heldRig(async () => undefined)
    queue.failNext(new StorageError('busy', { code: 'STORAGE_BUSY' }))

    expect(await handle()).toEqual(failed())
    expect(lines).toMatchObject([{ message: 'message not held', code: 'STORAGE_BUSY' }])
  })
})

describe('a batch', () => {
  it('fails whole when the work throws, and in part when the work says so', async () => {
    const source = { queue: memoryQueue(), deadLetters: memoryQueue() }
    const handler = (work: () => Promise<{ messageId: string; error: unknown; body?: string }[]>) =>
      batchHandler({ message: Message, source: () => source, work }, () => testWired())
    const event = sqsEvent([body('a'), body('b')])

    const thrown = handler(async () => {
      throw new StorageError('busy', { code: 'STORAGE_BUSY' })
    })
    expect(await thrown(event, lambdaContext())).toEqual(failed('message-0', 'message-1'))

    const part = handler(async () => [
      { messageId: 'message-1', error: new InvalidInputError('no', { code: 'KEY_NOT_UNDERSTOOD' }), body: 'part' },
    ])
    expect(await part(event, lambdaContext())).toEqual(failed())
    expect(source.deadLetters.sent).toMatchObject([{ body: 'part', attributes: { code: 'KEY_NOT_UNDERSTOOD' } }])
  })

  it('tells the work shortly before its time is over', async () => {
    const handler = queueHandler(
      {
        message: Message,
        source: ({ deliveries }) => deliveries,
        work: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
          }),
      },
      () => testWired(),
    )

    expect(await handler(sqsEvent([body('a')]), lambdaContext(2_100))).toEqual(failed('message-0'))
  })

  it('is answered in time also when the work does not heed the signal and SQS does not answer', async () => {
    const never = new Promise<never>(() => undefined)
    const source = {
      queue: { send: () => never, postpone: () => never },
      deadLetters: { send: () => never, postpone: () => never },
    }
    const handler = queueHandler({ message: Message, source: () => source, work: () => never }, () => testWired())
    const context = lambdaContext(2_100)

    expect(await handler(sqsEvent([body('a'), 'no JSON']), context)).toEqual(failed('message-0', 'message-1'))
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(0)
  })
})
