// Which data types XNAT gives to what it received.
import type { Instance } from './instance.ts'

// XNAT: modality-sessions.properties of dicom-xnat-sop, in the order of its lead-scan-types.txt: the first that a study
// holds decides (SOPModel.java). TestDicomModalityAssignment.java asks for PT before CT, and for both before RT objects.
const sessionTypes: readonly (readonly [modality: string, type: string])[] = [
  ['PT', 'pet'],
  ['MR', 'mr'],
  ['CT', 'ct'],
  ['XA', 'xa'],
  ['US', 'us'],
  ['IVUS', 'us'],
  ['RTIMAGE', 'rt'],
  ['RTDOSE', 'rt'],
  ['RTSTRUCT', 'rt'],
  ['RTPLAN', 'rt'],
  ['RTRECORD', 'rt'],
  ['CR', 'cr'],
  ['OPT', 'opt'],
  ['MG', 'mg'],
  ['DX', 'dx'],
  ['NM', 'nm'],
  ['SR', 'sr'],
  ['SM', 'sm'],
  ['GM', 'gm'],
  ['RF', 'rf'],
  ['ES', 'es'],
  ['XC', 'xc'],
  ['ECG', 'ecg'],
  ['EEG', 'eeg'],
]

const scanTypes: Readonly<Record<string, string>> = {
  PT: 'pet',
  IVUS: 'us',
  RTIMAGE: 'rtImage',
  RTDOSE: 'rtImage',
  RTSTRUCT: 'rtImage',
  RTPLAN: 'rtImage',
  RTRECORD: 'rtImage',
  IO: 'io',
  OP: 'op',
  HD: 'hd',
}

const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7'
// XNAT: since 1.8.5 the class tells of an MR whose modality is missing (TestDicomModalityAssignment.java).
const mrImage = '1.2.840.10008.5.1.4.1.1.4'

type Kind = Pick<Instance, 'modality' | 'sopClassUid'>

/** `xnat:mrSessionData` and the like. */
export function sessionTypeOf(instances: Iterable<Kind>): string {
  const modalities = new Set([...instances].map(modalityOf))
  const leading = sessionTypes.find(([modality]) => modalities.has(modality))
  return `xnat:${leading?.[1] ?? 'otherDicom'}SessionData`
}

/** The type of a scan by its first instance: a secondary capture is one whatever modality it names. */
export function scanTypeOf(instance: Kind): string {
  if (instance.sopClassUid.startsWith(secondaryCapture)) return 'xnat:scScanData'
  const modality = modalityOf(instance)
  const own = sessionTypes.find(([name]) => name === modality)?.[1]
  return `xnat:${scanTypes[modality] ?? own ?? 'otherDicom'}ScanData`
}

function modalityOf({ modality, sopClassUid }: Kind): string {
  return modality === '' && sopClassUid.startsWith(mrImage) ? 'MR' : modality
}
