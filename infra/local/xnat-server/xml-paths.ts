// Which type declares a field, and which names stand for its full XML path (xnat.xsd, XMLPathShortcuts.java).
import { experimentFields, type FieldSet, projectFields, scanFields, subjectFields } from './fields.ts'

interface Declarations {
  /** The type that declares what is not listed below. */
  usual: string
  /** The first step of the paths that another type declares. */
  others?: Readonly<Record<string, readonly string[]>>
  /** Shortcuts for what a record has besides its fields. */
  shortcuts: Readonly<Record<string, string>>
}

const experimentDeclarations: Declarations = {
  usual: 'xnat:imageSessionData',
  others: {
    'xnat:experimentData': [
      'date',
      'time',
      'note',
      'visit_id',
      'visit',
      'protocol',
      'original',
      'acquisition_site',
    ].concat('validation', 'investigator'),
    'xnat:subjectAssessorData': ['age'],
    'xnat:mrSessionData': ['coil', 'fieldStrength', 'marker'],
    'xnat:petSessionData': ['stabilization', 'studyType', 'patientID', 'patientName'],
    'xnat:qcManualAssessorData': ['rater', 'stereotacticMarker', 'incidentalFindings', 'comments', 'pass'],
  },
  shortcuts: {
    ID: 'xnat:experimentData/ID',
    project: 'xnat:experimentData/project',
    label: 'xnat:experimentData/label',
    subject_ID: 'xnat:subjectAssessorData/subject_ID',
    subject_label: 'xnat:subjectData/label',
    subject_project: 'xnat:subjectData/project',
    session_ID: 'xnat:imageSessionData/ID',
    session_label: 'xnat:imageSessionData/label',
    insert_date: 'xnat:experimentData/meta/insert_date',
    insert_user: 'xnat:experimentData/meta/insert_user/login',
    last_modified: 'xnat:experimentData/meta/last_modified',
    xsiType: 'xnat:experimentData/extension_item/element_name',
  },
}

const scanDeclarations: Declarations = {
  usual: 'xnat:imageScanData',
  others: {
    'xnat:mrScanData': ['coil', 'fieldStrength', 'marker', 'stabilization'],
    'xnat:petScanData': ['parameters'],
  },
  shortcuts: {
    ID: 'xnat:imageScanData/ID',
    xnat_imagescandata_id: 'xnat:imageScanData/xnat_imagescandata_id',
    insert_date: 'xnat:imageScanData/meta/insert_date',
    insert_user: 'xnat:imageScanData/meta/insert_user/login',
    xsiType: 'xnat:imageScanData/extension_item/element_name',
  },
}

const subjectDeclarations: Declarations = {
  usual: 'xnat:subjectData',
  shortcuts: {
    ID: 'xnat:subjectData/ID',
    project: 'xnat:subjectData/project',
    label: 'xnat:subjectData/label',
    insert_date: 'xnat:subjectData/meta/insert_date',
    insert_user: 'xnat:subjectData/meta/insert_user/login',
    last_modified: 'xnat:subjectData/meta/last_modified',
  },
}

const projectDeclarations: Declarations = {
  usual: 'xnat:projectData',
  shortcuts: {
    ID: 'xnat:projectData/ID',
    secondary_ID: 'xnat:projectData/secondary_ID',
    name: 'xnat:projectData/name',
    alias: 'xnat:projectData/aliases/alias/alias',
  },
}

const declarations = new Map<FieldSet, Declarations>([
  [experimentFields, experimentDeclarations],
  [scanFields, scanDeclarations],
  [subjectFields, subjectDeclarations],
  [projectFields, projectDeclarations],
])

const pathsByShortcut = new Map([...declarations.keys()].map((set) => [set, shortcutsOf(set)]))

export function declaringType(set: FieldSet, path: string): string {
  const { usual = '', others = {} } = declarations.get(set) ?? {}
  const [head = path] = path.split('/')
  return Object.entries(others).find(([, heads]) => heads.includes(head))?.[0] ?? usual
}

/** The full path a name stands for: a shortcut's, or the name itself when it is a path; undefined for what is neither. */
export function fullPath(set: FieldSet, name: string): string | undefined {
  return name.includes('/') ? name : pathsByShortcut.get(set)?.get(name)
}

/** The shortcut for a full path, however its letters are cased. */
export function shortcutFor(set: FieldSet, path: string): string | undefined {
  const wanted = path.toLowerCase()
  for (const [shortcut, known] of pathsByShortcut.get(set) ?? []) if (known.toLowerCase() === wanted) return shortcut
  return undefined
}

function shortcutsOf(set: FieldSet): Map<string, string> {
  const own = Object.entries(declarations.get(set)?.shortcuts ?? {})
  const fields = [...set.values()].flatMap(({ path, shortcuts }) =>
    shortcuts.map((shortcut): [string, string] => [shortcut, `${declaringType(set, path)}/${typedPath(path)}`]),
  )
  return new Map([...own, ...fields])
}

// XNAT: a subject's demographics may be of several types, so their paths name the one that is meant.
function typedPath(path: string): string {
  return path.replace(/^demographics\//, 'demographics[@xsi:type=xnat:demographicData]/')
}
