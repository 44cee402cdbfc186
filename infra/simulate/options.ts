import { parseArgs } from 'node:util'
import * as z from 'zod'
import type { ProductSettings } from './product.ts'
import type { UploadPlan } from './uploads.ts'

export const usage = `npm run simulate -- [options]

How long files wait until they are proved to be in XNAT, and what that takes. Without options: one million files in a day.

What comes
  --files N                  how many files (1000000)
  --rate R                   so many a second (a day for all of them); --burst: all at once
  --pace random|steady       each by itself, or at even distances (random)
  --files-per-resource N     of one XNAT resource, such as the DICOM of a scan (500)
  --resources-at-a-time N    how many are being filled at any time, file by file in turn (4)
  --file-kb N                thousands of bytes in a file (514)

What XNAT and S3 need
  --request-ms N             one request to XNAT; an order makes five (60)
  --mb-per-second N          what flows into XNAT, of each order (what DELIVERY_MB_PER_SECOND is by default)
  --file-ms N                each file of an order beside its bytes (2: S3 answers after 30 ms, 16 are asked ahead)
  --order-ms N               S3's and SQS's part in an order: receipt, lists, look-ups (250)
  --service fixed|exponential  always that long, or so on average (fixed)
  --notice-ms N              until S3 has told of an object (1000)

What we allow (as serverless.yml has it)
  --deliver-concurrency N, --route-concurrency N, --batch-size N, --window-seconds N

  --seed N                   the same seed gives the same figures (1)
  --json                     for scripts

Examples
  npm run simulate -- --files 500000 --rate 50
  npm run simulate -- --files 10000 --burst --request-ms 300 --deliver-concurrency 8
  npm run simulate -- --rate 100 --files 360000 --resources-at-a-time 20 --window-seconds 20
`

const positive = z.coerce.number().positive()
const count = positive.int().max(100_000_000)
const notNegative = z.coerce.number().nonnegative()

const Values = z.strictObject({
  files: count.default(1_000_000),
  rate: positive.optional(),
  burst: z.boolean().default(false),
  pace: z.enum(['random', 'steady']).default('random'),
  'files-per-resource': count.default(500),
  'resources-at-a-time': count.default(4),
  'file-kb': positive.default(514),
  'request-ms': notNegative.default(60),
  'mb-per-second': positive.optional(),
  'file-ms': notNegative.default(2),
  'order-ms': notNegative.default(250),
  service: z.enum(['fixed', 'exponential']).default('fixed'),
  'notice-ms': notNegative.default(1000),
  'deliver-concurrency': count.optional(),
  'route-concurrency': count.optional(),
  'batch-size': count.optional(),
  'window-seconds': notNegative.optional(),
  seed: z.coerce.number().int().default(1),
  json: z.boolean().default(false),
})

export interface Options {
  plan: UploadPlan
  xnat: { requestSeconds: number; bytesPerSecond: number | undefined; fileSeconds: number; orderSeconds: number }
  service: 'fixed' | 'exponential'
  noticeSeconds: number
  seed: number
  json: boolean
  /** Of the product's settings, what is to be otherwise. */
  change(settings: ProductSettings): ProductSettings
}

export class UsageError extends Error {}

const daySeconds = 86_400

/** `undefined` when help is wanted. @throws {UsageError} */
export function readOptions(args: readonly string[]): Options | undefined {
  const given = parsedArguments(args)
  if (given['help'] === true) return undefined
  const parsed = Values.safeParse(given)
  if (!parsed.success) {
    throw new UsageError(parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'))
  }
  const { files, rate, burst, pace, service, seed, json, ...rest } = parsed.data
  if (burst && rate !== undefined) throw new UsageError('--burst and --rate do not go together')
  return {
    plan: {
      files,
      filesPerSecond: burst ? undefined : (rate ?? files / daySeconds),
      pace,
      filesPerResource: rest['files-per-resource'],
      resourcesAtATime: rest['resources-at-a-time'],
      bytesPerFile: rest['file-kb'] * 1000,
    },
    xnat: {
      requestSeconds: rest['request-ms'] / 1000,
      bytesPerSecond: rest['mb-per-second'] === undefined ? undefined : rest['mb-per-second'] * 1e6,
      fileSeconds: rest['file-ms'] / 1000,
      orderSeconds: rest['order-ms'] / 1000,
    },
    service,
    noticeSeconds: rest['notice-ms'] / 1000,
    seed,
    json,
    change: ({ routeObjects, deliverFiles, ...others }) => ({
      ...others,
      routeObjects: {
        ...routeObjects,
        concurrency: rest['route-concurrency'] ?? routeObjects.concurrency,
        batchSize: rest['batch-size'] ?? routeObjects.batchSize,
        windowSeconds: rest['window-seconds'] ?? routeObjects.windowSeconds,
      },
      deliverFiles: { ...deliverFiles, concurrency: rest['deliver-concurrency'] ?? deliverFiles.concurrency },
    }),
  }
}

function parsedArguments(args: readonly string[]): Record<string, unknown> {
  const flags = ['burst', 'json']
  const options = Object.fromEntries(
    Object.keys(Values.shape).map((name) => [name, { type: flags.includes(name) ? 'boolean' : 'string' } as const]),
  )
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean' } } }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
