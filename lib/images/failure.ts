// What clients are told of uploads and downloads that failed: FLIP's words (flip-contract 1.7, 1.8), without the names of
// files, accession numbers and addresses that FLIP puts into them.
import { type AppError, ImagesError, InvalidInputError } from '../errors.ts'

type Action = 'upload' | 'download'

const beginnings = { upload: 'Failed to upload files', download: 'Failed to download and unzip images' } as const

/** The error that a request ends with, of the code that its work ended with. */
export function failure(code: string, action: Action): AppError {
  switch (code) {
    case 'PROJECT_NOT_FOUND':
    case 'EXPERIMENT_NOT_FOUND':
      return studyNotFound(code)
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

/** That XNAT has no such project, or in it no such study. */
export function studyNotFound(code: 'PROJECT_NOT_FOUND' | 'EXPERIMENT_NOT_FOUND'): AppError {
  const texts = {
    PROJECT_NOT_FOUND: 'Project with this central hub ID not found among XNAT projects.',
    EXPERIMENT_NOT_FOUND: 'Experiment with this ID or label not found.',
  }
  return new InvalidInputError(`Resource not found: 404: ${texts[code]}`, { code })
}
