// The events there are (E:events).
export interface EventType {
  /** The class name that subscriptions give. */
  type: string
  displayName: string
  description: string
  statuses: readonly string[]
  scope: readonly ('PROJECT' | 'SITE')[]
  isXsiType: boolean
}

const both = ['PROJECT', 'SITE'] as const
const site = ['SITE'] as const
export const eventClasses = 'org.nrg.xnat.eventservice.events.'

export const eventTypes: readonly EventType[] = [
  eventType('SessionEvent', 'Session', 'Session created, merged, or deleted.', ['CREATED', 'MERGED', 'DELETED']),
  eventType('ScanEvent', 'Scan', 'Scan Created.', ['CREATED']),
  eventType('SubjectEvent', 'Subject', 'Subject created, updated, or deleted.', ['CREATED', 'DELETED']),
  eventType('SubjectAssessorEvent', 'Subject Assessor', 'Subject Assessor created or deleted.', ['CREATED', 'DELETED']),
  eventType('ImageAssessorEvent', 'Image Assessor', 'Image assessor created.', ['CREATED', 'UPDATED']),
  eventType('ResourceEvent', 'Resource', 'Resource created.', ['CREATED', 'UPDATED']),
  eventType('ProjectAssetEvent', 'Project Asset', 'Project Asset created.', ['CREATED']),
  { ...eventType('ProjectEvent', 'Project', 'Project created or deleted.', ['CREATED', 'DELETED']), scope: site },
  {
    ...eventType('ScheduledEvent', 'Scheduled', 'Scheduled event.', ['CRON']),
    scope: site,
    isXsiType: false,
  },
]

/** XNAT: classes that exist without being registered as events. */
export const unregisteredTypes: ReadonlySet<string> = new Set([`${eventClasses}WorkflowStatusChangeEvent`])

export function findEventType(type: string): EventType | undefined {
  return eventTypes.find((each) => each.type === type)
}

function eventType(name: string, displayName: string, description: string, statuses: readonly string[]): EventType {
  return { type: `${eventClasses}${name}`, displayName, description, statuses, scope: both, isXsiType: true }
}
