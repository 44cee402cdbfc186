// Each function's role beside what its code does with buckets and queues. esbuild leaves out of a bundle what the function
// never calls; what is left says on which bucket or queue it does what, since these have the same name everywhere.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { describe, expect, inject, it } from 'vitest'
import { neededRights } from '../../infra/local/run-functions/needed-rights.ts'
import { type LocalFunction, type LocalQueue, resolve } from '../../infra/local/run-functions/resolve-service.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import type { Queue } from '../../lib/aws/queue.ts'
import type { QueueReader } from '../../lib/aws/queue-reader.ts'
import { testEnvironment } from '../support/wired.ts'

const root = join(import.meta.dirname, '../..')
const { functions, queues, buckets } = resolve(inject('service'), {
  region: 'eu-central-1',
  sqsUrl: 'http://127.0.0.1:9',
  environment: testEnvironment,
})

// Whoever may not list a bucket is answered 403 in the place of 404.
const reading = (command: string) => [command, 'ListObjectsV2Command']
const ofBucket = {
  open: reading('GetObjectCommand'),
  find: reading('HeadObjectCommand'),
  readText: reading('GetObjectCommand'),
  writeText: ['PutObjectCommand'],
  signedUrl: ['GetObjectCommand'],
  stage: [
    'CreateMultipartUploadCommand',
    'UploadPartCommand',
    'CompleteMultipartUploadCommand',
    'AbortMultipartUploadCommand',
  ],
  remove: ['DeleteObjectCommand'],
  list: ['ListObjectsV2Command'],
  removeUnchanged: [...reading('HeadObjectCommand'), 'DeleteObjectsCommand'],
  tagUnchanged: [...reading('HeadObjectCommand'), 'GetObjectTaggingCommand', 'PutObjectTaggingCommand'],
} satisfies Record<keyof ObjectStore, string[]>
const ofQueue = {
  send: ['SendMessageBatchCommand'],
  postpone: ['ChangeMessageVisibilityCommand'],
} satisfies Record<keyof Queue, string[]>
const ofReader = {
  count: ['GetQueueAttributesCommand'],
  receive: ['ReceiveMessageCommand'],
  release: ['ChangeMessageVisibilityBatchCommand'],
  remove: ['DeleteMessageBatchCommand'],
} satisfies Record<keyof QueueReader, string[]>

const input = { Bucket: 'b', Key: 'k', Delete: { Objects: [{ Key: 'k' }] }, QueueUrl: 'http://q/0/q' }
const actionsOf = (commands: readonly string[]) =>
  commands.flatMap((command) => neededRights(command, input, { region: 'r', account: 'a' }).map(({ action }) => action))

/** The adapters themselves know every command, and wiring knows every adapter. */
const withoutAdapters: Plugin = {
  name: 'without adapters',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/(?:aws\/[\w-]+|wire)\.ts$/ }, ({ path }) => ({ path, external: true })),
}

async function codeOf({ module }: LocalFunction): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [`functions/${module}.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: [withoutAdapters],
  })
  return outputFiles.map(({ text }) => text).join('\n')
}

/** Calls of these methods on what the pattern names. */
function called<Method extends string>(code: string, receiver: string, methods: Record<Method, string[]>): string[] {
  const found = [...code.matchAll(new RegExp(String.raw`(?<![\w$])(?:${receiver})\.(\w+)\(`, 'g'))]
  const names = new Set(found.map(([, method]) => method))
  return Object.entries<string[]>(methods).flatMap(([method, commands]) => (names.has(method) ? commands : []))
}

const deadLettersOf = ({ deadLetterQueueName }: LocalQueue) => {
  const found = queues.find(({ name }) => name === deadLetterQueueName)
  if (found === undefined) throw new Error('a queue without dead letters')
  return found
}
const working = queues.filter(({ deadLetterQueueName }) => deadLetterQueueName !== undefined)

/** As `action resource`, the resource by its logical id. */
async function neededBy(fn: LocalFunction): Promise<Set<string>> {
  const code = await codeOf(fn)
  const needs = (logicalId: string, commands: readonly string[]) =>
    actionsOf(commands).map((action) => `${action} ${logicalId}`)
  const source = fn.events.find((event) => event.kind === 'sqs')?.queue
  return new Set([
    ...['state', 'incoming', 'images'].flatMap((name) =>
      needs(`${capitalized(name)}Bucket`, called(code, name, ofBucket)),
    ),
    ...['uploads', 'deliveries', 'imports', 'studies', 'exports'].flatMap((name) =>
      needs(`${capitalized(name)}Queue`, called(code, name, ofQueue)),
    ),
    ...(source === undefined
      ? []
      : [
          ...needs(source.logicalId, called(code, String.raw`source\.queue`, ofQueue)),
          ...needs(deadLettersOf(source).logicalId, called(code, String.raw`source\.deadLetters`, ofQueue)),
          // What Lambda does in the function's name.
          ...needs(source.logicalId, ['ReceiveMessageCommand', 'DeleteMessageCommand', 'GetQueueAttributesCommand']),
        ]),
    // Dead letters are looked into and handed in again by the name of their queue.
    ...working.flatMap((queue) => [
      ...needs(queue.logicalId, called(code, String.raw`sources\[\w+\]`, ofQueue)),
      ...needs(deadLettersOf(queue).logicalId, called(code, 'reader', ofReader)),
    ]),
  ])
}

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)

/** What the role gives, but for secrets. */
function givenTo({ grants = [] }: LocalFunction): Set<string> {
  const places = [
    ...queues.map(({ logicalId, arn }) => ({ logicalId, arn })),
    ...buckets.map(({ logicalId, name }) => ({ logicalId, arn: `arn:aws:s3:::${name}` })),
  ]
  return new Set(
    grants.flatMap(({ actions, resources }) =>
      actions.flatMap((action) =>
        resources.flatMap((resource) => {
          if (action.startsWith('secretsmanager:')) return []
          const place = places.find(({ arn }) => resource === arn || resource.startsWith(`${arn}/`))
          if (place === undefined) throw new Error(`${resource} is neither a queue nor a bucket of this service`)
          return `${action} ${place.logicalId}`
        }),
      ),
    ),
  )
}

/** Rights that are used under another name than the resource has, with where that is. */
const otherwiseNeeded: Readonly<Record<string, readonly string[]>> = {
  // Files that training clients uploaded are delivered like others: `images` is then handed on as `incoming`.
  deliverFiles: ['s3:GetObject ImagesBucket', 's3:ListBucket ImagesBucket'],
  // Objects that are written or staged with a tag.
  exportImages: ['s3:PutObjectTagging ImagesBucket'],
}

describe('the role of each function', () => {
  // The API's description is made of all routes, with all their code, none of which it runs: what it asks of AWS is seen in
  // test/stack/used-rights.test.ts.
  const described = functions.filter(({ name }) => name !== 'documentation')

  it.each(described.map((fn) => [fn.name, fn] as const))(
    '%s: gives what its code does, and no more',
    async (name, fn) => {
      const needed = await neededBy(fn)
      const expected = new Set([...needed, ...(otherwiseNeeded[name] ?? [])])
      expect([...givenTo(fn)].toSorted()).toEqual([...expected].toSorted())
    },
  )

  it('documentation: gives nothing of buckets and queues', () => {
    expect(functions.filter(({ name }) => name === 'documentation').map((fn) => [...givenTo(fn)])).toEqual([[]])
  })

  it('is judged by all that the adapters ask of AWS', () => {
    const sources = globSync('lib/aws/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))
    const sent = sources.flatMap((source) => [...source.matchAll(/new (\w+Command)\(/g)].map(([, command]) => command))
    const known = [ofBucket, ofQueue, ofReader].flatMap((methods) => Object.values<string[]>(methods).flat())
    // Secrets are looked at in test/stack/used-rights.test.ts; parts are listed from the command line alone.
    expect([...new Set(sent)].toSorted()).toEqual(
      [...new Set([...known, 'GetSecretValueCommand', 'ListPartsCommand'])].toSorted(),
    )
  })
})
