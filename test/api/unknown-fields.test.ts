import { expect, it } from 'vitest'
import { ask, documented, exampleParts, requestOf } from '../support/api-requests.ts'
import { testWired } from '../support/wired.ts'

// Where a field may be left out, one that is misspelt would silently mean more than was wanted.
it.each([
  ['listDeliveries', 'query'],
  ['readImportStatus', 'query'],
  ['backfillDeliveries', 'body'],
  ['redriveDeadLetters', 'body'],
] as const)('%s refuses a field that it does not know, without its name', async (operationId, place) => {
  const route = documented.find((each) => each.operationId === operationId)
  if (route === undefined) throw new Error(`there is no ${operationId}`)
  const parts = exampleParts(route)
  const { status, text, body } = await ask(
    testWired(),
    requestOf(route, { ...parts, [place]: { ...Object(parts[place]), SMITH: 'x' } }),
  )
  expect(status).toBe(422)
  expect(body).toEqual({ detail: [{ type: 'extra_forbidden', loc: [place], msg: 'Extra inputs are not permitted' }] })
  expect(text).not.toContain('SMITH')
})
