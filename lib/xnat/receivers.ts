// XNAT's own DICOM receivers, to which PACS and scanners send.
import * as z from 'zod'
import type { CallOptions } from './call.ts'
import type { XnatClient } from './client.ts'
import { decodedSegment, xnatPath } from './path.ts'

/** Defaults of web/src/main/java/org/nrg/dcm/scp/DicomSCPInstance.java. */
const Receiver = z
  .object({
    aeTitle: z.string(),
    port: z.int(),
    /** What tells project, subject and session of an object: `dqrObjectIdentifier` is DQR's. */
    identifier: z.string().optional(),
    enabled: z.boolean(),
    customProcessing: z.boolean().default(false),
    /** Whether only those on its list may send to it. */
    whitelistEnabled: z.boolean().default(false),
  })
  .transform(({ enabled, customProcessing, whitelistEnabled, ...receiver }) => ({
    ...receiver,
    isEnabled: enabled,
    /** Whether processors, that which relabels among them, see what arrives. */
    hasCustomProcessing: customProcessing,
    hasWhitelist: whitelistEnabled,
  }))
export type Receiver = z.infer<typeof Receiver>

export async function listReceivers(client: XnatClient, options: CallOptions = {}): Promise<Receiver[]> {
  return client.json(z.array(Receiver), { method: 'GET', path: xnatPath`/xapi/dicomscp`, ...options })
}

/**
 * Whether what this receiver gets can be relabelled: it has custom processing, and the site's processor for it is on.
 *
 * @throws {XnatError} XNAT_NOT_FOUND when there is no such receiver.
 */
export async function canRelabel(
  client: XnatClient,
  { aeTitle, port }: Pick<Receiver, 'aeTitle' | 'port'>,
  options: CallOptions = {},
): Promise<boolean> {
  // XNAT: X/rest/dicom/ArchiveProcessorInstanceApi.java receiverCanRemap.
  const path = xnatPath`/xapi/processors/site/canRemap/receiver/${decodedSegment(`${aeTitle}:${port}`)}`
  return client.json(z.boolean(), { method: 'GET', path, ...options })
}
