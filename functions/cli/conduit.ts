#!/usr/bin/env node
// `npm run conduit -- ...`, `npx conduit ...`: the command line, for operators.
import { join } from 'node:path'
import { runConduit } from './run.ts'
import { openTerminal } from './terminal.ts'

const interrupt = new AbortController()
// The second Ctrl-C is Node's own, and ends at once.
process.once('SIGINT', () => interrupt.abort())

process.exitCode = await runConduit(process.argv.slice(2), {
  env: process.env,
  stackFile: join(import.meta.dirname, '../../.local/stack.json'),
  terminal: openTerminal(process),
  signal: interrupt.signal,
})
