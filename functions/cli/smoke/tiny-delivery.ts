// One tiny file, all the way from this machine into XNAT.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Check, Finding } from '../checkup.ts'
import type { CommandTools } from '../command.ts'
import { deliverPlan, sortPlan } from '../deliver/deliver-plan.ts'
import { type DeliveryPlan, planDelivery } from '../deliver/plan.ts'
import { type Report, reportOf } from '../deliver/report.ts'
import { uploadJournal } from '../deliver/upload-journal.ts'
import { openIncoming, storageFailure } from '../storage.ts'

export interface TinyDelivery {
  /** XNAT's ID of it, or `hub:` and the hub's. */
  project: string
  /** How long it may take. */
  patienceMs: number
}

const resourceLabel = 'SMOKE'

/** Sending and the last look at the receipts come on top. */
const restMs = 60_000

/** @throws {Failure} when the project cannot be part of a key. */
export function tinyDelivery({ project, patienceMs }: TinyDelivery, now = new Date()): Check<CommandTools> {
  const name = `smoke-${now.toISOString().replaceAll(/[:.]/g, '-')}.txt`
  const text = `A smoke test of xnat-conduit put this here at ${now.toISOString()}. Nothing needs it any more.\n`
  const planAt = (location: string) =>
    planDelivery(`projects/${project}/resources/${resourceLabel}/files/`, [
      { name, location, sizeBytes: Buffer.byteLength(text) },
    ])
  // Whether it can be a key is known before anything is asked.
  planAt(name)
  return {
    name: 'delivery',
    needs: ['receipts', 'XNAT'],
    limitMs: patienceMs + restMs,
    async look(tools) {
      const folder = await mkdtemp(join(tmpdir(), 'conduit-smoke-'))
      try {
        const location = join(folder, name)
        await writeFile(location, text)
        return judge(await send(tools, planAt(location), patienceMs), { name, project, patienceMs })
      } finally {
        await rm(folder, { recursive: true })
      }
    },
    advise: () => 'Is there such a project, and are bucket, rights and credentials right? conduit doctor says more.',
  }
}

async function send(tools: CommandTools, plan: DeliveryPlan, patienceMs: number): Promise<Report> {
  const bucket = openIncoming(tools.profile)
  const deps = { ...tools, bucket, journal: uploadJournal(tools.stateFolder, bucket.name), metadata: {} }
  try {
    const sorted = await sortPlan(deps, plan, { isAgain: true })
    return reportOf(await deliverPlan(deps, sorted, { isFollowed: true, patienceMs }))
  } catch (error) {
    throw storageFailure(error, bucket.name)
  } finally {
    bucket.close()
  }
}

function judge({ verified, failed }: Report, { name, project, patienceMs }: TinyDelivery & { name: string }): Finding {
  if (verified === 1) {
    return {
      state: 'ok',
      says: `${name} is verified in XNAT; it stays there, in ${resourceLabel} of ${project}, and in the bucket as SOURCE_AFTER_DELIVERY says`,
    }
  }
  const [failure] = failed
  const says =
    failure === undefined
      ? `${name} is in the bucket, and nothing is known of it after ${patienceMs / 60_000} min`
      : `${name} failed with ${failure.code}: receipt ${failure.deliveryId}`
  return {
    state: 'failed',
    says,
    advice:
      failure === undefined
        ? "Do the bucket's events reach the queue uploads? See the logs of routeObjects and deliverFiles; conduit dead-letters."
        : 'README says what the code means; conduit dead-letters has it too.',
  }
}
