// What the package `xnat-conduit/xnat` offers. Inside the product, import from the file that defines the thing.
export { AppError, InvalidInputError, StorageError, XnatError, type XnatErrorCode } from '../errors.ts'
export type { RetryPolicy } from '../retry.ts'
export * from './archive.ts'
export * from './assessors.ts'
export * from './automation.ts'
export type { Call, CallOptions, Method, Query, Reply, StreamBody, StreamReply, TextBody, Timeouts } from './call.ts'
export { jsonBody } from './call.ts'
export * from './client.ts'
export type { ClientSettings, RequestRecord } from './client-options.ts'
export * from './commands.ts'
export * from './data-types.ts'
export * from './delete-files.ts'
export * from './dicom-dump.ts'
export * from './direct-archive.ts'
export { type DownloadFileOptions, downloadArchiveFile, downloadFile } from './download-file.ts'
export * from './download-folder.ts'
export type { DownloadFolderOptions } from './download-into.ts'
export * from './downloads.ts'
export * from './dqr.ts'
export * from './dqr-import.ts'
export * from './import.ts'
export type { Item } from './item.ts'
export type { Credentials } from './login.ts'
export { filePath, type XnatPath, xnatPath } from './path.ts'
export {
  type ArchiveOptions,
  type ArchiveOutcome,
  archivePrearchiveSession,
  deletePrearchiveSession,
  findPrearchiveSession,
  listPrearchive,
  listPrearchiveLog,
  movePrearchiveSession,
  type PrearchiveLogEntry,
  type PrearchiveRef,
  type PrearchiveSession,
  rebuildPrearchiveSession,
} from './prearchive.ts'
export * from './prearchive-files.ts'
export type { Progress } from './progress.ts'
export * from './projects.ts'
export * from './receivers.ts'
export type { EnsureOutcome } from './record-calls.ts'
export * from './records.ts'
export * from './refresh-catalog.ts'
export * from './resources.ts'
export type { SessionUri } from './session-uri.ts'
export * from './site.ts'
export * from './tokens.ts'
export * from './upload-folder.ts'
export * from './users.ts'
export type { ProjectDescription } from './xml.ts'
