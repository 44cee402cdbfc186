import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  CreateBucketCommand,
  GetBucketAclCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { expect, it, onTestFinished } from 'vitest'
import { countBlobs, startServer } from './start-server.ts'

const target = { Bucket: 'images', Key: 'a' }

it('refuses what it does not do with 501, and names it', async () => {
  const { s3 } = await startServer()
  const refused = (message: string) => ({
    name: 'NotImplemented',
    message: expect.stringContaining(message),
    $metadata: { httpStatusCode: 501 },
  })
  await expect(s3.send(new GetBucketAclCommand({ Bucket: 'images' }))).rejects.toMatchObject(refused('GET bucket?acl'))
  const versioning = s3.send(new GetBucketVersioningCommand({ Bucket: 'images' }))
  await expect(versioning).rejects.toMatchObject(refused('GET bucket?versioning'))
  const version = s3.send(new GetObjectCommand({ ...target, VersionId: 'x' }))
  await expect(version).rejects.toMatchObject(refused('GET object?versionId'))
  const put = (input: Partial<PutObjectCommandInput>) =>
    s3.send(new PutObjectCommand({ ...target, Body: 'x', ...input }))
  await expect(put({ ServerSideEncryption: 'aws:kms' })).rejects.toMatchObject(refused('x-amz-server-side-encryption'))
  await expect(put({ StorageClass: 'GLACIER' })).rejects.toMatchObject(refused('x-amz-storage-class'))
  await expect(put({ ObjectLockLegalHoldStatus: 'ON' })).rejects.toMatchObject(refused('x-amz-object-lock-legal-hold'))
  await expect(put({ ACL: 'public-read' })).rejects.toMatchObject({ name: 'AccessControlListNotSupported' })
  await expect(s3.send(new ListObjectsV2Command({ Bucket: 'images' }))).resolves.toMatchObject({ KeyCount: 0 })
})

it('describes a failure in the XML of S3, with the id of the request in body and header', async () => {
  const { s3 } = await startServer()
  const answer = await fetch(await getSignedUrl(s3, new GetObjectCommand({ ...target, Key: 'a&b' })))
  const id = answer.headers.get('x-amz-request-id')
  expect(answer.status).toBe(404)
  expect(answer.headers.get('content-type')).toBe('application/xml')
  expect(await answer.text()).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.' +
      `</Message><Key>a&amp;b</Key><Resource>/images/a%26b</Resource><RequestId>${id}</RequestId>` +
      `<HostId>${answer.headers.get('x-amz-id-2')}</HostId></Error>`,
  )
})

it('asks for the body with 100 Continue only when it wants it', async () => {
  const { s3 } = await startServer()
  const put = async (command: PutObjectCommand) => {
    const headers = { expect: '100-continue', 'content-length': 4, 'if-none-match': '*' }
    const url = await getSignedUrl(s3, command)
    const request = httpRequest(url, { method: 'PUT', headers })
    let isAsked = false
    request.on('continue', () => {
      isAsked = true
      request.end('body')
    })
    request.flushHeaders()
    const [response] = await once(request, 'response')
    request.destroy()
    return { isAsked, status: response.statusCode }
  }
  expect(await put(new PutObjectCommand(target))).toEqual({ isAsked: true, status: 200 })
  expect(await put(new PutObjectCommand(target))).toEqual({ isAsked: false, status: 412 })
})

it('keeps a connection usable after it refused a body without reading it', async () => {
  const { s3 } = await startServer()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  await s3.send(new PutObjectCommand({ ...target, Body: 'x' }))
  const url = await getSignedUrl(s3, new PutObjectCommand(target))
  const send = async (headers: Record<string, string>) => {
    const request = httpRequest(url, { agent, method: 'PUT', headers }).end(Buffer.alloc(3_000_000))
    const [response] = await once(request, 'response')
    return { status: response.statusCode, body: await text(response), port: request.socket?.localPort }
  }
  const refused = await send({ 'if-none-match': '*' })
  const accepted = await send({})
  expect([refused.status, accepted.status]).toEqual([412, 200])
  expect(accepted.port).toBe(refused.port)
})

it('wants a length, and a body of just that length', async () => {
  const { server, s3, dataDir } = await startServer()
  const url = new URL(await getSignedUrl(s3, new PutObjectCommand(target)))
  const send = async (headers: string, body: string) => {
    const socket = connectSocket(server.port, '127.0.0.1')
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n${headers}\r\n\r\n${body}`,
    )
    return text(socket)
  }
  expect(await send('Transfer-Encoding: chunked', '1\r\nx\r\n0\r\n\r\n')).toMatch(/^HTTP\/1.1 411 /)
  const longer = await send('Transfer-Encoding: chunked\r\nx-amz-decoded-content-length: 2', '1\r\nx\r\n0\r\n\r\n')
  expect(longer).toContain('not signed')
  expect(await send('Content-Length: 6000000000', '')).toContain('<Code>EntityTooLarge</Code>')
  expect(await send('Content-Length: 1', 'x')).toMatch(/^HTTP\/1.1 200 /)
  expect(await countBlobs(dataDir)).toBe(1)
})

it('refuses a document it cannot read', async () => {
  const { s3 } = await startServer()
  const create = new CreateBucketCommand({ Bucket: 'brand-new' })
  const location = await getSignedUrl(s3, create, { unsignableHeaders: new Set(['content-length']) })
  for (const body of ['<CreateBucketConfiguration>', '<Other/>', 'text', '<A></B>', '<CreateBucketConfiguration/>&']) {
    const answer = await fetch(location, { method: 'PUT', body })
    expect(await answer.text()).toContain('<Code>MalformedXML</Code>')
  }
})

it('refuses more metadata than 2 KB', async () => {
  const { s3 } = await startServer()
  const put = s3.send(new PutObjectCommand({ ...target, Body: 'x', Metadata: { a: 'b'.repeat(2048) } }))
  await expect(put).rejects.toMatchObject({ name: 'MetadataTooLarge' })
})
