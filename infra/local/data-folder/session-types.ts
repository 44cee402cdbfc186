// XNAT: modality-sessions.properties of dicom-xnat-sop, in the order of its lead-scan-types.txt: the first of these that a
// study holds decides (SOPModel.java). That PT comes before MR and CT, and these before RT objects, is also what
// TestDicomModalityAssignment.java asks for. XNAT knows RT objects by SOP class; in DICOM their modalities begin with RT.
// Left out are the types that only recent versions have (DMS, CFM, PA, ...): XNAT answers 400 to a type it does not know.
const leadingTypes: readonly (readonly [modality: string, sessionType: string])[] = [
  ['PT', 'petSessionData'],
  ['MR', 'mrSessionData'],
  ['CT', 'ctSessionData'],
  ['XA', 'xaSessionData'],
  ['US', 'usSessionData'],
  ['IVUS', 'usSessionData'],
  ['RTIMAGE', 'rtSessionData'],
  ['RTDOSE', 'rtSessionData'],
  ['RTSTRUCT', 'rtSessionData'],
  ['RTPLAN', 'rtSessionData'],
  ['RTRECORD', 'rtSessionData'],
  ['CR', 'crSessionData'],
  ['OPT', 'optSessionData'],
  ['MG', 'mgSessionData'],
  ['DX', 'dxSessionData'],
  ['NM', 'nmSessionData'],
  ['SR', 'srSessionData'],
  ['SM', 'smSessionData'],
  ['GM', 'gmSessionData'],
  ['RF', 'rfSessionData'],
  ['ES', 'esSessionData'],
  ['RG', 'rgSessionData'],
  ['XC', 'xcSessionData'],
  ['ECG', 'ecgSessionData'],
  ['EEG', 'eegSessionData'],
]

/** The XNAT session type of a study that holds these DICOM modalities. */
export function sessionTypeOf(modalities: ReadonlySet<string>): string {
  const leading = leadingTypes.find(([modality]) => modalities.has(modality))
  return `xnat:${leading?.[1] ?? 'otherDicomSessionData'}`
}
