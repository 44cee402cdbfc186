import * as z from 'zod'
import { Backfill } from '../../../lib/services/backfill-deliveries.ts'
import { command } from '../command.ts'
import { exitCodes } from '../failure.ts'

export const backfill = command({
  words: 'backfill',
  summary: 'Sends every object below a prefix of the incoming bucket on the way that uploads take.',
  positionals: ['prefix'],
  options: {
    cursor: { type: 'string', value: 'KEY', about: 'go on behind this key, as an earlier run said when it broke off' },
  },
  input: z.object({ prefix: z.string(), cursor: z.string().optional() }),
  examples: [
    { about: 'what was in the bucket before the queue was', line: 'conduit backfill projects/P1/' },
    { about: 'one session again', line: 'conduit backfill projects/P1/subjects/S1/experiments/MR1/' },
  ],
  async run({ prefix, cursor }, { api, terminal, show }) {
    let objects = 0
    let next = cursor
    try {
      do {
        const body = { prefix, ...(next !== undefined && { cursor: next }) }
        const sent = await api.ask({ method: 'POST', path: '/deliveries/backfill', body, answer: Backfill })
        objects += sent.objects
        next = sent.cursor
        terminal.progress(`${objects} objects sent on their way`)
      } while (next !== undefined)
    } catch (error) {
      if (next !== undefined) terminal.tell(`${objects} objects were sent. Go on with --cursor ${quoted(next)}`)
      throw error
    }
    show({ objects }, () => `${objects} objects sent on their way. conduit dead-letters tells of those that fail.`)
    return exitCodes.done
  },
})

/** As a POSIX shell takes it for one word. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
