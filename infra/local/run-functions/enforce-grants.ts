// Holds the function in this process to its role: what the role does not allow is answered as AWS would, unsent.

import { S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { SecretsManagerClient, SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager'
import { SQSClient, SQSServiceException } from '@aws-sdk/client-sqs'
import * as z from 'zod'
import { allowing, type Grant } from './grants.ts'
import { neededRights, type Right } from './needed-rights.ts'

interface Enforcement {
  grants: readonly Grant[]
  place: { region: string; account: string }
  /** Told of each right that is used, once: the action and the resource of the grant. */
  onUsed: (right: string) => void
}

type Refusal = new (options: {
  name: string
  $fault: 'client'
  message: string
  $metadata: { httpStatusCode: number }
}) => Error

/** Bundles carry a copy of the SDK of their own, which this does not reach. */
export function enforceGrants(enforcement: Enforcement): void {
  watch(S3Client.prototype, S3ServiceException, enforcement)
  watch(SQSClient.prototype, SQSServiceException, enforcement)
  watch(SecretsManagerClient.prototype, SecretsManagerServiceException, enforcement)
}

function watch(prototype: object, Exception: Refusal, { grants, place, onUsed }: Enforcement): void {
  const send: unknown = Reflect.get(prototype, 'send')
  if (typeof send !== 'function') throw new Error('the SDK has no `send` to hold on to')
  const told = new Set<string>()
  /** The right that allows it. */
  const demand = ({ action, arn }: Right): string => {
    const resource = allowing(grants, action, arn)
    if (resource === undefined) throw refused(Exception, { action, arn })
    return `${action} ${resource}`
  }
  const tell = (right: string) => {
    if (!told.has(right)) onUsed(right)
    told.add(right)
  }
  Reflect.set(prototype, 'send', async function (this: unknown, command: object, ...rest: unknown[]) {
    const input: unknown = Reflect.get(command, 'input')
    for (const right of neededRights(command.constructor.name, input, place).map(demand)) tell(right)
    try {
      return await Reflect.apply(send, this, [command, ...rest])
    } catch (error) {
      // S3: who may not list a bucket is not told that a key of it does not exist.
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) {
        tell(demand(listing(input)))
      }
      throw error
    }
  })
}

const listing = (input: unknown): Right => {
  const { Bucket } = z.object({ Bucket: z.string() }).parse(input)
  return { action: 's3:ListBucket', arn: `arn:aws:s3:::${Bucket}` }
}

function refused(Exception: Refusal, { action, arn }: Right): Error {
  const message = `the function's role does not allow ${action} on ${arn}`
  process.stderr.write(`AccessDenied: ${message}\n`)
  return new Exception({ name: 'AccessDenied', $fault: 'client', message, $metadata: { httpStatusCode: 403 } })
}
