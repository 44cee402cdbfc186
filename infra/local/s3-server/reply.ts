import { renderXml, type XmlNode } from './xml.ts'

export interface Reply {
  status: number
  headers?: Readonly<Record<string, string>>
  document?: string
  /** Sent with the Content-Length that `headers` must then hold. */
  body?: Buffer | AsyncIterable<Buffer>
  /** Called once the reply is sent or given up, whether or not `body` was read. */
  release?: () => Promise<void>
}

export const documentReply = (
  root: string,
  content: XmlNode | string,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({
  status: 200,
  headers,
  document: renderXml(root, content),
})

export const noContent: Reply = { status: 204 }

export const quoted = (etag: string) => `"${etag}"`

export const owner = { ID: '0'.repeat(64), DisplayName: 'local' }
