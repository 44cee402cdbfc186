import { createHash } from 'node:crypto'
import { assertChecksumValue, type Checksum, checksumAlgorithms, sumPartChecksums } from '../checksums.ts'
import { type Incoming, readDocument } from '../payload.ts'
import { checkWrite } from '../preconditions.ts'
import { publish } from '../publish.ts'
import { documentReply, quoted, type Reply } from '../reply.ts'
import { invalidArgument, S3Error } from '../s3-error.ts'
import { modifiedNow, type Store } from '../store.ts'
import type { Part, Upload } from '../upload-index.ts'
import { parseXml, type XmlElement } from '../xml.ts'
import { checksumElements } from './put-object.ts'
import { requestedUpload } from './uploads.ts'

/** S3: every part but the last has at least 5 MiB ("Amazon S3 multipart upload limits"). */
const minPartBytes = 5 * 1024 ** 2

/** Joins the parts by listing their files: nothing is copied, whatever their size. */
export async function completeMultipartUpload(store: Store, incoming: Incoming): Promise<Reply> {
  const { request } = incoming
  const { bucket, key } = request
  requestedUpload(store, request)
  checkWrite(request, store.objects.find(bucket, key))
  const wanted = readWantedParts(await readDocument(incoming))
  // Read again after the body: another request may have finished or ended this upload meanwhile.
  const upload = requestedUpload(store, request)
  const parts = chooseParts(store, upload, wanted)
  checkSize(request.header('x-amz-mp-object-size'), parts)
  const etag = joinedEtag(parts)
  const checksum = joinedChecksum(upload, parts)
  checkExpected(request.header(`x-amz-checksum-${checksum?.algorithm ?? ''}`), checksum)
  const { headers, tags } = upload
  const object = { bucket, key, etag, modified: modifiedNow(store), checksum, segments: parts, headers, tags }
  const alongside = () => {
    const kept = new Set(parts.map((part) => part.blobId))
    return store.uploads.remove(upload.id).filter((blobId) => !kept.has(blobId))
  }
  await publish(store, {
    request,
    object,
    eventName: 'ObjectCreated:CompleteMultipartUpload',
    ownsBlobs: false,
    alongside,
  })
  return documentReply('CompleteMultipartUploadResult', {
    Location: `http://${request.header('host') ?? ''}/${encodeURIComponent(bucket)}/${encodeURIComponent(key)}`,
    Bucket: bucket,
    Key: key,
    ETag: quoted(etag),
    ...checksumElements(checksum),
  })
}

interface WantedPart {
  number: number
  etag: string
  element: XmlElement
}

function readWantedParts(document: string): WantedPart[] {
  const wanted = parseXml(document, 'CompleteMultipartUpload')
    .all('Part')
    .map((element) => ({
      number: Number(element.get('PartNumber')),
      etag: element.get('ETag').trim().replaceAll('"', ''),
      element,
    }))
  if (wanted.length === 0) throw new S3Error('MalformedXML', 'The XML you provided must name at least one part.')
  return wanted
}

function chooseParts(store: Store, upload: Upload, wanted: readonly WantedPart[]): Part[] {
  const uploaded = new Map(store.uploads.parts(upload.id).map((part) => [part.number, part]))
  let previous = 0
  const parts = wanted.map(({ number, etag, element }) => {
    if (!(number > previous)) {
      throw new S3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
        {
          UploadId: upload.id,
        },
      )
    }
    previous = number
    const part = uploaded.get(number)
    if (part?.etag !== etag || !hasSameChecksums(element, part)) throw invalidPart(upload, number, etag)
    return part
  })
  for (const part of parts.slice(0, -1)) {
    if (part.sizeBytes < minPartBytes) {
      throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        ProposedSize: String(part.sizeBytes),
        MinSizeAllowed: String(minPartBytes),
        PartNumber: String(part.number),
        ETag: part.etag,
      })
    }
  }
  return parts
}

const invalidPart = (upload: Upload, number: number, etag: string) =>
  new S3Error(
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    {
      UploadId: upload.id,
      PartNumber: String(number),
      ETag: etag,
    },
  )

function hasSameChecksums(element: XmlElement, part: Part): boolean {
  return checksumAlgorithms.every((algorithm) => {
    const claimed = element.find(`Checksum${algorithm.toUpperCase()}`)
    return claimed === undefined || claimed === part.checksums[algorithm]
  })
}

function checkSize(announced: string | undefined, parts: readonly Part[]): void {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
  if (announced !== undefined && announced !== String(sizeBytes)) {
    throw invalidArgument(`The size of the parts is ${sizeBytes}.`, 'x-amz-mp-object-size', announced)
  }
}

/** S3: the MD5 of the parts' MD5s, and the number of parts. */
function joinedEtag(parts: readonly Part[]): string {
  const md5 = createHash('md5')
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'))
  return `${md5.digest('hex')}-${parts.length}`
}

function joinedChecksum({ checksum }: Upload, parts: readonly Part[]): Checksum | undefined {
  if (checksum === undefined) return undefined
  return sumPartChecksums(
    checksum,
    parts.map((part) => ({ value: part.checksums[checksum.algorithm] ?? '', sizeBytes: part.sizeBytes })),
  )
}

function checkExpected(expected: string | undefined, checksum: Checksum | undefined): void {
  if (expected === undefined || checksum === undefined) return
  const [value = ''] = expected.split('-')
  assertChecksumValue(checksum.algorithm, value)
  const actual = expected.includes('-') ? checksum.value : checksum.value.split('-')[0]
  if (expected !== actual) {
    throw new S3Error('BadDigest', `The ${checksum.algorithm} you specified did not match the calculated checksum.`)
  }
}
