import type { SQSClient } from '@aws-sdk/client-sqs'
import type { SQSEvent } from 'aws-lambda'
import { type QueuePoller, startQueuePoller } from '../../infra/local/run-functions/queue-poller.ts'

/** Feeds a function from a queue of the embedded SQS, as Lambda's event source does. */
export function pollQueue(
  client: SQSClient,
  { url, batchSize }: { url: string; batchSize: number },
  invoke: (event: SQSEvent) => Promise<unknown>,
): QueuePoller {
  const name = url.slice(url.lastIndexOf('/') + 1)
  return startQueuePoller({
    event: {
      kind: 'sqs',
      queue: {
        logicalId: name,
        name,
        url,
        arn: `arn:aws:sqs:eu-central-1:000000000000:${name}`,
        fifo: name.endsWith('.fifo'),
        visibilityTimeoutSeconds: 30,
        attributes: {},
        deadLetterQueueName: undefined,
      },
      batchSize,
      batchingWindowSeconds: 0,
      maximumConcurrency: 4,
      reportsItemFailures: true,
      enabled: true,
    },
    region: 'eu-central-1',
    client,
    // The poller hands over what it has made of SQS's messages.
    invoke: (event) => invoke(event as SQSEvent),
    log: () => undefined,
  })
}
