// Which rights each command of the AWS SDK needs (Service Authorization Reference; S3, "Required permissions for
// Amazon S3 API operations").

import * as z from 'zod'

export interface Right {
  action: string
  arn: string
}

const S3Input = z.object({
  Bucket: z.string(),
  Key: z.string().optional(),
  Tagging: z.unknown().optional(),
  CopySource: z.string().optional(),
  Delete: z.object({ Objects: z.array(z.object({ Key: z.string() })) }).optional(),
})
type S3Input = z.infer<typeof S3Input>

const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`
const keyArn = ({ Bucket, Key = '' }: S3Input) => `${bucketArn(Bucket)}/${Key}`
const onKey =
  (...actions: string[]) =>
  (input: S3Input): Right[] =>
    actions.map((action) => ({ action, arn: keyArn(input) }))
const put = (input: S3Input): Right[] => [
  ...onKey('s3:PutObject')(input),
  ...(input.Tagging === undefined ? [] : onKey('s3:PutObjectTagging')(input)),
]

const s3: Readonly<Record<string, (input: S3Input) => Right[]>> = {
  GetObjectCommand: onKey('s3:GetObject'),
  HeadObjectCommand: onKey('s3:GetObject'),
  PutObjectCommand: put,
  CreateMultipartUploadCommand: put,
  UploadPartCommand: onKey('s3:PutObject'),
  CompleteMultipartUploadCommand: onKey('s3:PutObject'),
  AbortMultipartUploadCommand: onKey('s3:AbortMultipartUpload'),
  CopyObjectCommand: (input) => [...put(input), { action: 's3:GetObject', arn: bucketArn(input.CopySource ?? '') }],
  DeleteObjectCommand: onKey('s3:DeleteObject'),
  DeleteObjectsCommand: (input) =>
    (input.Delete?.Objects ?? []).flatMap(({ Key }) => onKey('s3:DeleteObject')({ ...input, Key })),
  GetObjectTaggingCommand: onKey('s3:GetObjectTagging'),
  PutObjectTaggingCommand: onKey('s3:PutObjectTagging'),
  ListObjectsV2Command: ({ Bucket }) => [{ action: 's3:ListBucket', arn: bucketArn(Bucket) }],
}

const sqs: Readonly<Record<string, string>> = {
  SendMessageCommand: 'sqs:SendMessage',
  SendMessageBatchCommand: 'sqs:SendMessage',
  ReceiveMessageCommand: 'sqs:ReceiveMessage',
  DeleteMessageCommand: 'sqs:DeleteMessage',
  DeleteMessageBatchCommand: 'sqs:DeleteMessage',
  ChangeMessageVisibilityCommand: 'sqs:ChangeMessageVisibility',
  ChangeMessageVisibilityBatchCommand: 'sqs:ChangeMessageVisibility',
  GetQueueAttributesCommand: 'sqs:GetQueueAttributes',
}

/** A command that is not known here needs a right that no role gives: none passes unexamined. */
export function neededRights(command: string, input: unknown, place: { region: string; account: string }): Right[] {
  const ofS3 = s3[command]
  if (ofS3 !== undefined) return ofS3(S3Input.parse(input))
  const ofSqs = sqs[command]
  if (ofSqs !== undefined) {
    const { QueueUrl } = z.object({ QueueUrl: z.string() }).parse(input)
    const name = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)
    return [{ action: ofSqs, arn: `arn:aws:sqs:${place.region}:${place.account}:${name}` }]
  }
  if (command === 'GetSecretValueCommand') {
    const { SecretId } = z.object({ SecretId: z.string() }).parse(input)
    // Secrets Manager: ends every ARN in a hyphen and six characters of its own.
    const arn = `arn:aws:secretsmanager:${place.region}:${place.account}:secret:${SecretId}-AbCdEf`
    return [{ action: 'secretsmanager:GetSecretValue', arn: SecretId.startsWith('arn:') ? SecretId : arn }]
  }
  return [{ action: `what ${command} needs, which is to be written down in needed-rights.ts,`, arn: 'anything' }]
}
