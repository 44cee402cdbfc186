// A request handler for AWS SDK clients that notes what passes, and answers in S3's place where a test wants it to.
import { Readable } from 'node:stream'
import { agentHandler } from '../../lib/aws/agent-handler.ts'
import { createHttpAgent } from '../../lib/xnat/client.ts'

type Handler = ReturnType<typeof agentHandler>
export type WatchedRequest = Parameters<Handler['handle']>[0]

interface Answer {
  statusCode: number
  headers?: Record<string, string>
  body: string
}

export type WatchedHandler = Handler & {
  /** All requests, in their order. */
  requests: WatchedRequest[]
  /** What the next requests are answered with; beyond them they go to the server. */
  answers: Answer[]
}

export function watchedHandler(): WatchedHandler {
  const inner = agentHandler(createHttpAgent())
  const watched: WatchedHandler = {
    ...inner,
    requests: [],
    answers: [],
    async handle(request, options) {
      watched.requests.push(request)
      const answer = watched.answers.shift()
      if (answer === undefined) return inner.handle(request, options)
      const { statusCode, headers = {}, body } = answer
      return { response: { statusCode, headers, body: Readable.from([body]) } }
    },
  }
  return watched
}

export const s3Error = (statusCode: number, code: string): Answer => ({
  statusCode,
  body: `<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`,
})
