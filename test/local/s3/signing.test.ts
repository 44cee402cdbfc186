import { GetObjectCommand, HeadBucketCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { expect, it } from 'vitest'
import { changeBody, connect, credentials, startServer } from './start-server.ts'

const target = { Bucket: 'images', Key: 'dir/a file+1.txt' }

it('refuses whoever does not sign, or signs with another key, secret or region', async () => {
  const { server } = await startServer()
  const unsigned = await fetch(`${server.url}/images`)
  expect(unsigned.status).toBe(403)
  expect(await unsigned.text()).toContain('<Code>AccessDenied</Code>')
  const list = (config: Parameters<typeof connect>[1]) => connect(server, config).send(new ListBucketsCommand({}))
  await expect(list({ credentials: { ...credentials, accessKeyId: 'other' } })).rejects.toMatchObject({
    name: 'InvalidAccessKeyId',
  })
  await expect(list({ credentials: { ...credentials, secretAccessKey: 'other' } })).rejects.toMatchObject({
    name: 'SignatureDoesNotMatch',
  })
  await expect(list({ credentials: { ...credentials, sessionToken: 'token' } })).rejects.toMatchObject({
    name: 'InvalidToken',
  })
  await expect(list({ region: 'us-west-2' })).rejects.toMatchObject({
    name: 'AuthorizationHeaderMalformed',
    Region: 'eu-central-1',
  })
})

it('refuses a request signed more than 15 minutes off its clock', async () => {
  const shift = { ms: 0 }
  const { s3 } = await startServer({ now: () => new Date(Date.now() + shift.ms) })
  const head = () => s3.send(new ListBucketsCommand({}))
  shift.ms = 14 * 60_000
  await expect(head()).resolves.toBeDefined()
  shift.ms = -16 * 60_000
  await expect(head()).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' })
})

it('lets a client with a wrong clock correct itself by the Date of the refusal', async () => {
  const { server } = await startServer({ now: () => new Date(Date.now() + 3_600_000) })
  const s3 = connect(server, { maxAttempts: 2 })
  await expect(s3.send(new HeadBucketCommand({ Bucket: 'images' }))).resolves.toMatchObject({
    $metadata: { attempts: 2 },
  })
})

it('refuses a body that is not the one that was signed', async () => {
  const { s3 } = await startServer()
  const put = new PutObjectCommand({ ...target, Body: 'signed' })
  changeBody(put, () => 'forged')
  await expect(s3.send(put)).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch' })
  await expect(s3.send(new GetObjectCommand(target))).rejects.toMatchObject({ name: 'NoSuchKey' })
})

it('serves presigned PUT and GET to plain fetch, with the headers the URL carries', async () => {
  const { s3 } = await startServer()
  const put = new PutObjectCommand({ ...target, Metadata: { origin: 'browser' }, Tagging: 'a=b' })
  const putUrl = await getSignedUrl(s3, put, { expiresIn: 60 })
  expect((await fetch(putUrl, { method: 'PUT', body: 'by hand' })).status).toBe(200)
  const get = new GetObjectCommand({
    ...target,
    ResponseContentType: 'text/plain',
    ResponseContentDisposition: 'attachment; filename="ü.txt"',
    ResponseCacheControl: 'no-cache',
  })
  const got = await fetch(await getSignedUrl(s3, get, { expiresIn: 60 }))
  expect(await got.text()).toBe('by hand')
  expect(got.headers.get('content-type')).toBe('text/plain')
  expect(got.headers.get('cache-control')).toBe('no-cache')
  expect(Buffer.from(got.headers.get('content-disposition') ?? '', 'latin1').toString()).toContain('ü.txt')
  expect(got.headers.get('x-amz-meta-origin')).toBe('browser')
  expect(got.headers.get('x-amz-tagging-count')).toBe('1')
})

it('refuses a presigned URL that has expired, was changed, or is used with headers it does not cover', async () => {
  const shift = { ms: 0 }
  const { s3 } = await startServer({ now: () => new Date(Date.now() + shift.ms) })
  await s3.send(new PutObjectCommand({ ...target, Body: 'x' }))
  const url = await getSignedUrl(s3, new GetObjectCommand(target), { expiresIn: 60 })
  expect((await fetch(url)).status).toBe(200)
  expect(await (await fetch(url.replace('dir', 'other'))).text()).toContain('SignatureDoesNotMatch')
  expect(await (await fetch(`${url}&response-content-type=text/html`)).text()).toContain('SignatureDoesNotMatch')
  expect(await (await fetch(url, { method: 'DELETE' })).text()).toContain('SignatureDoesNotMatch')
  expect(await (await fetch(url, { headers: { 'x-amz-meta-a': 'b' } })).text()).toContain('not signed')
  shift.ms = 61_000
  const late = await fetch(url)
  expect(late.status).toBe(403)
  expect(await late.text()).toContain('Request has expired')
})

it('refuses a presigned URL whose parameters would break out of a header', async () => {
  const { s3 } = await startServer()
  const put = new PutObjectCommand({ ...target, Metadata: { a: 'line\nbreak' } })
  const answer = await fetch(await getSignedUrl(s3, put), { method: 'PUT', body: 'x' })
  expect(await answer.text()).toContain('<Code>InvalidArgument</Code>')
  const get = new GetObjectCommand({ ...target, ResponseContentType: 'a\r\nb: c' })
  await s3.send(new PutObjectCommand({ ...target, Body: 'x' }))
  expect((await fetch(await getSignedUrl(s3, get))).status).toBe(400)
})
