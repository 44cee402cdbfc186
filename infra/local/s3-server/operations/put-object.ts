import { readAttributes } from '../attributes.ts'
import type { Checksum } from '../checksums.ts'
import { checksumAlgorithms, findAlgorithm } from '../checksums.ts'
import type { Incoming, PayloadFacts } from '../payload.ts'
import { checkWrite } from '../preconditions.ts'
import { publish, receiveBody } from '../publish.ts'
import { quoted, type Reply } from '../reply.ts'
import { modifiedNow, type Store } from '../store.ts'

export async function putObject(store: Store, incoming: Incoming): Promise<Reply> {
  const { request } = incoming
  const { bucket, key } = request
  store.buckets.assertExists(bucket)
  const attributes = readAttributes(request)
  checkWrite(request, store.objects.find(bucket, key))
  const asked = findAlgorithm(request.header('x-amz-sdk-checksum-algorithm') ?? '')
  const { segment, facts } = await receiveBody(store, incoming, asked ? [asked] : [])
  const etag = facts.md5.toString('hex')
  const checksum = wholeChecksum(facts)
  const object = { bucket, key, etag, modified: modifiedNow(store), checksum, segments: [segment], ...attributes }
  await publish(store, { request, object, eventName: 'ObjectCreated:Put', ownsBlobs: true })
  return { status: 200, headers: { etag: quoted(etag), ...checksumHeaders(checksum) } }
}

export function wholeChecksum({ checksums }: PayloadFacts): Checksum | undefined {
  for (const algorithm of checksumAlgorithms) {
    const value = checksums[algorithm]
    if (value !== undefined) return { algorithm, type: 'FULL_OBJECT', value }
  }
  return undefined
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {}
  return { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': checksum.type }
}

/** `{ ChecksumCRC32: ... }`, as the XML documents name it. */
export function checksumElements(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {}
  return { [`Checksum${checksum.algorithm.toUpperCase()}`]: checksum.value, ChecksumType: checksum.type }
}
