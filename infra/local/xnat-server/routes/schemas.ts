// The XML schemas of the data types (SchemaApi.java).
import type { Exchange, Methods } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { documentReply, jsonReply, type Reply } from '../reply.ts'
import { schemaNamed, schemaNames } from '../schema.ts'

export const schemaRoutes: { pattern: RegExp; isOpen: boolean; methods: Methods }[] = [
  { pattern: /^\/schemas\/?$/, isOpen: false, methods: { GET: () => jsonReply(schemaNames) } },
  { pattern: /^\/schemas\/(?<schema>[\w.-]+)$/, isOpen: false, methods: { GET: showSchema } },
]

function showSchema({ params }: Exchange): Reply {
  const name = params['schema'] ?? ''
  const schema = schemaNamed(name)
  if (schema === undefined) {
    const path = `classpath:schemas/${name}/${name}.xsd`
    throw new HttpFailure(404, `Unable to find requested file or resource: ${path}`, { voice: 'plain' })
  }
  return documentReply('application/xml;charset=UTF-8', schema)
}
