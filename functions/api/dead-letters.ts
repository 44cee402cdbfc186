import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import {
  DeadLetterQueue,
  DeadLetters,
  listDeadLetters,
  Redrive,
  redriveDeadLetters,
} from '../../lib/services/dead-letters.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

const readDeadLetters = route({
  method: 'GET',
  path: '/dead-letters',
  operationId: 'listDeadLetters',
  summary: 'Counts what could not be done and waits for somebody, by queue and reason.',
  request: z.object({}),
  answer: z.object({ queues: z.array(DeadLetters) }).meta({
    id: 'DeadLetters',
    description: 'SQS shows messages only by handing them out: while this is answered others do not see them.',
    example: {
      queues: [
        {
          queue: 'deliveries',
          messages: 1,
          seen: 1,
          codes: [
            {
              code: 'EXPERIMENT_NOT_FOUND',
              messages: 1,
              samples: [
                {
                  messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
                  sentAt: '2026-01-01T00:00:00.000Z',
                  deliveryId: '8232774399999-0123456789abcdef',
                  projectId: 'P1',
                },
              ],
            },
          ],
        },
      ],
    },
  }),
  errors: { 503: 'Storage is busy.' },
  run: async (_, tools) => ({ queues: await listDeadLetters(tools) }),
})

const redrive = route({
  method: 'POST',
  path: '/dead-letters/redrive',
  operationId: 'redriveDeadLetters',
  summary: 'Hands dead letters in again, or says which would be.',
  request: z.object({
    // Left out by a slip of the pen, `codes` would mean all letters.
    body: z
      .strictObject({
        queue: DeadLetterQueue,
        codes: z
          .array(z.string().regex(/^[A-Z0-9_]{1,64}$/))
          .min(1)
          .max(100)
          .optional()
          .meta({ description: 'Only letters with one of these reasons; all when left out.' }),
        dryRun: z.boolean().default(true).meta({ description: 'Only counts. Has to be false for anything to move.' }),
        before: z.iso
          .datetime({ offset: true })
          .transform((time) => new Date(time))
          .optional()
          .meta({ description: 'Only letters older than this; of the answer before, when asking again.' }),
      })
      .meta({ id: 'RedriveRequest', example: { queue: 'deliveries', codes: ['EXPERIMENT_NOT_FOUND'], dryRun: true } }),
  }),
  answer: Redrive.meta({
    id: 'Redrive',
    example: {
      queue: 'deliveries',
      dryRun: true,
      messages: 1,
      codes: [{ code: 'EXPERIMENT_NOT_FOUND', messages: 1 }],
      isComplete: true,
      before: '2026-01-01T00:00:00.000Z',
    },
  }),
  errors: { 503: 'Storage is busy.' },
  run: ({ body }, { deadLetters, uploads, deliveries, imports, studies, exports, signal }) => {
    const sources = {
      uploads: uploads.queue,
      deliveries: deliveries.queue,
      imports: imports.queue,
      studies: studies.queue,
      exports: exports.queue,
    }
    return redriveDeadLetters({ deadLetters, sources, signal }, body)
  },
})

export const routes = [readDeadLetters, redrive]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
