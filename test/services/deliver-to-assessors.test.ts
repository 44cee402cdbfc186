import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliverFiles } from '../../lib/services/deliver-files.ts'
import { ensureExperiment, findScan } from '../../lib/xnat/archive.ts'
import { ensureAssessor, listAssessors } from '../../lib/xnat/assessors.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { listResources, type ResourceRef } from '../../lib/xnat/resources.ts'
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

describe('an account without the right to edit an assessor', () => {
  it.each([
    ['in', 'is not there', []],
    ['in', 'is there', ['in']],
    ['in', 'is there on the other side', ['out']],
    ['out', 'is not there', []],
    ['out', 'is there', ['out']],
  ] as const)(
    'is told so after one try, and leaves nothing: %s, where the resource %s',
    async (direction, _, sides) => {
      const wanted = { experimentId: rig.experimentId, label: 'A1', xsiType: 'xnat:qcManualAssessorData' }
      const { assessorId } = await ensureAssessor(rig.xnat, wanted)
      for (const side of sides) await rig.deliver(rig.orderFor([await rig.put(key(side, 'there.nii'), side)]))
      rig.standIn.state.addUser({ username: 'reader', password: 'reader', groups: ['P1_collaborator'] })
      const credentials = { kind: 'password', user: 'reader', password: 'reader' } as const
      const reader = new XnatClient({ url: rig.standIn.url, credentials })
      const order = rig.orderFor([await rig.put(key(direction), 'mask')])
      const { incoming, state } = rig
      const { signal } = new AbortController()
      rig.standIn.requests.clear()

      const delivery = deliverFiles({ xnat: reader, incoming, state, signal }, order)

      await expect(delivery).rejects.toMatchObject({ code: 'NO_EDIT_RIGHT', retry: 'never' })
      await reader.close()
      const uploads = rig.standIn.requests
        .list()
        .filter(({ method, path }) => method === 'PUT' && path.includes('/files/'))
      expect(uploads.length).toBeLessThanOrEqual(1)
      for (const side of ['in', 'out'] as const) {
        const expected = sides.some((there) => there === side) ? ['there.nii'] : []
        expect([...(await rig.digests(refOf(assessorId, side))).keys()]).toEqual(expected)
        const resources = await listResources(rig.xnat, refOf(assessorId, side).parent)
        expect(resources).toHaveLength(expected.length)
      }
    },
  )
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
