// The stack that `npm start` brought up, for arranging what commands find and for seeing what they did.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import type { StackDescription } from '../../infra/local/stack.ts'

export interface StartedStack {
  description: StackDescription
  /** Asks the API with its key. @throws when it does not answer 2xx. */
  api(what: string, body?: unknown): Promise<unknown>
  /** Asks XNAT, as its administrator, or its stand-in's own routes. @throws when it does not answer 2xx. */
  xnat(what: string, body?: unknown): Promise<string>
  /** Puts a small object below this key of the incoming bucket. */
  put(key: string): Promise<void>
}

export async function startedStack(dir: string): Promise<StartedStack> {
  const description: StackDescription = JSON.parse(await readFile(join(dir, '.local/stack.json'), 'utf8'))
  const { serviceKey, xnat } = description
  const account = `Basic ${Buffer.from(`${xnat.user}:${xnat.password}`).toString('base64')}`
  return {
    description,
    api: async (what, body) =>
      JSON.parse(await ask(description.api, what, { [serviceKey.header]: serviceKey.key }, body)),
    xnat: (what, body) => ask(xnat.url, what, { authorization: account }, body),
    async put(Key) {
      const { endpoint, region, buckets, ...credentials } = description.s3
      const s3 = new S3Client({ endpoint, region, credentials })
      await s3.send(new PutObjectCommand({ Bucket: buckets['incoming'], Key, Body: 'content' }))
      s3.destroy()
    },
  }
}

/** Sends `POST /path` and returns what is answered. */
export async function ask(
  base: string,
  what: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<string> {
  const [method = '', path = ''] = what.split(' ')
  const reply = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  expect(reply.ok, `${what}: ${reply.status} ${text}`).toBe(true)
  return text
}
