import { createHash } from 'node:crypto'
import * as z from 'zod'

/** A user of the hub who is to work in the project. */
export const HubUser = z.object({ email: z.string(), isDisabled: z.boolean() })
export type HubUser = z.infer<typeof HubUser>

/** A project as the hub approved it. */
export const HubProject = z.object({
  /** The hub's id of the project: a UUID in lower case, with hyphens. */
  hubProjectId: z.string(),
  name: z.string(),
  /** The cohort, as a query for the data-access-api. */
  query: z.string(),
  users: z.array(HubUser),
  /** Whether DICOM that arrives is converted to NIfTI. */
  convertsToNifti: z.boolean(),
})
export type HubProject = z.infer<typeof HubProject>

/**
 * The names that FLIP gives a hub project's XNAT project (flip-contract 2.1). XNAT never takes the ID of a deleted
 * project again, so each `generation`, from 0 on, has an ID of its own.
 */
export function xnatNames({ hubProjectId, name }: Pick<HubProject, 'hubProjectId' | 'name'>, generation = 0) {
  return {
    projectId: xnatProjectIdFor(generation === 0 ? hubProjectId : `${hubProjectId}#${generation}`),
    secondaryId: hubProjectId,
    name: `${name}:${hubProjectId}-FL-Project`,
    description: `Project corresponding to central hub project ${hubProjectId}`,
  }
}

// The name space of project ids that are derived from hub ids; made once, at random, for this purpose.
const nameSpace = '7d9d3c5e-0d3e-4b0c-9d43-1a8f6f1c52b7'

/** A UUID of version 5 (RFC 9562 section 5.5): the same for the same name, so that two callers make one project. */
function xnatProjectIdFor(name: string): string {
  const space = Buffer.from(nameSpace.replaceAll('-', ''), 'hex')
  const digest = createHash('sha1').update(space).update(name).digest()
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
