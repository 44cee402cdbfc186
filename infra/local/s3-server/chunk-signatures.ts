import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { S3Error } from './s3-error.ts'

const emptySha256 = createHash('sha256').digest('hex')

interface SigningContext {
  signingKey: Buffer
  scope: string
  timestamp: string
  seedSignature: string
}

/** The chain of signatures over an aws-chunked body: each covers its chunk and the signature before it. */
export class ChunkSignatures {
  readonly #context: SigningContext
  #previous: string

  constructor(context: SigningContext) {
    this.#context = context
    this.#previous = context.seedSignature
  }

  /** @throws {S3Error} SignatureDoesNotMatch. Chunks must be handed in in their order. */
  verifyChunk(sha256: string, signature: string): void {
    this.#verify(['AWS4-HMAC-SHA256-PAYLOAD', emptySha256, sha256], signature)
  }

  /** `trailers` as they are signed: `name:value` and a line feed for each. */
  verifyTrailers(trailers: string, signature: string): void {
    this.#verify(['AWS4-HMAC-SHA256-TRAILER', createHash('sha256').update(trailers).digest('hex')], signature)
  }

  #verify([label = '', ...hashes]: string[], signature: string): void {
    const { signingKey, scope, timestamp } = this.#context
    const stringToSign = [label, timestamp, scope, this.#previous, ...hashes].join('\n')
    const expected = createHmac('sha256', signingKey).update(stringToSign).digest()
    const given = Buffer.from(signature, 'hex')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new S3Error('SignatureDoesNotMatch', 'The signature of a chunk or of the trailer does not match.', {
        StringToSign: stringToSign,
        SignatureProvided: signature,
      })
    }
    this.#previous = signature
  }
}
