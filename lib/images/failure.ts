// What clients are told of uploads and downloads that failed: FLIP's words (flip-contract 1.7, 1.8), without the names of
// files, accession numbers and addresses that FLIP puts into them.
import { type AppError, ImagesError, InvalidInputError } from '../errors.ts'
import type { StudyFolder } from './tree.ts'

export type Action = 'upload' | 'download'

const beginnings = { upload: 'Failed to upload files', download: 'Failed to download and unzip images' } as const

/** The error that a request ends with, of the code that its work ended with. */
export function failure(code: string, { hubProjectId }: Pick<StudyFolder, 'hubProjectId'>, action: Action): AppError {
  switch (code) {
    case 'PROJECT_NOT_FOUND':
      return notFound(
        code,
        `Project with ID ${hubProjectId} not found: 404: Project with central hub ID '${hubProjectId}' not found among XNAT projects.`,
      )
    case 'EXPERIMENT_NOT_FOUND':
      return notFound(code, 'Experiment with this ID or label not found.')
    case 'XNAT_NOT_FOUND':
    case 'IMAGES_NOT_FOUND':
      return new ImagesError('Resource not found: 404: No DICOM data in XNAT', { code: 'IMAGES_NOT_FOUND' })
    case 'FILES_EXIST':
      return new ImagesError(`${beginnings.upload}: File already exists on XNAT`, { code })
    case 'FILES_CHANGED':
      return new ImagesError(`${beginnings.upload}: A file changed while it was uploaded`, { code })
    case 'IMAGES_UNSAFE':
      return new ImagesError('Invalid download request: Attempted path traversal in ZIP entry', { code })
    default:
      return new ImagesError(`${beginnings[action]}: ${code}`, {
        code: action === 'upload' ? 'UPLOAD_FAILED' : 'DOWNLOAD_FAILED',
      })
  }
}

const notFound = (code: string, what: string) => new InvalidInputError(`Resource not found: 404: ${what}`, { code })
