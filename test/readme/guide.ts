// Who goes through the READMEs beside a running stack: what they have, arrange and see there.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { Checkout } from './checkout.ts'
import type { StartedStack } from './started-stack.ts'

/** Who goes through the README, and what they have by then. */
export class Guide {
  readonly checkout: Checkout
  /** XNAT's id of the project that the first request made. */
  projectId = ''
  #stack: StartedStack | undefined

  constructor(checkout: Checkout) {
    this.checkout = checkout
  }

  /** @throws when none was started. */
  get stack(): StartedStack {
    if (this.#stack === undefined) throw new Error('npm start did not bring the stack up')
    return this.#stack
  }

  set stack(stack: StartedStack) {
    this.#stack = stack
  }
}

export const soon = { timeout: 30_000, interval: 200 }

/** Runs it, and is told what it printed when that is as it should be. */
export async function succeeds(command: string, { checkout }: Guide, output: RegExp): Promise<string> {
  const { stdout, ...ran } = await checkout.run(command)
  expect({ stdout, ...ran }, ran.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(output) })
  return stdout
}

export async function write({ checkout }: Guide, path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(checkout.dir, path)), { recursive: true })
  await writeFile(join(checkout.dir, path), content)
}

export const decree = ({ stack }: Guide, fate: object) =>
  stack.xnat('PATCH /__stand-in/pacs/studies', { fate, accessionNumbers: ['ACC0002'] })

/** XNAT has a session of this label. Asking the API instead would have it answer the next question from memory. */
export async function isArchived({ stack }: Guide, label: string): Promise<void> {
  const sessions = () => stack.xnat('GET /data/projects/P1/experiments?format=json')
  await expect.poll(sessions, soon).toContain(`"label":"${label}"`)
}

/** A receipt says that this file is in XNAT. */
export async function isDelivered({ stack }: Guide, projectId: string, file: string): Promise<void> {
  const newest = `GET /deliveries?outcome=verified&project_id=${projectId}&limit=1`
  const files = async () => {
    const { deliveries } = (await stack.api(newest)) as { deliveries: { deliveryId: string }[] }
    return JSON.stringify(await stack.api(`GET /deliveries/${deliveries[0]?.deliveryId}`))
  }
  await expect.poll(files, soon).toContain(`"path":"${file}"`)
}
