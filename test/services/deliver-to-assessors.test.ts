import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureExperiment, findScan } from '../../lib/xnat/archive.ts'
import { ensureAssessor, listAssessors } from '../../lib/xnat/assessors.ts'
import type { ResourceRef } from '../../lib/xnat/resources.ts'
import { type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.ts'

let rig: DeliveryRig
beforeEach(async () => {
  rig = await startDeliveryRig()
})
afterEach(() => rig.stop())

const key = (direction: string, path = 'mask.nii') =>
  `projects/P1/subjects/S1/experiments/E1/assessors/A1/${direction}/resources/SEG/files/${path}`
const refOf = (assessorId: string, direction: 'in' | 'out'): ResourceRef => ({
  parent: { level: 'assessor', experimentId: rig.experimentId, assessorId, direction },
  resourceLabel: 'SEG',
})

describe('a delivery to an assessor', () => {
  it.each(['in', 'out'] as const)('stays on the side that its key names: %s', async (direction) => {
    const wanted = { experimentId: rig.experimentId, label: 'A1', xsiType: 'xnat:qcManualAssessorData' }
    const { assessorId } = await ensureAssessor(rig.xnat, wanted)
    const order = rig.orderFor([await rig.put(key(direction), 'mask')])

    await rig.deliver(order)

    expect((await rig.contents(refOf(assessorId, direction))).get('mask.nii')?.toString()).toBe('mask')
    expect(await rig.digests(refOf(assessorId, direction === 'in' ? 'out' : 'in'))).toEqual(new Map())
    expect((await rig.receipt(order))?.outcome).toBe('verified')
  })

  it('creates a missing assessor of the type that the object names, once', async () => {
    const metadata = { 'xsi-type': 'xnat:qcManualAssessorData' }
    await rig.deliver(rig.orderFor([await rig.put(key('out'), 'mask', metadata)]))
    await rig.deliver(rig.orderFor([await rig.put(key('out', 'other.nii'), 'other', metadata)]))

    const assessors = await listAssessors(rig.xnat, { experimentId: rig.experimentId })
    expect(assessors.map(({ label, xsiType }) => [label, xsiType])).toEqual([['A1', 'xnat:qcManualAssessorData']])
    expect((await rig.digests(refOf(assessors[0]!.assessorId, 'out'))).size).toBe(2)
  })

  it.each([
    ['without a type', key('out'), {}, 'ASSESSOR_NOT_FOUND'],
    [
      'without a subject in the key',
      key('out').replace('subjects/S1/', ''),
      { 'xsi-type': 'x:y' },
      'ASSESSOR_NOT_FOUND',
    ],
    ['of a missing session', key('out').replace('E1', 'E9'), { 'xsi-type': 'x:y' }, 'EXPERIMENT_NOT_FOUND'],
  ])('creates none %s', async (_, objectKey, metadata, code) => {
    const order = rig.orderFor([await rig.put(objectKey, 'mask', metadata)])

    await expect(rig.deliver(order)).rejects.toMatchObject({ code, retry: 'never' })
    expect(await listAssessors(rig.xnat, { experimentId: rig.experimentId })).toEqual([])
  })
})

describe('a scan that is created', () => {
  const scanKey = 'projects/P1/subjects/S1/experiments/PM/scans/1/resources/DICOM/files/1.dcm'

  it.each([
    ['is of the type that the object names', { 'scan-xsi-type': 'xnat:petScanData' }, 'xnat:petScanData'],
    ['is of the type of its session otherwise', {}, 'xnat:mrScanData'],
  ])('%s', async (_, metadata, xsiType) => {
    const description = { projectId: 'P1', subjectLabel: 'S1', label: 'PM', xsiType: 'xnat:petmrSessionData' }
    const { experimentId } = await ensureExperiment(rig.xnat, description)

    await rig.deliver(rig.orderFor([await rig.put(scanKey, 'x', metadata)]))

    expect((await findScan(rig.xnat, { experimentId, scanId: '1' }))?.xsiType).toBe(xsiType)
  })
})
