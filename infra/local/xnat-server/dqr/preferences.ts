import type { Xnat } from '../exchange.ts'
import { parseInterval } from '../interval.ts'

// DQR: D:preferences/DqrPreferences.java. All are texts.
const defaults: Readonly<Record<string, string>> = {
  dqrCallingAe: 'XNAT',
  pacsAvailabilityCheckFrequency: '1 minute',
  dqrMaxPacsRequestAttempts: '5',
  dqrWaitToRetryRequestInSeconds: '300',
  allowAllUsersToUseDqr: 'false',
  allowAllProjectsToUseDqr: 'false',
  notifyAdminOnImport: 'false',
  leavePacsAuditTrail: 'false',
  assumeSameSessionIfArrivedWithin: '30 minutes',
  ormStrategy: 'dicomOrmStrategy',
  patientNameStrategy: 'basicPatientNameStrategy',
  resultSetLimitStrategy: 'dcm4cheeResultSetLimitStrategy',
  dicomWebMetadataReadTimeoutSeconds: '20',
  dicomWebRetrieveReadTimeoutSeconds: '20',
  dqrMaxThrottleSleepSeconds: '1800',
}
const aliases: Readonly<Record<string, string>> = {
  dqrMaxPacsCMOVEAttempts: 'dqrMaxPacsRequestAttempts',
  dqrWaitToRetryCMOVETimeInSeconds: 'dqrWaitToRetryRequestInSeconds',
}

export function dqrPreferences({ state }: Pick<Xnat, 'state'>): Record<string, string> {
  return { ...defaults, ...Object.fromEntries(state.dqr.preferences.all().map(({ name, value }) => [name, value])) }
}

/** DQR: a name that does not exist is logged and left at that. */
export function setDqrPreference({ state }: Pick<Xnat, 'state'>, name: string, value: string): void {
  const known = aliases[name] ?? name
  if (defaults[known] !== undefined) state.dqr.preferences.put({ name: known, value })
}

/** The preferences the stand-in acts on. */
export function dqrSettings(xnat: Pick<Xnat, 'state'>) {
  const texts = dqrPreferences(xnat)
  return {
    checkEveryMs: parseInterval(texts['pacsAvailabilityCheckFrequency'] ?? '') ?? 60_000,
    maxAttempts: Number(texts['dqrMaxPacsRequestAttempts']),
    waitToRetryMs: Number(texts['dqrWaitToRetryRequestInSeconds']) * 1000,
    allUsers: texts['allowAllUsersToUseDqr'] === 'true',
    allProjects: texts['allowAllProjectsToUseDqr'] === 'true',
    maxThrottleMs: Number(texts['dqrMaxThrottleSleepSeconds']) * 1000,
  }
}
