// Writes the API's OpenAPI document into a file, for tools that read one: `node infra/write-openapi.ts FILE`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { apiDocument } from '../functions/api/documentation.ts'

const file = process.argv[2]
if (file === undefined) throw new Error('usage: node infra/write-openapi.ts FILE')
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, `${JSON.stringify(apiDocument('x-trust-internal-service-key'), undefined, 2)}\n`)
