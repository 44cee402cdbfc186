// Looks through all that leaves the functions but for their work: logs, metrics, errors, headers, and what queues show.
import type { OutgoingMessage } from '../../lib/aws/queue.ts'
import type { ApiReply } from './api-requests.ts'
import type { Markers } from './markers.ts'

export interface Watch {
  /** Searches one text, and remembers which fields came out where. */
  look(channel: string, where: string, text: string): void
  /** An answer: its headers always, its body when it is an error; successes may tell labels, and no secrets. */
  lookAtReply(where: string, reply: ApiReply): void
  /** What operators see of a message. Its body is for the function that it is sent to. */
  lookAtMessage(where: string, message: OutgoingMessage): void
  /** `channel, where: fields`, once each. */
  leaks(): string[]
  /** How much text there was in each channel: what is never fed finds nothing. */
  sizes(): Record<string, number>
}

const secrets = new Set([
  'XNAT password',
  'XNAT session',
  'service key',
  'AES key',
  "user's password",
  'bearer token',
  'cookie',
])

export function createWatch(markers: Markers): Watch {
  const found = new Set<string>()
  const sizes: Record<string, number> = {}
  const search = (channel: string, where: string, text: string, isMeant: (field: string) => boolean = () => true) => {
    sizes[channel] = (sizes[channel] ?? 0) + text.length
    const fields = markers.findIn(text).filter(isMeant)
    if (fields.length > 0) found.add(`${channel}, ${where}: ${fields.join(', ')}`)
  }
  return {
    look: search,
    lookAtReply(where, { status, headers, text }) {
      search('headers', where, JSON.stringify(headers))
      if (status >= 400) search('error bodies', where, text)
      else search('answers', where, text, (field) => secrets.has(field))
    },
    lookAtMessage(where, { body: _, ...visible }) {
      search('queues', where, JSON.stringify(visible))
    },
    leaks: () => [...found],
    sizes: () => sizes,
  }
}
