// The delivery rig with a proxy before S3 and one before XNAT, and deliver-files' own handler between them.
import { S3Client } from '@aws-sdk/client-s3'
import { createHandler } from '../../functions/workers/deliver-files.ts'
import { agentHandler } from '../../lib/aws/agent-handler.ts'
import { createObjectStore, type ObjectStore } from '../../lib/aws/objects.ts'
import { loadConfig } from '../../lib/config.ts'
import type { DeliveryOrder } from '../../lib/delivery/order.ts'
import { createHttpAgent, XnatClient } from '../../lib/xnat/client.ts'
import type { ResourceRef } from '../../lib/xnat/resources.ts'
import { type DeliveryRig, startDeliveryRig } from './delivery-rig.ts'
import { lambdaContext, sqsEvent } from './events.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { type MemoryQueue, memoryQueue } from './memory-queue.ts'
import { testEnvironment, testWired } from './wired.ts'

export type Ending = { kind: 'delivered' } | { kind: 'dead-lettered'; code: string } | { kind: 'handed-back' }

export interface FaultyRig extends DeliveryRig {
  s3Proxy: FaultProxy
  xnatProxy: FaultProxy
  queue: MemoryQueue
  deadLetters: MemoryQueue
  /** What the function logged. */
  lines: Record<string, unknown>[]
  /** `E1/scans/1/resources/DICOM`. */
  scanRef: ResourceRef
  /** The next invocation signs in anew. */
  forgetLogin(): Promise<void>
  /** One invocation of deliver-files with this order. */
  invoke(order: DeliveryOrder, options?: { remainingMs?: number; attempt?: number; sentAt?: Date }): Promise<Ending>
  /** Invocations until the order has ended, as SQS would make them; the codes that the others were handed back with. */
  settle(order: DeliveryOrder): Promise<{ ending: Ending; codes: unknown[] }>
}

/** How often an order is tried. */
export const deliveryTries = loadConfig(testEnvironment).deliveryTries

export async function startFaultyRig(): Promise<FaultyRig> {
  const rig = await startDeliveryRig()
  const [s3Proxy, xnatProxy] = await Promise.all([
    startFaultProxy(rig.aws.s3Server.url),
    startFaultProxy(rig.standIn.url),
  ])
  const { user, password } = rig.standIn
  const xnat = new XnatClient({
    url: xnatProxy.url,
    credentials: { kind: 'password', user, password },
    retry: { baseMs: 1, capMs: 5 },
  })
  const agent = createHttpAgent()
  const { region, credentials } = rig.aws.s3.config
  const s3 = new S3Client({
    endpoint: s3Proxy.url,
    region,
    credentials,
    requestHandler: agentHandler(agent),
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
  })
  const bucket = (name: string): ObjectStore => createObjectStore(s3, name)
  const [queue, deadLetters] = [memoryQueue(), memoryQueue()]
  const wired = testWired({
    xnat,
    incoming: bucket('incoming'),
    state: bucket('state'),
    deliveries: { queue, deadLetters },
  })
  const handler = createHandler(() => wired)

  const invoke: FaultyRig['invoke'] = async (order, { remainingMs = 30_000, attempt = 1, sentAt } = {}) => {
    const lettersBefore = deadLetters.sent.length
    const event = sqsEvent([JSON.stringify(order)], { group: 'group', receiveCount: attempt, sentAt })
    const { batchItemFailures } = await handler(event, lambdaContext(remainingMs))
    if (batchItemFailures.length > 0) return { kind: 'handed-back' }
    const letter = deadLetters.sent[lettersBefore]
    return letter === undefined
      ? { kind: 'delivered' }
      : { kind: 'dead-lettered', code: letter.attributes?.['code'] ?? '' }
  }

  return {
    ...rig,
    s3Proxy,
    xnatProxy,
    queue,
    deadLetters,
    lines: wired.lines,
    scanRef: { parent: { level: 'scan', experimentId: rig.experimentId, scanId: '1' }, resourceLabel: 'DICOM' },
    forgetLogin: () => xnat.logout(),
    invoke,
    async settle(order) {
      const codes: unknown[] = []
      for (let attempt = 1; attempt <= deliveryTries; attempt += 1) {
        const ending = await invoke(order, { attempt })
        if (ending.kind !== 'handed-back') return { ending, codes }
        codes.push(wired.lines.findLast(({ message }) => message === 'message failed')?.['code'])
      }
      return { ending: { kind: 'handed-back' }, codes }
    },
    async stop() {
      await xnat.close().catch(() => {
        // Its session may be what the test took away.
      })
      s3.destroy()
      await Promise.all([s3Proxy.stop(), xnatProxy.stop()])
      await rig.stop()
    },
  }
}
