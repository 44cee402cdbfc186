// The data types the stand-in knows. A type outside this list is "unknown" to it, as to an XNAT without the plug-in.

const modalities = [
  ...[
    'cr',
    'ct',
    'dx',
    'dx3DCraniofacial',
    'ecg',
    'eeg',
    'eps',
    'es',
    'esv',
    'gm',
    'gmv',
    'hd',
    'io',
    'meg',
    'mg',
    'mr',
  ],
  ...[
    'nm',
    'op',
    'opt',
    'otherDicom',
    'pet',
    'petmr',
    'rf',
    'rt',
    'rtImage',
    'sc',
    'segmentation',
    'sm',
    'sr',
    'us',
    'voiceAudio',
  ],
  ...['xa', 'xa3D', 'xc', 'xcv'],
]
export const sessionTypes: ReadonlySet<string> = new Set(modalities.map((modality) => `xnat:${modality}SessionData`))
export const scanTypes: ReadonlySet<string> = new Set(modalities.map((modality) => `xnat:${modality}ScanData`))
export const assessorTypes: ReadonlySet<string> = new Set([
  ...['ct', 'mr', 'pet'].map((modality) => `xnat:${modality}AssessorData`),
  'xnat:qcManualAssessorData',
  'xnat:qcAssessmentData',
  'xnat:statisticsData',
  'icr:roiCollectionData',
  'proc:genProcData',
])

// XNAT: documents name the element, not the type: <xnat:MRSession>, <xnat:QCManualAssessment> (xnat.xsd).
const elementTypes = new Map<string, string>([
  ...modalities.flatMap((modality): [string, string][] => [
    [`xnat:${modality}session`.toLowerCase(), `xnat:${modality}SessionData`],
    [`xnat:${modality}scan`.toLowerCase(), `xnat:${modality}ScanData`],
  ]),
  ['xnat:project', 'xnat:projectData'],
  ['xnat:subject', 'xnat:subjectData'],
  ['xnat:qcmanualassessment', 'xnat:qcManualAssessorData'],
  ['xnat:qcassessment', 'xnat:qcAssessmentData'],
  ...['ct', 'mr', 'pet'].map((modality): [string, string] => [
    `xnat:${modality}assessor`,
    `xnat:${modality}AssessorData`,
  ]),
  ['xnat:resourcecatalog', 'xnat:resourceCatalog'],
  ['icr:roicollection', 'icr:roiCollectionData'],
])

export function isSessionType(xsiType: string): boolean {
  return sessionTypes.has(xsiType)
}

export function isScanType(xsiType: string): boolean {
  return scanTypes.has(xsiType)
}

export function isAssessorType(xsiType: string): boolean {
  return assessorTypes.has(xsiType)
}

export function isKnownType(xsiType: string): boolean {
  return isSessionType(xsiType) || isScanType(xsiType) || isAssessorType(xsiType)
}

const abstractBases = new Map([
  ['xnat:subjectAssessorData', 'xnat:experimentData'],
  ['xnat:imageSessionData', 'xnat:subjectAssessorData'],
  ['xnat:derivedData', 'xnat:experimentData'],
  ['xnat:imageAssessorData', 'xnat:derivedData'],
])

/** Whether records of the first type are records of the second as well: an MR session is an image session, too. */
export function isA(xsiType: string, ancestor: string): boolean {
  if (xsiType.toLowerCase() === ancestor.toLowerCase()) return true
  const base = baseOf(xsiType)
  return base !== undefined && isA(base, ancestor)
}

function baseOf(xsiType: string): string | undefined {
  if (isSessionType(xsiType)) return 'xnat:imageSessionData'
  if (isAssessorType(xsiType)) return 'xnat:imageAssessorData'
  return isScanType(xsiType) ? 'xnat:imageScanData' : abstractBases.get(xsiType)
}

/** The type an XML element stands for: its xsi:type when it has one, else by its name. */
export function typeOfElement(name: string, xsiType: string | undefined): string | undefined {
  if (xsiType !== undefined) return xsiType
  const known = elementTypes.get(name.toLowerCase())
  if (known !== undefined) return known
  return isKnownType(name) ? name : undefined
}

/** The element name of a document of that type. */
export function elementOfType(xsiType: string): string {
  if (xsiType === 'xnat:projectData') return 'xnat:Project'
  if (xsiType === 'xnat:subjectData') return 'xnat:Subject'
  if (xsiType === 'xnat:qcManualAssessorData') return 'xnat:QCManualAssessment'
  const found = /^(\w+):(\w+?)(Session|Scan|Assessor)Data$/.exec(xsiType)
  if (found === null) return xsiType
  return `${found[1]}:${found[2]?.toUpperCase()}${found[3]}`
}
