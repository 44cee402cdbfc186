// Reads serverless.yml once for the whole run: every stack in the tests is given the result.
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { readService, type ServiceModel } from '../../infra/local/run-functions/service-model.ts'

export default async function printService(project: TestProject): Promise<void> {
  project.provide('service', await readService(join(import.meta.dirname, '../..')))
}

declare module 'vitest' {
  export interface ProvidedContext {
    service: ServiceModel
  }
}
