import type { APIGatewayProxyEventV2, Context, SQSEvent, SQSRecord } from 'aws-lambda'

/** One S3 event record, as AWS writes it (notification-content-structure). */
export function createdRecord(object: {
  key: string
  size?: number
  eTag?: string
  sequencer?: string
  at?: string
  eventName?: string
}) {
  const { key, size = 3, eTag = '900150983cd24fb0d6963f7d28e17f72', sequencer = '0055AED6DCD90281E5' } = object
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'eu-central-1',
    eventTime: object.at ?? '2026-01-01T00:00:00.000Z',
    eventName: object.eventName ?? 'ObjectCreated:Put',
    userIdentity: { principalId: 'AWS:LOCAL' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': 'r', 'x-amz-id-2': 'i' },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'c',
      bucket: { name: 'incoming', ownerIdentity: { principalId: 'LOCAL' }, arn: 'arn:aws:s3:::incoming' },
      object: { key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'), size, eTag, sequencer },
    },
  }
}

interface RecordOptions {
  group?: string
  receiveCount?: number
  sentAt?: Date | undefined
}

export function sqsEvent(bodies: readonly string[], options: RecordOptions = {}): SQSEvent {
  return { Records: bodies.map((body, index) => sqsRecord(body, index, options)) }
}

/** Messages of one FIFO group, as the product writes them. */
export const eventOf = (messages: readonly object[]): SQSEvent =>
  sqsEvent(
    messages.map((message) => JSON.stringify(message)),
    { group: 'group' },
  )

function sqsRecord(
  body: string,
  index: number,
  { group, receiveCount = 1, sentAt = new Date() }: RecordOptions,
): SQSRecord {
  return {
    messageId: `message-${index}`,
    receiptHandle: `receipt-${index}`,
    body,
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: String(sentAt.getTime()),
      SenderId: 'test',
      ApproximateFirstReceiveTimestamp: '0',
      ...(group !== undefined && { MessageGroupId: group }),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:000000000000:test',
    awsRegion: 'eu-central-1',
  }
}

export function httpEvent(request: {
  method?: string
  path: string
  pathParameters?: Record<string, string>
  headers?: Record<string, string>
  body?: string
  isBase64Encoded?: boolean
}): APIGatewayProxyEventV2 {
  const { method = 'GET', path, pathParameters, headers = {}, body, isBase64Encoded = false } = request
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers,
    requestContext: {
      accountId: '000000000000',
      apiId: 'test',
      domainName: 'test',
      domainPrefix: 'test',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'request',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    isBase64Encoded,
    ...(pathParameters && { pathParameters }),
    ...(body !== undefined && { body }),
  }
}

export function lambdaContext(remainingMs = 30_000): Context {
  const endsAt = Date.now() + remainingMs
  return {
    awsRequestId: '00000000-0000-4000-8000-000000000001',
    functionName: 'test',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:test',
    memoryLimitInMB: '512',
    logGroupName: 'test',
    logStreamName: 'test',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => endsAt - Date.now(),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  }
}
