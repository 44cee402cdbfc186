import { SendMessageCommand, type SendMessageCommandInput, SQSClient } from '@aws-sdk/client-sqs'
import { onTestFinished } from 'vitest'
import { resolve } from '../../../infra/local/run-functions/resolve-service.ts'
import { type RunFunctionsOptions, runFunctions } from '../../../infra/local/run-functions/run-functions.ts'
import type { ServiceModel } from '../../../infra/local/run-functions/service-model.ts'
import { startSqs } from '../../../infra/local/sqs-server.ts'
import { FIXTURE_SERVICE, REGION } from './function-models.ts'

export interface LogLine {
  functionName: string
  line: string
}

export function sqsClient(url: string): SQSClient {
  const client = new SQSClient({
    region: REGION,
    endpoint: url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  onTestFinished(() => client.destroy())
  return client
}

/** The service running against its own SQS, stopped when the test is over. */
export async function startFixture(service: ServiceModel, options: Partial<RunFunctionsOptions> = {}) {
  const sqs = await startSqs({ region: REGION })
  onTestFinished(() => sqs.stop())
  const { environment = {} } = options
  const { queues } = resolve(service, { region: REGION, sqsUrl: sqs.url, environment })
  for (const queue of queues) await sqs.createQueue(queue.name, queue.attributes)

  const lines: LogLine[] = []
  const running = await runFunctions({
    service,
    projectDir: FIXTURE_SERVICE,
    sqs: { url: sqs.url, region: REGION },
    apiPort: 0,
    log: (functionName, line) => lines.push({ functionName, line }),
    ...options,
  })
  onTestFinished(() => running.stop(0))

  const client = sqsClient(sqs.url)
  const urlOf = (logicalId: string) => queues.find((queue) => queue.logicalId === logicalId)!.url
  return {
    ...running,
    lines,
    logged: () => lines.map(({ line }) => line).join('\n'),
    queues,
    client,
    urlOf,
    counts: (logicalId: string) => sqs.messageCounts(queues.find((queue) => queue.logicalId === logicalId)!.name),
    send: (logicalId: string, body: string, more: Partial<SendMessageCommandInput> = {}) =>
      client.send(new SendMessageCommand({ QueueUrl: urlOf(logicalId), MessageBody: body, ...more })),
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
