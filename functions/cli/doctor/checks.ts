// What has to be well for the product to do its work, from this machine to the PACS.
import * as z from 'zod'
import { ReceiptSummary } from '../../../lib/delivery/receipt-index.ts'
import { DeadLetters } from '../../../lib/services/dead-letters.ts'
import type { Check, Finding } from '../checkup.ts'
import type { CommandTools } from '../command.ts'
import { ApiFailure, isUnavailable } from '../conduit-api.ts'
import { exitCodes, Failure } from '../failure.ts'
import { openIncoming, storageFailure } from '../storage.ts'
import { sweep } from './sweep.ts'

/** The operator waits: what is down now is to be told now. */
const once = { method: 'GET', attempts: 1 } as const

const ok = (says: string): Finding => ({ state: 'ok', says })

export const answering: Check<CommandTools> = {
  name: 'API',
  needs: [],
  async look({ api, profile }) {
    const { version } = await api.ask({ ...once, path: '/health', answer: z.object({ version: z.string() }) })
    return ok(`${profile.url} answers, version ${version}`)
  },
  advise: (failure) =>
    isUnavailable(failure)
      ? 'Is the address right (CONDUIT_URL, or url in the profile), and can this machine reach it?'
      : 'Something answers there that is not xnat-conduit: is the address right, with its path?',
}

/** S3 refuses what was signed more than 15 minutes off; long before that, times of files and deliveries mislead. */
const tolerableSkewMs = 60_000

const clock: Check<CommandTools> = {
  name: 'clock',
  needs: ['API'],
  async look({ api }) {
    let theirs: Date | undefined
    const before = Date.now()
    const onTime = (time: Date) => {
      theirs = time
    }
    await api.ask({ ...once, path: '/health', answer: z.unknown(), onTime })
    if (theirs === undefined) return { state: 'skipped', says: 'the API does not tell its time' }
    // The API tells it to the second below.
    const skewMs = (before + Date.now()) / 2 - (theirs.getTime() + 500)
    if (Math.abs(skewMs) < 1_000) return ok("this machine's is right to the second")
    const says = `this machine is ${Math.abs(skewMs / 1000).toFixed(0)} s ${skewMs < 0 ? 'behind' : 'ahead of'} the API`
    if (Math.abs(skewMs) < tolerableSkewMs) return ok(says)
    return { state: 'warning', says, advice: 'Set the clock by NTP: S3 refuses requests that are 15 minutes off.' }
  },
  advise: () => 'Look at the API first.',
}

export const serviceKey: Check<CommandTools> = {
  name: 'service key',
  needs: ['API'],
  async look({ api }) {
    await api.ask({ ...once, path: '/deliveries?limit=1', answer: z.unknown() }).catch((error: unknown) => {
      // What comes behind the key has a check of its own.
      if (!(error instanceof ApiFailure) || error.exitCode === exitCodes.keyRefused) throw error
    })
    return ok('the API takes it')
  },
  advise: () => 'Put the key of TRUST_INTERNAL_SERVICE_KEY, and the name of its header, into the profile.',
}

export const receipts: Check<CommandTools> = {
  name: 'receipts',
  needs: ['service key'],
  async look({ api }) {
    await api.ask({ ...once, path: '/deliveries?limit=1', answer: z.object({ deliveries: z.array(ReceiptSummary) }) })
    return ok('the state bucket can be read')
  },
  advise: () => "Look at the log of the function deliveries: its rights, and the state bucket's name.",
}

const Project = z.object({ ID: z.string() })

export const xnat: Check<CommandTools> = {
  name: 'XNAT',
  needs: ['service key'],
  async look({ api }) {
    const some = await api.ask({ ...once, path: '/projects?limit=1', answer: z.array(Project) })
    return ok(
      some.length === 0 ? 'the service account is signed in, and sees no project' : 'the service account is signed in',
    )
  },
  advise: (failure) =>
    // What XNAT says no to, the API answers with 502.
    failure instanceof ApiFailure && failure.status === 502
      ? "Is the account's password right in the secret, is the account enabled, and XNAT_URL XNAT's own address?"
      : 'Is XNAT up, XNAT_URL right, and the way from the functions to it open? Work waits in the queues meanwhile.',
}

const PacsAnswer = z.object({ pacsId: z.int(), successful: z.boolean(), enabled: z.boolean() })

const pacs: Check<CommandTools> = {
  name: 'PACS',
  needs: ['XNAT'],
  async look({ api }) {
    const ping = await api.ask({ ...once, path: '/imaging/ping_pacs', answer: PacsAnswer }).catch((error: unknown) => {
      if (error instanceof ApiFailure && error.status === 404) return undefined
      throw error
    })
    if (ping === undefined)
      return { state: 'skipped', says: 'XNAT knows none: nothing can be imported, files can be delivered' }
    const { pacsId, successful, enabled } = ping
    if (!successful) throw new Failure(`PACS ${pacsId} does not answer XNAT`, exitCodes.failed)
    if (enabled) return ok(`PACS ${pacsId} answers XNAT`)
    return {
      state: 'warning',
      says: `PACS ${pacsId} is switched off in XNAT`,
      advice: 'Imports wait until it is enabled.',
    }
  },
  advise: () => "Does the PACS run, and does it know XNAT's AE title, address and port? Imports wait meanwhile.",
}

const Letters = z.object({ queues: z.array(DeadLetters) })

export const deadLetters: Check<CommandTools> = {
  name: 'dead letters',
  needs: ['service key'],
  async look({ api }) {
    const { queues } = await api.ask({ ...once, path: '/dead-letters', answer: Letters })
    const full = queues.filter(({ messages }) => messages > 0)
    if (full.length === 0) return ok('none')
    const says = full.map(({ queue, messages, codes }) => {
      const reasons = codes.map(({ code }) => code).join(', ')
      return `${messages} in ${queue}${reasons === '' ? '' : ` (${reasons})`}`
    })
    return {
      state: 'warning',
      says: says.join('; '),
      advice: 'See them with conduit dead-letters; after the cure, conduit dead-letters redrive QUEUE.',
    }
  },
  advise: () => 'Look at the log of the function deadLetters: its rights, and the URLs of the queues.',
}

const bucket: Check<CommandTools> = {
  name: 'incoming bucket',
  needs: [],
  async look({ profile, signal }) {
    if (profile.incoming === undefined) {
      return {
        state: 'skipped',
        says: 'the profile names none',
        advice: 'conduit deliver wants CONDUIT_INCOMING_BUCKET, or "incoming": {"bucket": "..."} in the profile.',
      }
    }
    const { objects, close, name } = openIncoming(profile)
    try {
      await objects.list('projects/', { limit: 1, signal })
      // Begun and given up, an upload is no object, and nobody hears of it.
      await (await objects.stage('projects/conduit-doctor', { signal })).discard()
      return ok(`${name} can be listed, and written to`)
    } catch (error) {
      throw storageFailure(error, name)
    } finally {
      close()
    }
  },
  advise: () => 'conduit deliver needs the rights that README names, and credentials where AWS looks for them.',
}

export const checks: readonly Check<CommandTools>[] = [
  answering,
  clock,
  serviceKey,
  receipts,
  xnat,
  pacs,
  sweep,
  deadLetters,
  bucket,
]
