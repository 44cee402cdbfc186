// Which type of scan a session type holds, where the two do not share their stem.
// XNAT: the lists of session and of scan types stand side by side in NrgXnat/grxnat, pogo/DataType.groovy: for all others
// of them `xnat:ctSessionData` holds `xnat:ctScanData` and so on. RT objects are kept as `rtImage` scans, and a PET/MR
// session has no scan type of its own: it holds MR scans and PET scans.
const withOtherStem: Readonly<Record<string, string>> = {
  'xnat:rtSessionData': 'xnat:rtImageScanData',
  'xnat:petmrSessionData': 'xnat:mrScanData',
}

const withSameStem: ReadonlySet<string> = new Set(
  (
    'cr ct dx dx3DCraniofacial ecg eeg eps es esv gm gmv hd io meg mg mr nm op opt otherDicom pet rf rg sm sr us xa ' +
    'xa3D xc xcv'
  ).split(' '),
)

/**
 * The type of a scan that is created in a session of this type. PET scans of a PET/MR session have to be declared by
 * whoever uploads them. A session type that XNAT's own list does not hold gets a scan that may hold any DICOM.
 */
export function scanTypeFor(sessionType: string): string {
  const stem = /^xnat:(\w+)SessionData$/.exec(sessionType)?.[1]
  const sameStem = stem !== undefined && withSameStem.has(stem) ? `xnat:${stem}ScanData` : undefined
  return withOtherStem[sessionType] ?? sameStem ?? 'xnat:otherDicomScanData'
}
