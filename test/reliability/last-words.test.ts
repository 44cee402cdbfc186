import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { ExecutionEnvironment } from '../../infra/local/run-functions/execution-environment.ts'
import { lambdaContext, sqsEvent } from '../support/events.ts'
import { createMarkers } from '../support/markers.ts'
import { testEnvironment } from '../support/wired.ts'

it.each(['rejection', 'rejected text', 'exception', 'exception with fields'])(
  'a function that dies of what nobody caught (%s) says so, and nothing of what the error says',
  async (way) => {
    const markers = createMarkers()
    const marker = markers.plant('patient name')
    const words = `${marker}\n    at ${marker} (a.ts:1:1)`
    const lines: string[] = []
    const environment = new ExecutionEnvironment({
      moduleUrl: pathToFileURL(join(import.meta.dirname, 'fixtures/dying-function.ts')).href,
      exportName: 'handler',
      env: { ...testEnvironment, AWS_REGION: 'eu-central-1' },
      onLine: (line) => lines.push(line),
    })
    await environment.start(10_000)

    const event = JSON.stringify(sqsEvent([JSON.stringify({ way, words })]))
    const context = lambdaContext()
    const invocation = { requestId: randomUUID(), event, deadline: Date.now() + 20_000, context }
    const outcome = await environment.invoke(invocation, 20_000)

    expect(outcome).toMatchObject({ kind: 'failed', failure: { errorType: 'Runtime.ExitError' } })
    await expect.poll(() => lines.join('\n')).toContain('"message":"error not caught"')
    expect(lines.join('\n')).toContain('"code":"UNEXPECTED"')
    expect(markers.findIn(lines.join('\n') + JSON.stringify(outcome))).toEqual([])
  },
)
