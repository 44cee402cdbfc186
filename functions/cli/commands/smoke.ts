import * as z from 'zod'
import { checkupText, runChecks } from '../checkup.ts'
import { command } from '../command.ts'
import { conduitApi } from '../conduit-api.ts'
import { answering, deadLetters, receipts, serviceKey, xnat } from '../doctor/checks.ts'
import { exitCodes } from '../failure.ts'
import { description, documentation, operatorsConsole } from '../smoke/pages.ts'
import { refusedKey } from '../smoke/refused-key.ts'
import { tinyDelivery } from '../smoke/tiny-delivery.ts'
import { openIncoming } from '../storage.ts'

/** API Gateway ends a request after 30 seconds; a page is several. */
const limitMs = 60_000

export const smoke = command({
  words: 'smoke',
  summary: 'Tries a deployed API from outside: whether it answers, keeps strangers out, and serves what it should.',
  positionals: [],
  more: 'url',
  options: {
    deliver: {
      type: 'string',
      value: 'PROJECT',
      about: 'also deliver one tiny file to it; it stays, in resource SMOKE',
    },
    patience: { type: 'string', value: 'MINUTES', about: 'wait so long for that file to be verified (5)' },
  },
  input: z.object({
    url: z.array(z.url({ protocol: /^https?$/ })).max(1),
    deliver: z.string().min(1).optional(),
    patience: z.coerce.number().positive().default(5),
  }),
  address: ({ url: [url] }) => url,
  examples: [
    {
      about: 'after a deployment, with the key in CONDUIT_SERVICE_KEY',
      line: 'conduit smoke https://conduit.example.org',
    },
    { about: 'all the way into XNAT', line: 'conduit smoke --profile prod --deliver P1' },
  ],
  async run({ deliver: project, patience }, tools) {
    const { profile, signal, terminal, show } = tools
    // What is missing for a delivery is said before anything is tried.
    if (project !== undefined) openIncoming(profile).close()
    const delivery = project === undefined ? [] : [tinyDelivery({ project, patienceMs: patience * 60_000 })]
    const pages = [description, documentation, operatorsConsole]
    const checkup = await runChecks(
      [answering, refusedKey, serviceKey, ...pages, receipts, xnat, deadLetters, ...delivery],
      {
        tools: (limited) => ({ ...tools, api: conduitApi(profile, limited), signal: limited }),
        limitMs,
        signal,
        onBegin: (check) => terminal.progress(`trying ${check}`),
      },
    )
    const { firstFailure: _, ...report } = checkup
    show(report, () => checkupText(checkup, { withTimes: true }))
    return checkup.isWell ? exitCodes.done : exitCodes.failed
  },
})
