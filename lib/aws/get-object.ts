// Opens one object. Deliveries do little else, so the good case goes straight to the connection: signed by the SDK's
// signer and past its middleware, which takes twice as long again and leaves four times as much to collect.
import { Readable } from 'node:stream'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getEndpointFromInstructions } from '@smithy/core/endpoints'
import { escapeUriPath, HttpRequest } from '@smithy/core/protocols'
import * as z from 'zod'
import { StorageError } from '../errors.ts'
import { orThrow } from './failure.ts'
import type { Bucket } from './object-sets.ts'
import type { ObjectStore, OpenObject } from './objects.ts'

type OpenOptions = NonNullable<Parameters<ObjectStore['open']>[1]>

export function openObject(place: Bucket): ObjectStore['open'] {
  const getPlainly = plainGet(place)
  return async (key, options = {}) => {
    // What is not the object is asked for again: the SDK knows how often, what S3's errors mean, and how to set its clock.
    const opened = (await getPlainly(key, options)) ?? (await getBySdk(place, key, options))
    return options.range === undefined ? opened : { ...opened, md5: undefined }
  }
}

async function getBySdk({ client, bucket }: Bucket, key: string, options: OpenOptions): Promise<OpenObject> {
  const { ifMatch, range, signal } = options
  const command = new GetObjectCommand({
    Bucket: bucket,
    Key: key,
    ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    ...(range && { Range: rangeHeader(range) }),
  })
  const reply = await orThrow(client.send(command, signal && { abortSignal: signal }), 'GetObject')
  if (!(reply.Body instanceof Readable)) {
    throw new StorageError('GetObject answered without a body', { code: 'STORAGE_BUSY' })
  }
  const { ETag: etag = '', ServerSideEncryption, SSECustomerAlgorithm } = reply
  return {
    body: waiting(reply.Body),
    md5: md5Of(etag, [ServerSideEncryption, SSECustomerAlgorithm]),
    sizeBytes: reply.ContentLength ?? 0,
    etag,
    metadata: reply.Metadata ?? {},
  }
}

/** Asks for an object once. `undefined` for any answer but the object, and when there was none. */
function plainGet({ client, bucket }: Bucket) {
  let place: Promise<SignedPlace | undefined> | undefined
  return async (key: string, options: OpenOptions): Promise<OpenObject | undefined> => {
    try {
      place ??= findPlace({ client, bucket })
      const found = await place
      return found && (await getSigned(client, found, key, options))
    } catch {
      place = undefined
      return undefined
    }
  }
}

/** Where a bucket is, and who signs for it. */
interface SignedPlace {
  url: URL
  signer: Awaited<ReturnType<S3Client['config']['signer']>>
}

const UsualScheme = z.object({ name: z.literal('sigv4'), signingName: z.string(), signingRegion: z.string() })

/** `undefined` for a bucket that is not signed for in the usual way (S3: directory buckets, multi-region access points). */
async function findPlace({ client: { config }, bucket }: Bucket): Promise<SignedPlace | undefined> {
  const { url, properties } = await getEndpointFromInstructions({ Bucket: bucket, Key: '' }, GetObjectCommand, config)
  const scheme = UsualScheme.safeParse(properties?.['authSchemes']?.[0])
  return scheme.success ? { url, signer: await config.signer({ ...scheme.data, properties: {} }) } : undefined
}

async function getSigned(
  { config }: S3Client,
  { url, signer }: SignedPlace,
  key: string,
  { ifMatch, range, signal }: OpenOptions,
): Promise<OpenObject | undefined> {
  const request = new HttpRequest({
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    path: `${url.pathname.replace(/\/$/, '')}/${escapeUriPath(key)}`,
    headers: {
      host: url.host,
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      ...(range && { range: rangeHeader(range) }),
    },
  })
  // How far this machine's clock is off is learnt by the SDK, from an answer that refuses it.
  const signed = await signer.sign(request, { signingDate: new Date(Date.now() + config.systemClockOffset) })
  const { response } = await config.requestHandler.handle(HttpRequest.clone(signed), { abortSignal: signal })
  const { statusCode, headers } = response
  const body = waiting(response.body)
  if (statusCode !== (range === undefined ? 200 : 206)) {
    body.destroy()
    return undefined
  }
  const etag = headers['etag'] ?? ''
  return {
    body,
    md5: md5Of(etag, [
      headers['x-amz-server-side-encryption'],
      headers['x-amz-server-side-encryption-customer-algorithm'],
    ]),
    sizeBytes: Number(headers['content-length'] ?? 0),
    etag,
    metadata: metadataOf(headers),
  }
}

/**
 * A body may wait unread for its turn. When its connection breaks meanwhile, the reader meets the error; without a
 * listener it would end the process.
 */
const waiting = (body: Readable) => body.on('error', () => undefined)

const rangeHeader = ({ first, last }: { first: number; last: number }) => `bytes=${first}-${last}`

const metadataPrefix = 'x-amz-meta-'

const metadataOf = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.keys(headers)
      .filter((name) => name.startsWith(metadataPrefix))
      .map((name) => [name.slice(metadataPrefix.length), headers[name] ?? '']),
  )

// S3: the ETag is the MD5 of an object that was put in one part, in plain text or encrypted with S3's own keys; of others
// it is not (API reference, "Object", ETag).
function md5Of(etag: string, [own, customers]: readonly [string | undefined, string | undefined]): string | undefined {
  const isOwnKey = own === undefined || own === 'AES256'
  return isOwnKey && customers === undefined ? /^"([0-9a-f]{32})"$/.exec(etag)?.[1] : undefined
}
