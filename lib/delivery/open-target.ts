// The XNAT resource that an order names, with what may be created on the way to it.
import type { ObjectStore } from '../aws/objects.ts'
import { DeliveryError, type DeliveryErrorCode, XnatError } from '../errors.ts'
import {
  createScan,
  type Experiment,
  ensureExperiment,
  ensureSubject,
  findExperiment,
  findSubject,
} from '../xnat/archive.ts'
import { ensureAssessor, listAssessors } from '../xnat/assessors.ts'
import type { XnatClient } from '../xnat/client.ts'
import type { Item } from '../xnat/item.ts'
import { findProject } from '../xnat/projects.ts'
import { ensureResource, listResources, type ResourceParent, type ResourceRef } from '../xnat/resources.ts'
import type { DeliveryOrder } from './order.ts'
import { scanTypeFor } from './scan-type.ts'

export interface OpenTarget {
  ref: ResourceRef
  /** XNAT's accession ID of the experiment, when the key names one. */
  experimentId: string | undefined
  /** The resource was not there before: nothing is catalogued in it. */
  isNew: boolean
}

interface TargetDeps {
  xnat: XnatClient
  incoming: ObjectStore
  signal: AbortSignal
}

/**
 * Finds the resource that the order names. Scan and resource are created when missing; subject, experiment and assessor
 * only when the key names the subject and the first object carries the metadata `xsi-type`. That is the experiment's
 * type, or below an assessor the assessor's: then the experiment has to be there. `scan-xsi-type` says the type of a
 * scan that is to differ from what `scanTypeFor` gives it.
 *
 * @throws {DeliveryError} PROJECT_NOT_FOUND, SUBJECT_NOT_FOUND, EXPERIMENT_NOT_FOUND, ASSESSOR_NOT_FOUND, or
 * NO_EDIT_RIGHT.
 */
export async function openTarget(deps: TargetDeps, order: DeliveryOrder): Promise<OpenTarget> {
  try {
    const { parent, experimentId, presence } = await openParent(deps, order)
    const ref: ResourceRef = { parent, resourceLabel: order.target.resourceLabel }
    if (presence === 'there' || presence === 'unknown-in') return { ref, experimentId, isNew: false }
    // XNAT: an upload creates the resource that it names (xnat/data-api 4.2). Who could create the scan may do so.
    if (presence === 'missing-with-scan') return { ref, experimentId, isNew: true }
    const { kind } = await ensureResource(deps.xnat, ref, { signal: deps.signal })
    return { ref, experimentId, isNew: kind === 'created' }
  } catch (error) {
    // XNAT: without the right to edit, an upload is answered 200 and stores nothing, where creating a scan or resource
    // is answered 403 (RES/files/FileList.java, RES/files/CatalogResource.java). So the right shows here.
    if (error instanceof XnatError && error.code === 'XNAT_FORBIDDEN') throw noEditRight(error)
    throw error
  }
}

/**
 * Asks for the right to edit a resource that should be there, which XNAT does not tell by taking uploads. Leaves nothing
 * behind but for one case: below `in`, where there is the right and yet no resource, an empty one of its label below `out`.
 *
 * @throws {DeliveryError} NO_EDIT_RIGHT
 */
export async function requireEditRight(
  { xnat, signal }: Pick<TargetDeps, 'xnat' | 'signal'>,
  ref: ResourceRef,
): Promise<void> {
  try {
    await ensureResource(xnat, await askableRef({ xnat, signal }, ref), { signal })
  } catch (error) {
    throw error instanceof XnatError && error.code === 'XNAT_FORBIDDEN' ? noEditRight(error) : error
  }
}

/** Rights are the assessor's, whatever side a resource lies on; only what is there below `in` can be asked for there. */
async function askableRef(
  { xnat, signal }: Pick<TargetDeps, 'xnat' | 'signal'>,
  ref: ResourceRef,
): Promise<ResourceRef> {
  const { parent, resourceLabel } = ref
  if (parent.level !== 'assessor' || parent.direction === 'out') return ref
  const resources = await listResources(xnat, parent, { signal })
  if (resources.some((resource) => resource.resourceLabel === resourceLabel)) return ref
  return { parent: { ...parent, direction: 'out' }, resourceLabel }
}

const noEditRight = (cause: XnatError) =>
  new DeliveryError('the service account may not edit this resource', { code: 'NO_EDIT_RIGHT', cause })

/**
 * What is known of the resource before anything is asked of it.
 * `unknown-in`, XNAT: a resource that is created below `in` comes to lie below `out`; only a file's upload makes one
 * below `in` (RES/files/CatalogResource.java). The right to edit is asked for when an upload has left nothing.
 */
type Presence = 'there' | 'missing-with-scan' | 'unknown' | 'unknown-in'

interface OpenParent {
  parent: ResourceParent
  experimentId: string | undefined
  presence: Presence
}

async function openParent(deps: TargetDeps, order: DeliveryOrder): Promise<OpenParent> {
  const { projectId, subject, experiment, scanId, assessor, direction, resourceLabel } = order.target
  if (experiment !== undefined) {
    const { experimentId, xsiType, children } = await openExperiment(deps, order, experiment)
    if (assessor !== undefined && direction !== undefined) {
      const assessorId = await openAssessor(deps, order, { experimentId, assessor })
      const presence = direction === 'in' ? 'unknown-in' : 'unknown'
      return { parent: { level: 'assessor', experimentId, assessorId, direction }, experimentId, presence }
    }
    if (scanId === undefined) {
      const presence = hasLabel(children['resources/resource'], resourceLabel) ? 'there' : 'unknown'
      return { parent: { level: 'experiment', experimentId }, experimentId, presence }
    }
    const parent = { level: 'scan', experimentId, scanId } as const
    const scan = children['scans/scan']?.find(({ fields }) => fields['ID'] === scanId)
    if (scan !== undefined) {
      return { parent, experimentId, presence: hasLabel(scan.children['file'], resourceLabel) ? 'there' : 'unknown' }
    }
    await makeScan(deps, order, { experimentId, scanId, experimentType: xsiType })
    return { parent, experimentId, presence: 'missing-with-scan' }
  }
  await requireProject(deps, projectId)
  if (subject === undefined) {
    return { parent: { level: 'project', projectId }, experimentId: undefined, presence: 'unknown' }
  }
  await openSubject(deps, order, subject)
  return { parent: { level: 'subject', projectId, subject }, experimentId: undefined, presence: 'unknown' }
}

const hasLabel = (resources: readonly Item[] = [], label: string) =>
  resources.some(({ fields }) => fields['label'] === label)

type FoundExperiment = Pick<Experiment, 'experimentId' | 'xsiType' | 'children'>

async function openExperiment(deps: TargetDeps, order: DeliveryOrder, experiment: string): Promise<FoundExperiment> {
  const { xnat, signal } = deps
  const { projectId, subject } = order.target
  const found = await findExperiment(xnat, { projectId, experiment }, { signal })
  if (found === undefined) return createExperiment(deps, order, experiment)
  if (subject !== undefined) {
    // XNAT: finds an experiment by its label in the project, whatever subject the path names (RES/SubjAssessmentResource.java).
    const named = await findSubject(xnat, { projectId, subject }, { signal })
    if (named?.subjectId !== found.subjectId) throw missing('EXPERIMENT_NOT_FOUND', 'experiment of that subject')
  }
  return found
}

async function createExperiment(deps: TargetDeps, order: DeliveryOrder, experiment: string): Promise<FoundExperiment> {
  const { xnat, signal } = deps
  const { projectId, subject, assessor } = order.target
  const xsiType = assessor === undefined ? await declaredType(deps, order, 'xsi-type') : undefined
  if (subject === undefined || xsiType === undefined) {
    await requireProject(deps, projectId)
    throw missing('EXPERIMENT_NOT_FOUND', 'experiment')
  }
  const wanted = { projectId, subjectLabel: subject, label: experiment, xsiType }
  try {
    return { ...(await ensureExperiment(xnat, wanted, { signal })), xsiType, children: {} }
  } catch (error) {
    // XNAT: of two that create one label at the same time, the later is told 409; then it is there (xnat/data-api 2.4).
    if (!(error instanceof XnatError && error.code === 'XNAT_CONFLICT' && error.status === 409)) throw error
    return { ...(await ensureExperiment(xnat, wanted, { signal })), xsiType, children: {} }
  }
}

/** Only for a scan that is missing: an existing one is taken as it is, since its type may rightly differ. */
async function makeScan(
  deps: TargetDeps,
  order: DeliveryOrder,
  { experimentId, scanId, experimentType }: { experimentId: string; scanId: string; experimentType: string },
): Promise<void> {
  const xsiType = (await declaredType(deps, order, 'scan-xsi-type')) ?? scanTypeFor(experimentType)
  await createScan(deps.xnat, { experimentId, scanId, xsiType }, { signal: deps.signal })
}

async function openAssessor(
  deps: TargetDeps,
  order: DeliveryOrder,
  { experimentId, assessor }: { experimentId: string; assessor: string },
): Promise<string> {
  const { xnat, signal } = deps
  const assessors = await listAssessors(xnat, { experimentId }, { signal })
  const found = assessors.find(({ label, assessorId }) => label === assessor || assessorId === assessor)
  if (found !== undefined) return found.assessorId
  const xsiType = await declaredType(deps, order, 'xsi-type')
  if (order.target.subject === undefined || xsiType === undefined) throw missing('ASSESSOR_NOT_FOUND', 'assessor')
  return (await ensureAssessor(xnat, { experimentId, label: assessor, xsiType }, { signal })).assessorId
}

async function openSubject(
  { xnat, incoming, signal }: TargetDeps,
  order: DeliveryOrder,
  subject: string,
): Promise<void> {
  const { projectId } = order.target
  if ((await findSubject(xnat, { projectId, subject }, { signal })) !== undefined) return
  const xsiType = await declaredType({ incoming, signal }, order, 'xsi-type')
  if (xsiType === undefined) throw missing('SUBJECT_NOT_FOUND', 'subject')
  await ensureSubject(xnat, { projectId, subjectLabel: subject }, { signal })
}

async function requireProject({ xnat, signal }: Omit<TargetDeps, 'incoming'>, projectId: string): Promise<void> {
  if ((await findProject(xnat, projectId, { signal })) === undefined) throw missing('PROJECT_NOT_FOUND', 'project')
}

const missing = (code: DeliveryErrorCode, what: string) => new DeliveryError(`XNAT has no such ${what}`, { code })

/** The type that the uploader named in `x-amz-meta-xsi-type` or `x-amz-meta-scan-xsi-type`, if it looks like one. */
async function declaredType(
  { incoming, signal }: Omit<TargetDeps, 'xnat'>,
  order: DeliveryOrder,
  name: 'xsi-type' | 'scan-xsi-type',
): Promise<string | undefined> {
  const declared = await Promise.all(
    order.objects
      .slice(0, objectsAsked)
      .map(async ({ path }) => (await incoming.find(order.keyPrefix + path, { signal }))?.metadata[name]),
  )
  return declared.find((type) => type !== undefined && /^[A-Za-z][A-Za-z0-9]*:[A-Za-z][A-Za-z0-9]*$/.test(type))
}

// The first may have been deleted since, or put without metadata; one that names the type is enough.
const objectsAsked = 16
