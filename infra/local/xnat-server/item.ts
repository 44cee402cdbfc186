// A record as XNAT shows it: fields, and below them what it contains (ItemJSONBuilder.java, FlattenedItem.java).
import { experimentFields, type FieldSet, projectFields, scanFields, subjectFields, typedValue } from './fields.ts'
import type { Experiment, Project, Resource, Scan, Subject } from './records.ts'
import type { State } from './state.ts'
import { javaDate } from './timestamps.ts'

export interface Item {
  meta: { isHistory: false; 'xsi:type': string; start_date?: string }
  data_fields: Record<string, string | number>
  children: { field: string; items: Item[] }[]
}

export function projectItem(project: Project): Item {
  const { own, nested } = splitFields(project.fields, projectFields, ['PI'])
  return item('xnat:projectData', project.inserted.at, {
    fields: { ID: project.projectId, secondary_ID: project.secondaryId, name: project.name, ...own },
    children: {
      'aliases/alias': project.aliases.map((alias) =>
        item('xnat:projectData_alias', project.inserted.at, { fields: { alias } }),
      ),
      PI: nestedItem('xnat:investigatorData', project.inserted.at, nested['PI']),
    },
  })
}

export function subjectItem(state: State, subject: Subject): Item {
  const { own, nested } = splitFields(subject.fields, subjectFields, ['demographics', 'investigator'])
  return item('xnat:subjectData', subject.inserted.at, {
    fields: { ID: subject.subjectId, project: subject.projectId, label: subject.label, ...own },
    children: {
      demographics: nestedItem('xnat:demographicData', subject.inserted.at, nested['demographics']),
      investigator: nestedItem('xnat:investigatorData', subject.inserted.at, nested['investigator']),
      'resources/resource': resourceItems(state, { level: 'subject', id: subject.subjectId }),
      'sharing/share': shareItems(subject),
      'experiments/experiment': state.experiments
        .group(subject.projectId)
        .filter((experiment) => experiment.subjectId === subject.subjectId && experiment.sessionId === undefined)
        .map((experiment) => experimentItem(state, experiment)),
    },
  })
}

export function experimentItem(state: State, experiment: Experiment): Item {
  const { own } = splitFields(experiment.fields, experimentFields, [])
  const parent = { level: 'experiment', id: experiment.experimentId } as const
  const resources = state.resourcesOf(parent)
  const isAssessor = experiment.sessionId !== undefined
  const link: Record<string, string> = isAssessor
    ? { imageSession_ID: experiment.sessionId ?? '' }
    : { subject_ID: experiment.subjectId }
  const only = (direction: 'in' | 'out' | undefined) =>
    resources.filter((resource) => resource.parent.direction === direction).map(resourceItem)
  return item(experiment.xsiType, experiment.inserted.at, {
    fields: { ID: experiment.experimentId, project: experiment.projectId, label: experiment.label, ...link, ...own },
    children: {
      'scans/scan': state.scans.group(experiment.experimentId).map((scan) => scanItem(state, scan)),
      'resources/resource': only(undefined),
      'in/file': only('in'),
      'out/file': only('out'),
      'assessors/assessor': state.experiments
        .group(experiment.projectId)
        .filter((assessor) => assessor.sessionId === experiment.experimentId)
        .map((assessor) => experimentItem(state, assessor)),
      'sharing/share': shareItems(experiment),
    },
  })
}

export function scanItem(state: State, scan: Scan): Item {
  const { own } = splitFields(scan.fields, scanFields, [])
  return item(scan.xsiType, scan.inserted.at, {
    fields: { ID: scan.scanId, image_session_ID: scan.sessionId, xnat_imagescandata_id: scan.rowId, ...own },
    children: { file: resourceItems(state, { level: 'scan', id: String(scan.rowId) }) },
  })
}

function resourceItems(state: State, parent: { level: 'subject' | 'scan'; id: string }): Item[] {
  return state.resourcesOf(parent).map(resourceItem)
}

function resourceItem(resource: Resource): Item {
  const { resourceId, label, folder, format, content, fileCount, fileSize } = resource
  return {
    meta: { isHistory: false, 'xsi:type': 'xnat:resourceCatalog' },
    data_fields: {
      xnat_abstractresource_id: resourceId,
      label,
      URI: `${folder}/${label}_catalog.xml`,
      ...(format !== '' && { format }),
      ...(content !== '' && { content }),
      ...(fileCount !== undefined && { file_count: fileCount }),
      ...(fileSize !== undefined && { file_size: fileSize }),
    },
    children: [],
  }
}

function shareItems(shared: Subject | Experiment): Item[] {
  return shared.shares.map(({ projectId, label }) =>
    item('xnat:projectParticipant', shared.inserted.at, { fields: { project: projectId, label } }),
  )
}

interface Content {
  fields: Record<string, string | number>
  children?: Record<string, Item[]>
}

function item(xsiType: string, startedAt: string, { fields, children = {} }: Content): Item {
  return {
    meta: { isHistory: false, 'xsi:type': xsiType, start_date: javaDate(startedAt) },
    // XNAT: a field without a value is absent (FlattenedItem.java).
    data_fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')),
    children: Object.entries(children)
      .filter(([, items]) => items.length > 0)
      .map(([field, items]) => ({ field, items })),
  }
}

function nestedItem(xsiType: string, startedAt: string, fields: Record<string, string | number> | undefined): Item[] {
  return fields === undefined ? [] : [item(xsiType, startedAt, { fields })]
}

/** Fields of the record itself, and those of the items below it that have a record of their own in XNAT. */
function splitFields(fields: Readonly<Record<string, string>>, set: FieldSet, nestedNames: readonly string[]) {
  const own: Record<string, string | number> = {}
  const nested: Record<string, Record<string, string | number>> = {}
  for (const [path, value] of Object.entries(fields)) {
    const [head = '', ...tail] = path.split('/')
    if (tail.length > 0 && nestedNames.includes(head)) {
      nested[head] = { ...nested[head], [tail.join('/')]: typedValue(set, path, value) }
    } else {
      own[path] = typedValue(set, path, value)
    }
  }
  return { own, nested }
}
