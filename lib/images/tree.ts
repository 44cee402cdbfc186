// The image tree in the bucket `images`, as training clients see it through their mount (flip-contract 2.12, 2.13):
// <net>/upload/... is theirs, <net>/<hub project>/<accession>/... are downloaded studies in the layout of XNAT's zips.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { ImagesError } from '../errors.ts'

/** One study, as one net sees it. */
export const StudyFolder = z.object({ net: z.string(), hubProjectId: z.string(), accession: z.string() })
export type StudyFolder = z.infer<typeof StudyFolder>

/** What of a study is downloaded at a time; each such part has a completeness marker of its own. */
export const StudyPart = z.object({
  assessorType: z.enum(['scan', 'assessor']),
  resourceType: z.enum(['DICOM', 'NIFTI', 'SEG', 'ALL']),
})
export type StudyPart = z.infer<typeof StudyPart>

/** @throws {ImagesError} ASSESSOR_TYPE_UNKNOWN for all but `scan` and `assessor`, in any letter case. */
export function studyPart(assessorType: string, resourceType: StudyPart['resourceType']): StudyPart {
  const type = StudyPart.shape.assessorType.safeParse(assessorType.toLowerCase())
  if (type.success) return { assessorType: type.data, resourceType }
  const message = "Failed to download and unzip images: Type must be 'scan' or 'assessor'"
  throw new ImagesError(message, { code: 'ASSESSOR_TYPE_UNKNOWN' })
}

/** The tag by which the bucket's lifecycle rule knows what was downloaded from what clients have put. */
export const treeTag = { name: 'xnat-conduit', value: 'image-tree' }

export const uploadPrefix = (net: string) => `${net}/upload/`
export const folderPath = ({ net, hubProjectId, accession }: StudyFolder) => `${net}/${hubProjectId}/${accession}`
export const markerKey = (folder: StudyFolder, { assessorType, resourceType }: StudyPart) =>
  `${folderPath(folder)}/.flip_complete-${assessorType}-${resourceType}`

/** Matches the paths below a study's folder that belong to a part of it. */
export function partShape({ assessorType, resourceType }: StudyPart): RegExp {
  const resource = resourceType === 'ALL' ? '[^/]+' : resourceType
  return new RegExp(`^${assessorType}s/[^/]+/(?:out/)?resources/${resource}/files/`)
}

/** The FIFO group in which all work on one folder meets, so that it has one writer. Hashed: groups are visible. */
export const folderGroup = (folder: StudyFolder) => digestOf(['folder', folderPath(folder)])

/** A name that tells nothing, and is the same for the same content. */
export const digestOf = (content: unknown) =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32)

/** Which folder a request is about. @throws {ImagesError} PATH_ESCAPES when a part of it is no name of a folder. */
export function studyFolder(folder: StudyFolder, action: 'upload' | 'download'): StudyFolder {
  requireNet(folder.net, action)
  // Below `upload` lies what clients have put.
  if (!isSegment(folder.hubProjectId) || folder.hubProjectId === 'upload') {
    throw escapes(action, 'central hub project ID')
  }
  if (!isSegment(folder.accession)) throw escapes(action, 'accession_id')
  return folder
}

/** @throws {ImagesError} PATH_ESCAPES */
export function requireNet(net: string, action: 'upload' | 'download'): void {
  if (!isSegment(net)) throw escapes(action, 'net ID')
}

const isSegment = (text: string) => /^[A-Za-z0-9._~-]{1,255}$/.test(text) && text !== '.' && text !== '..'

/**
 * Paths below `<net>/upload/` of files that a client names: relative to that folder, or absolute below the mount.
 *
 * @throws {ImagesError} PATH_ESCAPES, with the place of the file in the list and not its name.
 */
export function uploadPaths(files: readonly string[], { net, mountedAt }: { net: string; mountedAt: string }) {
  const home = `${mountedAt}/${uploadPrefix(net)}`
  return files.map((file, index) => {
    const path = normalized(file.startsWith('/') ? within(home, file) : file)
    if (path === undefined) throw escapes('upload', `file path: files[${index}]`)
    return path
  })
}

const within = (home: string, file: string) => (file.startsWith(home) ? file.slice(home.length) : undefined)

/** The path with its `.` and `..` resolved; `undefined` when it is no file below where it starts. */
function normalized(path: string | undefined): string | undefined {
  const steps: string[] = []
  for (const step of path?.split('/') ?? ['..']) {
    if (step === '..' && steps.pop() === undefined) return undefined
    if (step !== '..' && step !== '.' && step !== '') steps.push(step)
  }
  const isFile = path !== undefined && !/(?:^|\/)\.{0,2}$/.test(path)
  return isFile && isSafePath(steps.join('/')) ? steps.join('/') : undefined
}

/** S3: a key has at most 1024 bytes of UTF-8. */
const maxKeyBytes = 1024

/** Whether a path may stand below a folder: by whoever reads it through a mount it is taken apart again. */
export function isSafePath(path: string): boolean {
  const segments = path.split('/')
  const isClean = segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  return isClean && path.isWellFormed() && !/[\p{Cc}\\]/u.test(path) && Buffer.byteLength(path) <= maxKeyBytes
}

const escapes = (action: 'upload' | 'download', where: string) =>
  new ImagesError(`Invalid ${action} request: Path traversal detected in ${where}`, { code: 'PATH_ESCAPES' })
