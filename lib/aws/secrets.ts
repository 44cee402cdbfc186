import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { orThrow } from './failure.ts'

/** The newest text of a secret, by its name or ARN. @throws {StorageError} */
export async function readSecret(client: SecretsManagerClient, id: string): Promise<string> {
  const reply = await orThrow(client.send(new GetSecretValueCommand({ SecretId: id })), 'GetSecretValue')
  return reply.SecretString ?? ''
}
