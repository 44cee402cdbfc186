// The event document of S3, version 2.1 ("Event message structure" in the S3 user guide).
import { encodeStrict } from './request.ts'

export type EventName =
  | 'ObjectCreated:Put'
  | 'ObjectCreated:Copy'
  | 'ObjectCreated:CompleteMultipartUpload'
  | 'ObjectRemoved:Delete'

/** Something that happened to an object, as the request that did it knows it. */
export interface Change {
  eventName: EventName
  bucket: string
  key: string
  at: Date
  request: { id: string; hostId: string; sourceIp: string }
  /** Absent when the object is gone. */
  created?: { sizeBytes: number; etag: string }
}

export interface S3EventRecord {
  eventVersion: '2.1'
  eventSource: 'aws:s3'
  awsRegion: string
  eventTime: string
  eventName: EventName
  userIdentity: { principalId: string }
  requestParameters: { sourceIPAddress: string }
  responseElements: { 'x-amz-request-id': string; 'x-amz-id-2': string }
  s3: {
    s3SchemaVersion: '1.0'
    configurationId: string
    bucket: { name: string; ownerIdentity: { principalId: string }; arn: string }
    /** `key` is form-encoded; `sequencer` grows with every change, compared as text. */
    object: { key: string; size?: number; eTag?: string; sequencer: string }
  }
}

export interface S3Event {
  Records: S3EventRecord[]
}

export interface S3TestEvent {
  Service: 'Amazon S3'
  Event: 's3:TestEvent'
  Time: string
  Bucket: string
  RequestId: string
  HostId: string
}

export function eventRecord(
  change: Change,
  { configurationId, region, sequence }: { configurationId: string; region: string; sequence: number },
): S3Event {
  const { bucket, key, created, request } = change
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: region,
        eventTime: change.at.toISOString(),
        eventName: change.eventName,
        userIdentity: { principalId: 'AWS:LOCAL' },
        requestParameters: { sourceIPAddress: request.sourceIp },
        responseElements: { 'x-amz-request-id': request.id, 'x-amz-id-2': request.hostId },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId,
          bucket: { name: bucket, ownerIdentity: { principalId: 'LOCAL' }, arn: `arn:aws:s3:::${bucket}` },
          object: {
            key: formEncode(key),
            ...(created && { size: created.sizeBytes, eTag: created.etag }),
            sequencer: sequence.toString(16).toUpperCase().padStart(18, '0'),
          },
        },
      },
    ],
  }
}

/** S3: keys in events are form-encoded: a space is `+`, and the slash stays. */
function formEncode(key: string): string {
  return encodeStrict(key).replaceAll('%20', '+').replaceAll('%2F', '/').replaceAll('%2A', '*')
}
