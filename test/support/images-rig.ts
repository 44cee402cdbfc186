// The delivery rig with an image tree, and the API and workers of training clients around it. What the API hands to its
// queues is done when the test says so, in the order in which it was sent.
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { createHandler as createDeliverFiles } from '../../functions/workers/deliver-files.ts'
import { createHandler as createExportImages } from '../../functions/workers/export-images.ts'
import { agentHandler } from '../../lib/aws/agent-handler.ts'
import { createObjectStore, type ObjectStore } from '../../lib/aws/objects.ts'
import type { OutgoingMessage } from '../../lib/aws/queue.ts'
import { seal } from '../../lib/envelope.ts'
import { createHttpAgent, XnatClient } from '../../lib/xnat/client.ts'
import { type ApiReply, ask, serviceKey } from './api-requests.ts'
import { type DeliveryRig, startDeliveryRig } from './delivery-rig.ts'
import { lambdaContext, sqsEvent } from './events.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { type MemoryQueue, memoryQueue } from './memory-queue.ts'
import { type TestWired, testEnvelope, testWired } from './wired.ts'

/** The rig's project in XNAT carries this id of the hub, and its session this accession number. */
export const hubProjectId = 'hub-1'
export const accession = 'E1'

export interface ImagesRig extends DeliveryRig {
  /** The bucket as clients see it; the workers reach it by way of `s3Proxy`. */
  images: ObjectStore
  s3Proxy: FaultProxy
  xnatProxy: FaultProxy
  wired: TestWired
  deliveries: MemoryQueue
  exports: MemoryQueue
  putImage(key: string, body: Buffer | string): Promise<void>
  /** Content by key below this prefix. */
  tree(prefix: string): Promise<Map<string, string>>
  upload(change?: object, headers?: Record<string, string>): Promise<ApiReply>
  download(change?: {
    body?: object
    query?: Record<string, string>
    net?: string
    headers?: Record<string, string>
  }): Promise<ApiReply>
  get(path: string, pathParameters: Record<string, string>, query?: Record<string, string>): Promise<ApiReply>
  post(path: string, body: unknown): Promise<ApiReply>
  /** Does what was sent and not yet done; what is handed back is left for the next time. */
  work(): Promise<void>
  /** Works whenever something is sent, each queue by itself, one message after the other. */
  workAtOnce(): void
}

export const sealed = (text: string, context = 'project_id') => seal(text, { ...testEnvelope, context })

export async function startImagesRig(options: { environment?: Record<string, string> } = {}): Promise<ImagesRig> {
  const rig = await startDeliveryRig()
  const [s3Proxy, xnatProxy] = [await startFaultProxy(rig.aws.s3Server.url), await startFaultProxy(rig.standIn.url)]
  const { user, password } = rig.standIn
  const credentials = { kind: 'password', user, password } as const
  const xnat = new XnatClient({ url: xnatProxy.url, credentials, retry: { baseMs: 1, capMs: 5 } })
  const images = await rig.aws.bucket('images')
  const { config } = rig.aws.s3
  const agent = createHttpAgent()
  const s3 = new S3Client({
    endpoint: s3Proxy.url,
    region: config.region,
    credentials: config.credentials,
    requestHandler: agentHandler(agent),
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const [deliveries, exports] = [memoryQueue(), memoryQueue()]
  const { incoming, state } = rig
  const wired = testWired(
    {
      xnat,
      incoming,
      state,
      images: createObjectStore(s3, 'images'),
      deliveries: { queue: deliveries, deadLetters: memoryQueue() },
      exports: { queue: exports, deadLetters: memoryQueue() },
    },
    { XNAT_URL: rig.standIn.url, ANSWER_WITHIN_SECONDS: '0', ...options.environment },
  )
  const workers = [
    { queue: deliveries, handle: createDeliverFiles(() => wired) },
    { queue: exports, handle: createExportImages(() => wired) },
  ]
  const turns = workers.map(({ queue, handle }) => {
    let [waiting, taken]: [readonly OutgoingMessage[], number] = [[], 0]
    return async () => {
      const messages = [...waiting, ...queue.sent.slice(taken)]
      taken = queue.sent.length
      waiting = []
      for (const message of messages) {
        const { batchItemFailures } = await handle(sqsEvent([message.body], { group: 'group' }), lambdaContext(60_000))
        if (batchItemFailures.length > 0) waiting = [...waiting, message]
      }
    }
  })
  const request = (method: string, path: string, pathParameters: Record<string, string>, rest: object) =>
    ask(wired, { method, path, pathParameters, ...rest })
  const timers: NodeJS.Timeout[] = []

  return {
    ...rig,
    images,
    s3Proxy,
    xnatProxy,
    wired,
    deliveries,
    exports,
    async putImage(key, body) {
      await rig.aws.s3.send(new PutObjectCommand({ Bucket: 'images', Key: key, Body: body }))
    },
    async tree(prefix) {
      const { objects } = await images.list(prefix)
      const entries = await Promise.all(
        objects.map(async ({ key }) => [key.slice(prefix.length), (await images.readText(key))?.text ?? ''] as const),
      )
      return new Map(entries)
    },
    upload: (change = {}, headers = {}) =>
      request(
        'PUT',
        '/upload/images/value',
        { net_id: 'net-1' },
        {
          headers: { ...serviceKey, ...headers },
          body: JSON.stringify({
            encrypted_central_hub_project_id: sealed(hubProjectId),
            accession_id: accession,
            scan_id: '7',
            resource_id: 'SEG',
            files: ['a.nii'],
            ...change,
          }),
        },
      ),
    download: ({ body = {}, query, net = 'net-1', headers = {} } = {}) =>
      request(
        'POST',
        '/download/images/value',
        { net_id: net },
        {
          headers: { ...serviceKey, ...headers },
          ...(query && { query }),
          body: JSON.stringify({
            encrypted_central_hub_project_id: sealed(hubProjectId),
            accession_id: accession,
            ...body,
          }),
        },
      ),
    get: (path, pathParameters, query) => request('GET', path, pathParameters, query === undefined ? {} : { query }),
    post: (path, body) => request('POST', path, {}, { body: JSON.stringify(body) }),
    async work() {
      for (const turn of turns) await turn()
    },
    workAtOnce() {
      for (const turn of turns) {
        let working = Promise.resolve()
        timers.push(
          setInterval(() => {
            working = working.then(turn)
          }, 20),
        )
      }
    },
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await xnat.close()
      s3.destroy()
      await Promise.all([s3Proxy.stop(), xnatProxy.stop()])
      await rig.stop()
    },
  }
}
