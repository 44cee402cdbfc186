// A stand-in for Secrets Manager: GetSecretValue in AWS's JSON protocol, as the genuine SDK asks it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import * as z from 'zod'

const Question = z.object({ SecretId: z.string() })

export interface SecretsServer {
  url: string
  /** By name; what is not here does not exist. */
  secrets: Map<string, string>
  /** Names in the order that they were asked for. */
  asked: string[]
  /** While set, every question is answered with this status. */
  failsWith: number | undefined
}

/** Ends with the test. */
export async function startSecretsServer(secrets: Record<string, unknown>): Promise<SecretsServer> {
  const state: SecretsServer = {
    url: '',
    secrets: new Map(Object.entries(secrets).map(([name, value]) => [name, JSON.stringify(value)])),
    asked: [],
    failsWith: undefined,
  }
  const server = createServer(async (request, response) => {
    const { SecretId } = Question.parse(JSON.parse(await text(request)))
    state.asked.push(SecretId)
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') return void answer(501, {})
    if (state.failsWith !== undefined) return void answer(state.failsWith, { __type: 'InternalServiceError' })
    const SecretString = state.secrets.get(SecretId)
    if (SecretString === undefined) return void answer(400, { __type: 'ResourceNotFoundException' })
    answer(200, {
      ARN: `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${SecretId}`,
      Name: SecretId,
      SecretString,
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return state
}
