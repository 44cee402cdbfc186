import { errorFields, type Logger } from './log.ts'

/**
 * Has this process say its code and nothing else when it dies of an error that nobody caught. Node.js and Lambda's
 * runtime would print the error with its message and all its fields, which may quote names, queries and payloads
 * (aws-lambda-nodejs-runtime-interface-client, index.mjs and Errors.js); their listeners are taken away.
 */
export function keepLastWordsShort(log: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.removeAllListeners(event)
    process.on(event, (error: unknown) => {
      log.error('error not caught', errorFields(error))
      // Lambda: the invocation fails as one whose process ended, and its messages are handed in again.
      process.exit(1)
    })
  }
}
