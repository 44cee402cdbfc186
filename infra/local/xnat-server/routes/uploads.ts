// PUT and POST of files: one and the same in XNAT (FileList.java handlePost).
import type { Exchange } from '../exchange.ts'
import { storedPath } from '../file-path.ts'
import { HttpFailure } from '../http-failure.ts'
import { addResource, draftResource } from '../new-resource.ts'
import { mayUse } from '../permissions.ts'
import type { Resource } from '../records.ts'
import { documentReply, emptyTextReply, type Reply } from '../reply.ts'
import { resolveForWrite } from '../resource-lookup.ts'
import { countFiles, storeUpload, type UploadOptions } from '../store-upload.ts'
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
  const label = exchange.params['RESOURCE_ID']
  if (label === undefined && resource === undefined) {
    throw new HttpFailure(501, 'The stand-in XNAT makes no resource without a label.', { voice: 'plain' })
  }
  const { files, dispose } = await incomingFiles(exchange)
  const target = resource ?? draftResource(xnat, place.parent, { label: label ?? '' })
  try {
    const duplicates = await storeUpload(exchange, target, files, uploadOptions(exchange)).catch(asXnatWould)
    if (duplicates.length === 0) return emptyTextReply()
    // XNAT: JSON, sent as HTML, with 200 (FileList.java).
    return documentReply('text/html', JSON.stringify({ duplicates }))
  } finally {
    await dispose()
    await saveResource(exchange, target, { isNew: resource === undefined })
  }
}

// XNAT: whatever the file system objects to, a name too long or a file where a folder should be, is a 500 (FileList.java).
function asXnatWould(error: unknown): never {
  const isSystemError = error instanceof Error && 'code' in error
  throw isSystemError ? new HttpFailure(500, error.message, { cause: error }) : error
}

// XNAT: the record is written last, also after a failure. A new resource is in no list before that, so a second upload
// to the same new label makes another record of that label (ResourceModifierA.java addFile).
async function saveResource({ xnat, query }: Exchange, target: Resource, { isNew }: { isNew: boolean }): Promise<void> {
  const { state, archive } = xnat
  const present = isNew ? target : state.resources.get(String(target.resourceId))
  if (present === undefined) return
  const described = describedBy(query, present)
  // XNAT: unlike other flags only "true" and "1" are true here (FileList.java handlePost).
  const updateStats = ['true', '1'].includes((query.get('update-stats') ?? 'true').toLowerCase())
  const isCounted = isNew || updateStats
  const counts = isCounted ? countFiles((await archive.catalogs.read(archive.catalogOf(present))).entries) : {}
  if (isNew) addResource(xnat, { ...described, ...counts })
  else state.resources.put({ ...described, ...counts })
}

// XNAT: what describes a file is written to its resource too, over what was there (CatalogUtils.java configureResource).
function describedBy(query: Exchange['query'], resource: Resource): Resource {
  return {
    ...resource,
    description: query.get('description') ?? resource.description,
    format: query.get('format') ?? resource.format,
    content: query.get('content') ?? resource.content,
    tags: [...new Set([...resource.tags, ...query.all('tags')])],
  }
}

function uploadOptions({ query, rest }: Exchange): UploadOptions {
  const path = storedPath(rest.replace(/^\//, ''))
  return {
    path: path === '' ? undefined : path,
    overwrite: query.isTrue('overwrite'),
    extract: query.isTrue('extract'),
    format: query.get('format'),
    content: query.get('content'),
    tags: query.all('tags'),
  }
}
