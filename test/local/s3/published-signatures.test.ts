// The worked examples of the Amazon S3 API reference ("Authenticating Requests: Using the Authorization Header",
// "... Using Query Parameters", "Transferring Payload in Multiple Chunks", "... Including Trailing Headers").
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { connect, type Started, startServer } from './start-server.ts'

const example = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  now: () => new Date('2013-05-24T00:00:00Z'),
}
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

interface Call {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

async function send({ port }: Started['server'], { method, path, headers, body = '' }: Call) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const request = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
    text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject)
  })
  request.on('error', reject).end(body)
  return promise
}

const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`

const getTest: Call = {
  method: 'GET',
  path: '/test.txt',
  headers: {
    host: 'examplebucket.s3.amazonaws.com',
    authorization: authorization(
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
    range: 'bytes=0-9',
    'x-amz-content-sha256': emptySha256,
    'x-amz-date': '20130524T000000Z',
  },
}

// The examples address the bucket by host name. Here its path names a bucket that is not there, which only a
// request with a right signature is told.
it('accepts the signed GET of the reference, and refuses it when one signed header differs', async () => {
  const { server } = await startServer(example)
  expect((await send(server, getTest)).body).toContain('<Code>NoSuchBucket</Code>')
  const tampered = { ...getTest, headers: { ...getTest.headers, range: 'bytes=0-8' } }
  expect(await send(server, tampered)).toMatchObject({
    status: 403,
    body: expect.stringContaining('<Code>SignatureDoesNotMatch</Code>'),
  })
})

it('accepts the presigned URL of the reference until its 24 hours are over', async () => {
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    'X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request',
    'X-Amz-Date=20130524T000000Z',
    'X-Amz-Expires=86400',
    'X-Amz-SignedHeaders=host',
    'X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  ].join('&')
  const call = { method: 'GET', path: `/test.txt?${query}`, headers: { host: 'examplebucket.s3.amazonaws.com' } }
  const inTime = await startServer({ ...example, now: () => new Date('2013-05-25T00:00:00Z') })
  expect((await send(inTime.server, call)).body).toContain('<Code>NoSuchBucket</Code>')
  const tooLate = await startServer({ ...example, now: () => new Date('2013-05-25T00:00:01Z') })
  expect(await send(tooLate.server, call)).toMatchObject({
    status: 403,
    body: expect.stringContaining('Request has expired'),
  })
})

const chunked: Call = {
  method: 'PUT',
  path: '/examplebucket/chunkObject.txt',
  headers: {
    host: 's3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    authorization: authorization(
      'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    ),
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '66560',
    'content-length': '66824',
  },
  body: [
    `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${'a'.repeat(65536)}\r\n`,
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${'a'.repeat(1024)}\r\n`,
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
  ].join(''),
}

const chunkedWithTrailer: Call = {
  ...chunked,
  headers: {
    host: 's3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    authorization: authorization(
      'content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer',
      '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
    ),
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '66560',
    'x-amz-trailer': 'x-amz-checksum-crc32c',
  },
  body: [
    `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${'a'.repeat(65536)}\r\n`,
    `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${'a'.repeat(1024)}\r\n`,
    '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n',
    'x-amz-checksum-crc32c:sOO8/Q==\r\n',
    'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
  ].join(''),
}

for (const [name, call] of Object.entries({ 'signed chunks': chunked, 'a signed trailer': chunkedWithTrailer })) {
  it(`stores the reference's upload in ${name}, and nothing when a byte or a signature differs`, async () => {
    const { server } = await startServer(example)
    await server.createBucket('examplebucket')
    const changes = [
      (body: string) => body.replace('aaa', 'aba'),
      (body: string) => body.replace('400;chunk-signature=0', '400;chunk-signature=1').replace('=1c13', '=1c14'),
      (body: string) => body.replace('=b6c6', '=b6c7').replace('=2ca2', '=2ca3'),
      (body: string) => body.replace('trailer-signature:d8', 'trailer-signature:d9').replace('=b6c6', '=b6c7'),
    ]
    for (const change of changes) {
      const refused = await send(server, { ...call, body: change(call.body ?? '') })
      expect(refused).toMatchObject({ status: 403, body: expect.stringContaining('SignatureDoesNotMatch') })
    }
    const s3 = connect(server, {
      region: example.region,
      credentials: example.credentials,
      systemClockOffset: -Date.now() + example.now().getTime(),
    })
    const get = () => s3.send(new GetObjectCommand({ Bucket: 'examplebucket', Key: 'chunkObject.txt' }))
    await expect(get()).rejects.toMatchObject({ name: 'NoSuchKey' })
    expect(await send(server, call)).toMatchObject({ status: 200 })
    const got = await get()
    expect(await got.Body?.transformToString()).toBe('a'.repeat(66560))
    expect(got.ContentEncoding).toBeUndefined()
    expect(got.StorageClass).toBe('REDUCED_REDUNDANCY')
  })
}
