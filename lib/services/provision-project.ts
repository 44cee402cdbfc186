// A project approved on the hub -> an XNAT project.
import { createHash } from 'node:crypto'
import { XnatError } from '../errors.ts'
import type { XnatClient } from '../xnat/client.ts'
import {
  createProject,
  findProject,
  findProjectBySecondaryId,
  getPrearchiveCode,
  setPrearchiveCode,
} from '../xnat/projects.ts'

export interface HubProject {
  /** The hub's id of the project, a UUID in lower case. */
  hubProjectId: string
  name: string
}

export interface ProvisionedProject {
  projectId: string
  name: string
}

/** XNAT: archive at once what arrives, without writing over sessions that are there (xnat/data-api 1.6). */
const archiveAtOnce = 4

/**
 * Makes sure that there is one XNAT project for the hub project, which archives at once what arrives.
 *
 * Safe to repeat, also at the same time and after a call that died half-way: the XNAT project's ID follows from the
 * hub's id, a project that already carries the hub's id as `secondary_ID` is adopted, and only what is missing is written.
 */
export async function provisionProject(
  deps: { xnat: XnatClient; signal: AbortSignal },
  project: HubProject,
): Promise<ProvisionedProject> {
  const { xnat, signal } = deps
  const wanted = described(project)
  const found = await findProjectBySecondaryId(xnat, project.hubProjectId, { signal })
  if (found === undefined) await create(deps, wanted)
  const { projectId, name = wanted.name } = found ?? wanted
  if ((await getPrearchiveCode(xnat, projectId, { signal })) !== archiveAtOnce) {
    await setPrearchiveCode(xnat, projectId, archiveAtOnce, { signal })
  }
  return { projectId, name }
}

const described = ({ hubProjectId, name }: HubProject) => ({
  projectId: xnatProjectIdFor(hubProjectId),
  secondaryId: hubProjectId,
  name: `${name}:${hubProjectId}-FL-Project`,
  description: `Project corresponding to central hub project ${hubProjectId}`,
})

async function create(
  { xnat, signal }: { xnat: XnatClient; signal: AbortSignal },
  wanted: ReturnType<typeof described>,
): Promise<void> {
  try {
    await createProject(xnat, wanted, { signal })
  } catch (error) {
    // XNAT: answers 500 to a name or secondary_ID that is taken, and also after having created the project on a site
    // without siteUrl (xnat/data-api 1.2, flip-contract 8). Whichever it was shows in what is there now.
    if (!(error instanceof XnatError && error.status === 500)) throw error
    if ((await findProject(xnat, wanted.projectId, { signal })) === undefined) throw error
  }
}

// The name space of project ids that are derived from hub ids; made once, at random, for this purpose.
const nameSpace = '7d9d3c5e-0d3e-4b0c-9d43-1a8f6f1c52b7'

/** The XNAT project ID for a hub project: a UUID of version 5 (RFC 9562 section 5.5), so that two callers name the same. */
export function xnatProjectIdFor(hubProjectId: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from(nameSpace.replaceAll('-', ''), 'hex'))
    .update(hubProjectId)
    .digest()
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
