// What the runner and its execution environments say to each other. Events and results travel as JSON text,
// as between Lambda and its runtimes, so that a Date or an `undefined` becomes here what it becomes there.

import * as z from 'zod'

export const Invocation = z.object({
  requestId: z.string(),
  event: z.string(),
  /** Milliseconds since 1970. */
  deadline: z.number(),
  context: z.object({
    functionName: z.string(),
    functionVersion: z.string(),
    invokedFunctionArn: z.string(),
    memoryLimitInMB: z.string(),
    logGroupName: z.string(),
    logStreamName: z.string(),
  }),
})
export type Invocation = z.infer<typeof Invocation>

/** A failure in the shape that Lambda's runtimes report. */
export const FunctionFailure = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()).default([]),
})
export type FunctionFailure = z.infer<typeof FunctionFailure>

export const EnvironmentReport = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  /** Comes between the others: the function has made use of a right for the first time. */
  z.object({ kind: z.literal('right-used'), right: z.string() }),
  z.object({ kind: z.literal('init-failed'), failure: FunctionFailure }),
  z.object({ kind: z.literal('succeeded'), result: z.string(), peakRssBytes: z.number() }),
  z.object({ kind: z.literal('failed'), failure: FunctionFailure, peakRssBytes: z.number() }),
])
export type EnvironmentReport = z.infer<typeof EnvironmentReport>
