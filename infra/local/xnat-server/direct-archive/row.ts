// Sessions that are written straight for the archive (DirectArchiveSession.java). The row is gone once it is archived.
import * as z from 'zod'
import { ReceivedSession } from '../prearchive/entry.ts'

export const DirectArchiveRow = ReceivedSession.extend({
  projectId: z.string(),
  /** Why it is ERROR. */
  message: z.string().optional(),
})
export type DirectArchiveRow = z.infer<typeof DirectArchiveRow>

export function directArchiveKey({ receivedId }: Pick<DirectArchiveRow, 'receivedId'>): string {
  return String(receivedId)
}

/** The folder of the archive that its files are for. */
export function folderKey({ projectId, folder }: Pick<DirectArchiveRow, 'projectId' | 'folder'>): string {
  return `${projectId}/${folder}`
}
