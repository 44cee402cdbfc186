import { expect, it } from 'vitest'
import { scanTypes } from '../../infra/local/xnat-server/xsi-types.ts'
import { scanTypeFor } from '../../lib/delivery/scan-type.ts'

it.each([
  ['xnat:ctSessionData', 'xnat:ctScanData'],
  ['xnat:xa3DSessionData', 'xnat:xa3DScanData'],
  ['xnat:otherDicomSessionData', 'xnat:otherDicomScanData'],
  ['xnat:rtSessionData', 'xnat:rtImageScanData'],
  ['xnat:petmrSessionData', 'xnat:mrScanData'],
  ['site:unknownSessionData', 'xnat:otherDicomScanData'],
  ['xnat:qcManualAssessorData', 'xnat:otherDicomScanData'],
])('a session of type %s gets scans of type %s', (session, scan) => {
  expect(scanTypeFor(session)).toBe(scan)
  expect(scanTypes).toContain(scan)
})
