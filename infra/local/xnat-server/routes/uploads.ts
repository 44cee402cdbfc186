// PUT and POST of files: one and the same in XNAT (FileList.java handlePost).
import type { Exchange } from '../exchange.ts'
import { storedPath } from '../file-path.ts'
import { HttpFailure } from '../http-failure.ts'
import { mayUse } from '../permissions.ts'
import type { Resource } from '../records.ts'
import { documentReply, emptyTextReply, type Reply } from '../reply.ts'
import { createResource, resolveForWrite } from '../resource-lookup.ts'
import { storeUpload, type UploadOptions } from '../store-upload.ts'
import type { TargetParent } from '../target.ts'
import { incomingFiles } from '../upload-body.ts'

export async function uploadFiles(exchange: Exchange): Promise<Reply> {
  const { xnat, user, query, request } = exchange
  const { place, resource } = resolveForWrite(exchange)
  // XNAT: without the right to edit there is no refusal: 200, and nothing is stored (FileList.java handlePost has no else).
  if (!mayUse(xnat.state, 'edit', user, place.securable)) {
    request.resume()
    return emptyTextReply()
  }
  if (query.has('reference'))
    throw new HttpFailure(501, 'The stand-in XNAT takes no server-side reference.', { voice: 'plain' })
  const { files, dispose } = await incomingFiles(exchange)
  try {
    const stored = resource ?? (await createFor(exchange, place))
    const duplicates = await storeUpload(exchange, stored, files, uploadOptions(exchange))
    if (duplicates.length === 0) return emptyTextReply()
    // XNAT: JSON, sent as HTML, with 200 (FileList.java).
    return documentReply('text/html', JSON.stringify({ duplicates }))
  } finally {
    await dispose()
  }
}

function createFor(exchange: Exchange, place: TargetParent): Promise<Resource> {
  const label = exchange.params['RESOURCE_ID']
  if (label === undefined) throw new HttpFailure(400, 'Unable to determine the resource.')
  return createResource(exchange, place.parent, {
    label,
    format: exchange.query.get('format'),
    content: exchange.query.get('content'),
  })
}

function uploadOptions({ query, rest }: Exchange): UploadOptions {
  const path = storedPath(rest.replace(/^\//, ''))
  return {
    path: path === '' ? undefined : path,
    overwrite: query.isTrue('overwrite'),
    extract: query.isTrue('extract'),
    // XNAT: unlike other flags only "true" and "1" are true here (FileList.java handlePost).
    updateStats: ['true', '1'].includes((query.get('update-stats') ?? 'true').toLowerCase()),
    format: query.get('format'),
    content: query.get('content'),
    tags: query.all('tags'),
  }
}
