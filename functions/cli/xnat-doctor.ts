// `npm run doctor -- ...`: whether an XNAT has all that the functions will need of it, for operators.
import { openTerminal } from './terminal.ts'
import { runXnatDoctor } from './xnat-doctor/run.ts'

const interrupt = new AbortController()
// The second Ctrl-C is Node's own, and ends at once.
process.once('SIGINT', () => interrupt.abort())

process.exitCode = await runXnatDoctor(process.argv.slice(2), {
  env: process.env,
  terminal: openTerminal(process),
  signal: interrupt.signal,
})
