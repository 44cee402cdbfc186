import { expect } from 'vitest'
import type { StackDescription } from '../../infra/local/stack.ts'
import { basic } from './plain-http.ts'

/** Asks the stack's XNAT for something that it has to grant, and gives the body of its answer. */
export async function askXnat(
  { url, user, password }: StackDescription['xnat'],
  method: string,
  path: string,
  body?: object,
): Promise<string> {
  const reply = await fetch(url + path, {
    method,
    headers: basic(user, password),
    ...(body && { body: JSON.stringify(body) }),
  })
  expect(reply.ok, `${method} ${path}: ${reply.status}`).toBe(true)
  return reply.text()
}
