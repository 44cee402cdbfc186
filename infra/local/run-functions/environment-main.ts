// The process inside an execution environment: imports one handler, then runs one event after the other.
// Started with the handler's file URL and the name of its export.

import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { type EnvironmentReport, type FunctionFailure, Invocation } from './environment-protocol.ts'
import { Grant } from './grants.ts'

const Handler = z.custom<(event: unknown, context: object) => unknown>((value) => typeof value === 'function')

const Role = z.object({ grants: z.array(Grant), place: z.object({ region: z.string(), account: z.string() }) })

const [, , moduleUrl = '', exportName = '', role] = process.argv

// Nobody is left to answer to, and nothing may be orphaned.
process.on('disconnect', () => process.exit())
// Ctrl-C reaches the whole process group; when to stop is for the runner to say.
process.on('SIGINT', () => undefined)

try {
  if (role !== undefined) {
    // Only where it is wanted: it loads the SDK.
    const { enforceGrants } = await import('./enforce-grants.ts')
    const onUsed = (right: string) => report({ kind: 'right-used', right })
    enforceGrants({ ...Role.parse(JSON.parse(role)), onUsed })
  }
  const handler = await importHandler()
  process.on('message', (message) => {
    void invoke(handler, Invocation.parse(message)).then(report)
  })
  report({ kind: 'ready' })
} catch (error) {
  report({ kind: 'init-failed', failure: describe(error) })
}

async function importHandler() {
  const module: Record<string, unknown> = await import(moduleUrl)
  const handler = Handler.safeParse(module[exportName])
  if (!handler.success) throw new Error(`${moduleUrl} exports no function called ${exportName}`)
  return handler.data
}

async function invoke(handler: z.infer<typeof Handler>, invocation: Invocation): Promise<EnvironmentReport> {
  const context = {
    ...invocation.context,
    awsRequestId: invocation.requestId,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, invocation.deadline - Date.now()),
  }
  try {
    const result: unknown = await handler(JSON.parse(invocation.event), context)
    // JSON.stringify answers undefined for undefined, and Lambda sends null then.
    return { kind: 'succeeded', result: JSON.stringify(result) ?? 'null', peakRssBytes: peakRssBytes() }
  } catch (error) {
    return { kind: 'failed', failure: describe(error), peakRssBytes: peakRssBytes() }
  }
}

function describe(error: unknown): FunctionFailure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
}

/**
 * The process's own high-water mark where the kernel tells it. `maxRSS` is only the second choice: on Linux a child
 * inherits it from the process it was forked from.
 */
function peakRssBytes(): number {
  if (process.platform === 'linux') {
    const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kibibytes !== undefined) return Number(kibibytes) * 1024
  }
  return process.resourceUsage().maxRSS * 1024
}

function report(message: EnvironmentReport): void {
  process.send?.(message)
}
