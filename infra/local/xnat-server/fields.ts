// Which fields a record has, under which names a query may address them, and of which type they are.
import { HttpFailure } from './http-failure.ts'
import type { Query } from './query.ts'

type FieldType = 'string' | 'integer' | 'float' | 'date'

export interface Field {
  /** XML path below the record, in XNAT's spelling. */
  path: string
  type: FieldType
  /** The names it has in queries, besides `type/path`. */
  shortcuts: readonly string[]
}

export type FieldSet = ReadonlyMap<string, Field>

// XNAT: XMLPathShortcuts.java, as far as projects, subjects, image sessions, scans and assessors go.
export const projectFields = fieldSet([
  ['description', 'string', 'description'],
  ['keywords', 'string', 'keywords'],
  ['PI/firstname', 'string', 'pi_firstname'],
  ['PI/lastname', 'string', 'pi_lastname'],
  ['PI/title'],
  ['PI/institution'],
  ['PI/email'],
])

export const subjectFields = fieldSet([
  ['group', 'string', 'group'],
  ['src', 'string', 'src'],
  ['investigator/firstname', 'string', 'pi_firstname'],
  ['investigator/lastname', 'string', 'pi_lastname'],
  ['demographics/dob', 'date', 'dob'],
  ...(['yob', 'age', 'education'] as const).map((name) => demographic(name, 'integer')),
  ...(['weight', 'height', 'gestational_age', 'post_menstrual_age', 'birth_weight'] as const).map((name) =>
    demographic(name, 'float'),
  ),
  ...(['gender', 'handedness', 'ses', 'educationDesc', 'race', 'ethnicity'] as const).map((name) =>
    demographic(name, 'string'),
  ),
])

export const experimentFields = fieldSet([
  ...(['visit_id', 'visit', 'protocol', 'time', 'note', 'operator', 'session_type', 'modality'] as const).map(plain),
  ...(['dcmAccessionNumber', 'dcmPatientId', 'dcmPatientName', 'coil', 'fieldStrength', 'marker'] as const).map(plain),
  ...(['stabilization', 'studyType', 'patientID', 'patientName', 'acquisition_site', 'original'] as const).map(plain),
  ['date', 'date', 'date'],
  ['age', 'float'],
  ['UID', 'string', 'UID', 'studyInstanceUID'],
  ['scanner', 'string', 'scanner'],
  ['scanner/manufacturer'],
  ['scanner/model'],
  ['prearchivePath'],
  ['study_id'],
  ['dcmPatientBirthDate', 'date'],
  ['dcmPatientWeight', 'float'],
  ['investigator/firstname', 'string', 'pi_firstname'],
  ['investigator/lastname', 'string', 'pi_lastname'],
  ['validation/method', 'string', 'validation_method'],
  ['validation/status', 'string', 'validation_status'],
  ['validation/date', 'date', 'validation_date'],
  ['validation/notes', 'string', 'validation_notes'],
  ['rater'],
  ['stereotacticMarker'],
  ['incidentalFindings'],
  ['comments'],
  ['pass'],
])

export const scanFields = fieldSet([
  ...(
    ['type', 'quality', 'note', 'condition', 'series_description', 'documentation', 'scanner', 'modality'] as const
  ).map(plain),
  ...(['coil', 'fieldStrength', 'marker', 'stabilization', 'UID'] as const).map(plain),
  ['frames', 'integer', 'frames'],
  ['startTime', 'string', 'scanTime'],
  ['start_date', 'date'],
  ['series_class'],
  ['requestedStep'],
  ['bodyPartExamined'],
  ['protocolName'],
  ['scanner/manufacturer'],
  ['scanner/model'],
  ['parameters/orientation', 'string', 'orientation'],
  ['parameters/tr', 'float'],
  ['parameters/te', 'float'],
  ['parameters/flip', 'integer'],
  ['parameters/voxelRes/x', 'float'],
  ['parameters/voxelRes/y', 'float'],
  ['parameters/voxelRes/z', 'float'],
  ['validation/method', 'string', 'validation_method'],
  ['validation/status', 'string', 'validation_status'],
])

export function findByShortcut(fields: FieldSet, name: string): Field | undefined {
  for (const field of fields.values()) if (field.shortcuts.includes(name)) return field
  return undefined
}

// XNAT: paths are matched whatever their case: xnat:imagesessiondata/uid is UID (GenericWrapperElement.java).
export function findByPath(fields: FieldSet, path: string): Field | undefined {
  return fields.get(path.replace(/\[@?xsi:type=[\w:]+\]/gi, '').toLowerCase())
}

// What a record is called and where it is: known paths, though no fields of it.
const identityPaths = new Set(
  ['id', 'label', 'project', 'subject_id', 'imagesession_id', 'image_session_id', 'name', 'secondary_id'].concat(
    'aliases/alias/alias',
  ),
)

/**
 * The fields a query sets.
 *
 * @throws {HttpFailure} 400 for a value of the wrong type.
 */
export function fieldsFromQuery(query: Query, fields: FieldSet, options: { isNew: boolean }): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of query.entries()) {
    const slash = name.indexOf('/')
    const field = slash > 0 ? findByPath(fields, name.slice(slash + 1)) : findByShortcut(fields, name)
    if (field !== undefined) found[field.path] = checkValue(field, value)
    else if (slash > 0 && identityPaths.has(name.slice(slash + 1).toLowerCase())) continue
    // XNAT: an unknown path makes a create drop every query field without a word (SecureResource.java loadItem).
    else if (slash > 0 && options.isNew) return {}
  }
  return found
}

/** The fields of a document that are known; the others are ignored, as XNAT does not validate against its schema. */
export function fieldsFromDocument(values: ReadonlyMap<string, string>, fields: FieldSet): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [path, value] of values) {
    const field = findByPath(fields, path)
    if (field !== undefined) found[field.path] = checkValue(field, value)
  }
  return found
}

/** The value as item JSON shows it: numbers are numbers there. */
export function typedValue(fields: FieldSet, path: string, value: string): string | number {
  const type = findByPath(fields, path)?.type
  return type === 'integer' || type === 'float' ? Number(value) : value
}

function checkValue(field: Field, value: string): string {
  if (value === '' || field.type === 'string') return value
  const isRight =
    field.type === 'date' ? /^\d{4}-\d{2}-\d{2}$|^\d{1,2}\/\d{1,2}\/\d{4}$/.test(value) : Number.isFinite(Number(value))
  if (!isRight) throw new HttpFailure(400, `Invalid value for ${field.path}`)
  return field.type === 'date' ? isoDate(value) : value
}

/** A date in XNAT's American form as an ISO one; anything else as it is. */
export function isoDate(value: string): string {
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(value)
  if (american === null) return value
  const [, month = '', day = '', year = ''] = american
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

type FieldSpec = readonly [path: string, type?: FieldType, ...shortcuts: string[]]

function fieldSet(specs: readonly FieldSpec[]): FieldSet {
  return new Map(specs.map(([path, type = 'string', ...shortcuts]) => [path.toLowerCase(), { path, type, shortcuts }]))
}

function plain(name: string): FieldSpec {
  return [name, 'string', name]
}

function demographic(name: string, type: FieldType): FieldSpec {
  return [`demographics/${name}`, type, name]
}
