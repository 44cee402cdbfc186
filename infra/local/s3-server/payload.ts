// A request's body, read once and proved right: length, payload hash, Content-MD5 and checksum.
import { createHash } from 'node:crypto'
import { decodeAwsChunked } from './aws-chunked.ts'
import { assertChecksumValue, type ChecksumAlgorithm, findAlgorithm, startChecksum } from './checksums.ts'
import type { S3Request } from './request.ts'
import { S3Error } from './s3-error.ts'
import type { PayloadFraming } from './signature.ts'

const maxDocumentBytes = 2 * 1024 * 1024

/** A verified request whose body can still be read. */
export interface Incoming {
  request: S3Request
  framing: PayloadFraming
  /** Answers `Expect: 100-continue`; does nothing when the client does not wait. */
  sendContinue: () => void
}

export interface PayloadFacts {
  sizeBytes: number
  md5: Buffer
  /** Base64 by algorithm, for those the client announced and those asked for. */
  checksums: Partial<Record<ChecksumAlgorithm, string>>
}

/**
 * Hands the decoded body to `sink` piece by piece, waiting for each. What the sink received counts only once this
 * has resolved.
 *
 * @throws {S3Error} BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, IncompleteBody, or what the framing throws.
 */
export async function readPayload(
  { request, framing, sendContinue }: Incoming,
  sink: (chunk: Buffer) => Promise<void>,
  alsoCompute: readonly ChecksumAlgorithm[] = [],
): Promise<PayloadFacts> {
  const expected = expectedChecksum(request)
  const algorithms = new Set([...alsoCompute, ...(expected ? [expected.algorithm] : [])])
  const sums = [...algorithms].map((algorithm) => ({ algorithm, sum: startChecksum(algorithm) }))
  const md5 = createHash('md5')
  const sha256 = framing.kind === 'plain' && framing.sha256 !== undefined ? createHash('sha256') : undefined
  const trailers = new Map<string, string>()
  let sizeBytes = 0
  sendContinue()
  for await (const chunk of decoded(request, framing, trailers)) {
    const stored = sink(chunk)
    sizeBytes += chunk.length
    md5.update(chunk)
    sha256?.update(chunk)
    for (const { sum } of sums) sum.update(chunk)
    await stored
  }
  const checksums = Object.fromEntries(sums.map(({ algorithm, sum }) => [algorithm, sum.digest().toString('base64')]))
  const facts: PayloadFacts = { sizeBytes, md5: md5.digest(), checksums }
  checkLength(request, sizeBytes)
  if (framing.kind === 'plain' && framing.sha256 !== sha256?.digest('hex')) {
    throw new S3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
  }
  checkMd5(request, facts.md5)
  checkChecksum(expected, trailers, facts)
  return facts
}

/** A small body as text, for the XML requests. */
export async function readDocument(incoming: Incoming): Promise<string> {
  const chunks: Buffer[] = []
  let heldBytes = 0
  await readPayload(incoming, async (chunk) => {
    heldBytes += chunk.length
    if (heldBytes > maxDocumentBytes) throw new S3Error('MalformedXML', 'The XML document is too large.')
    chunks.push(chunk)
  })
  return Buffer.concat(chunks).toString('utf8')
}

async function* decoded(
  request: S3Request,
  framing: PayloadFraming,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer, void> {
  // Kept open on an early end: destroying the request would cut the connection before the refusal is sent.
  const source: AsyncIterable<Buffer> = {
    [Symbol.asyncIterator]: () => request.source.iterator({ destroyOnReturn: false }),
  }
  if (framing.kind === 'plain') yield* source
  else yield* decodeAwsChunked(source[Symbol.asyncIterator](), framing, trailers)
}

interface ExpectedChecksum {
  algorithm: ChecksumAlgorithm
  /** Absent while it is still to come, in the trailer. */
  value: string | undefined
}

function expectedChecksum(request: S3Request): ExpectedChecksum | undefined {
  const announced: ExpectedChecksum[] = []
  for (const [name, value] of request.headers) {
    const algorithm = algorithmOfHeader(name)
    if (algorithm !== undefined) announced.push({ algorithm, value })
  }
  for (const name of (request.header('x-amz-trailer') ?? '').split(',')) {
    const algorithm = algorithmOfHeader(name.trim().toLowerCase())
    if (algorithm !== undefined) announced.push({ algorithm, value: undefined })
  }
  if (announced.length > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  }
  return announced[0]
}

function algorithmOfHeader(name: string): ChecksumAlgorithm | undefined {
  return name.startsWith('x-amz-checksum-') ? findAlgorithm(name.slice('x-amz-checksum-'.length)) : undefined
}

function checkLength(request: S3Request, sizeBytes: number): void {
  const announced = request.contentLength
  if (announced !== undefined && announced !== sizeBytes) {
    throw new S3Error('IncompleteBody', 'The request body does not have the number of bytes that was announced.', {
      NumberBytesExpected: String(announced),
      NumberBytesProvided: String(sizeBytes),
    })
  }
}

function checkMd5(request: S3Request, md5: Buffer): void {
  const given = request.header('content-md5')
  if (given === undefined) return
  const expected = Buffer.from(given, 'base64')
  if (expected.length !== 16) throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.')
  if (!expected.equals(md5)) {
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
      ExpectedDigest: expected.toString('hex'),
      CalculatedDigest: md5.toString('base64'),
    })
  }
}

function checkChecksum(
  expected: ExpectedChecksum | undefined,
  trailers: ReadonlyMap<string, string>,
  facts: PayloadFacts,
): void {
  if (expected === undefined) return
  const { algorithm } = expected
  const value = expected.value ?? trailers.get(`x-amz-checksum-${algorithm}`)
  if (value === undefined) {
    throw new S3Error(
      'MalformedTrailerError',
      `The trailer x-amz-checksum-${algorithm} was announced and did not come.`,
    )
  }
  assertChecksumValue(algorithm, value)
  if (value !== facts.checksums[algorithm]) {
    throw new S3Error(
      'BadDigest',
      `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    )
  }
}
