// /user/cache/resources: a user's own files, for a while (UserCacheResource.java).
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Exchange } from '../exchange.ts'
import { storedPath } from '../file-path.ts'
import { HttpFailure } from '../http-failure.ts'
import { ifMissing } from '../missing.ts'
import { emptyReply, emptyTextReply, type Reply } from '../reply.ts'
import { tableReply } from '../result-set.ts'
import type { Route } from '../router.ts'
import { spool } from '../stored-file.ts'
import { bodyOf, mediaType, readMultipart } from '../upload-body.ts'
import { cachedFile, cachedFiles, cacheFolder, cachePath } from '../user-cache.ts'

export const userCacheRoutes: Route[] = [
  { template: '/user/cache/resources', methods: { GET: listResources } },
  { template: '/user/cache/resources/{XNAME}', methods: { GET: listFiles, PUT: makeResource, DELETE: dropResource } },
  {
    template: '/user/cache/resources/{XNAME}/files',
    methods: { GET: readFiles, PUT: putFile, POST: postFile, DELETE: dropFile },
  },
]

const missing = 'User directory not found or is not a directory.'

async function listResources(exchange: Exchange): Promise<Reply> {
  const names = await readdir(cacheFolder(exchange)).catch(ifMissing<string[]>([]))
  const rows = names.toSorted().map((name) => {
    const resource = decodeURIComponent(name)
    return { Resource: resource, URI: `${exchange.rawPath.replace(/\/$/, '')}/${resource}` }
  })
  return tableReply(exchange, rows, { columns: ['Resource', 'URI'] })
}

async function listFiles(exchange: Exchange): Promise<Reply> {
  const resource = resourceName(exchange)
  const paths = await cachedFiles(exchange, resource)
  if (paths === undefined) throw new HttpFailure(404, missing)
  const base = `${exchange.rawPath.replace(/\/(files\/?)?$/, '')}/files`.replace('/files/files', '/files')
  const rows = await Promise.all(
    paths.map(async (path) => {
      const { size } = await stat(cachePath(exchange, resource, path))
      return { Name: path, Size: size, URI: `${base}/${path}` }
    }),
  )
  return tableReply(exchange, rows, { columns: ['Name', 'Size', 'URI'] })
}

async function readFiles(exchange: Exchange): Promise<Reply> {
  const path = filePath(exchange)
  if (path === '') return listFiles(exchange)
  const file = await cachedFile(exchange, resourceName(exchange), path)
  if (file === undefined) throw new HttpFailure(404, missing)
  const { size } = await stat(file)
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(size),
      'Cache-Control': 'must-revalidate',
    },
    body: () => createReadStream(file),
  }
}

async function makeResource(exchange: Exchange): Promise<Reply> {
  const folder = cacheFolder(exchange, resourceName(exchange))
  const present = await stat(folder).catch(ifMissing(undefined))
  if (present !== undefined) throw new HttpFailure(412, 'Resource with this name already exists.')
  await mkdir(folder, { recursive: true })
  return emptyTextReply()
}

async function putFile(exchange: Exchange): Promise<Reply> {
  const path = filePath(exchange)
  if (path === '') throw new HttpFailure(400, 'Please use HTTP PUT request to specify a file name in the URL.')
  await store(exchange, path)
  return emptyTextReply()
}

/** Files of a form, under their own names. */
async function postFile(exchange: Exchange): Promise<Reply> {
  if (filePath(exchange) !== '' || exchange.query.isTrue('inbody')) {
    throw new HttpFailure(400, 'Please use HTTP PUT request to specify a file name in the URL.')
  }
  await store(exchange, '')
  return emptyReply(201)
}

async function store(exchange: Exchange, asked: string): Promise<void> {
  if (exchange.query.isTrue('extract')) {
    throw new HttpFailure(501, 'The stand-in XNAT unpacks nothing into the user cache.', { voice: 'plain' })
  }
  const resource = resourceName(exchange)
  const write = async (name: string, content: AsyncIterable<unknown>) => {
    const place = cachePath(exchange, resource, name)
    await mkdir(dirname(place), { recursive: true })
    await spool(content, place)
  }
  if (exchange.query.isTrue('inbody')) return write(asked, bodyOf(exchange.request))
  // XNAT: what is no form cannot be parsed as one, and that is a fault of the server (handleAttachedUserFileUpload).
  if (mediaType(exchange.request) !== 'multipart/form-data') throw new HttpFailure(500)
  const { files, dispose } = await readMultipart(exchange)
  try {
    for (const { name = '', open } of files) await write(asked === '' ? name : asked, open())
  } finally {
    await dispose()
  }
}

async function dropResource(exchange: Exchange): Promise<Reply> {
  const resource = resourceName(exchange)
  if ((await cachedFiles(exchange, resource)) === undefined) throw new HttpFailure(404, missing)
  await rm(cacheFolder(exchange, resource), { recursive: true })
  return emptyTextReply()
}

/** One file, a folder, or several behind commas. */
async function dropFile(exchange: Exchange): Promise<Reply> {
  const paths = filePath(exchange).split(',')
  const resource = resourceName(exchange)
  for (const path of paths) {
    const found = await stat(cachePath(exchange, resource, path)).catch(ifMissing(undefined))
    if (found === undefined) throw new HttpFailure(404, 'No matching files found.')
  }
  for (const path of paths) await rm(cachePath(exchange, resource, path), { recursive: true })
  return emptyTextReply()
}

function resourceName({ params }: Exchange): string {
  return params['XNAME'] ?? ''
}

function filePath({ rest }: Exchange): string {
  return storedPath(rest.replace(/^\//, ''))
}
