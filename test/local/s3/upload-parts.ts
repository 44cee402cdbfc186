import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'

/** A multipart upload from beginning to end, its parts numbered from 1. */
export async function uploadParts(s3: S3Client, target: { Bucket: string; Key: string }, bodies: readonly Buffer[]) {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target))
  const Parts = []
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1
    const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }))
    Parts.push({ PartNumber, ETag })
  }
  return s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }))
}
