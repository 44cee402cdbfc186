// Whether DQR can bring studies from the PACS.
import { isOpen } from '../../../lib/imports/pacs-readiness.ts'
import { getDqrSettings, listPacs, type Pacs, pingPacs } from '../../../lib/xnat/dqr.ts'
import { getAvailability, weekdays } from '../../../lib/xnat/dqr-availability.ts'
import { exitCodes, Failure } from '../failure.ts'
import { pluginCheck } from './plugin-check.ts'
import { adviseOnXnat, failed, ok, type Site, type SiteCheck, warning, within } from './site.ts'

export const dqrPlugin = pluginCheck({
  name: 'DQR plug-in',
  pluginId: 'dicom-query-retrieve',
  without: 'nothing can be imported from a PACS',
  advice: "Put it into XNAT's plug-ins and restart XNAT, or leave this out with --without-imports.",
})

export const dqrProjects: SiteCheck = {
  name: 'DQR for projects',
  needs: ['DQR plug-in', 'administrator'],
  async look(site) {
    const { areAllProjectsEnabled } = await getDqrSettings(site.xnat, within(site))
    if (areAllProjectsEnabled) return ok('all may import')
    return warning(
      'each has to be enabled for itself: until then its studies wait (IMPORT_REFUSED)',
      'POST /xapi/dqr/settings {"allowAllProjectsToUseDqr": "true"}, or PUT /xapi/dqr/settings/project/{project} {"enabled": true} for each.',
    )
  },
  advise: adviseOnXnat,
}

export const dqrRetries: SiteCheck = {
  name: 'DQR retries',
  needs: ['DQR plug-in', 'administrator'],
  async look(site) {
    const { attempts, waitBetweenAttemptsMs } = await getDqrSettings(site.xnat, within(site))
    const longestMs = (attempts - 1) * waitBetweenAttemptsMs
    const says = `${attempts} attempts at a study, ${waitBetweenAttemptsMs / 1000} s apart`
    if (longestMs < site.expected.stallAfterMs) return ok(says)
    // DQR: the thread keeps its place while it waits (D:events/PacsDequeueThread.java).
    return warning(
      `${says}: one that fails holds up a thread of the PACS for longer than STALL_AFTER`,
      'Lower dqrMaxPacsRequestAttempts: RETRY_PLAN asks again without holding anything up.',
    )
  },
  advise: adviseOnXnat,
}

export const pacs: SiteCheck = {
  name: 'PACS',
  needs: ['DQR plug-in'],
  async look(site) {
    const all = await listPacs(site.xnat, within(site))
    const asked = askedOf(all)
    if (asked === undefined) {
      return failed(
        'XNAT knows none',
        'Register it: POST /xapi/pacs, as the default for queries, or in Administer, DQR.',
      )
    }
    const name = `${asked.pacsId} (${asked.aeTitle})`
    if (!asked.isQueryable)
      return failed(`${name} may not be queried`, `PUT /xapi/pacs/${asked.pacsId} {"queryable": true}.`)
    if (asked.isDefault || all.length === 1) return ok(`${name} is asked`)
    return warning(
      `there are ${all.length} and none is the default: ${name} is asked, as the first`,
      'PUT /xapi/pacs/{id} {"defaultQueryRetrievePacs": true} for the one that is meant.',
    )
  },
  advise: adviseOnXnat,
}

/** As the functions choose it. */
const askedOf = (all: readonly Pacs[]) => all.find(({ isDefault }) => isDefault) ?? all[0]

async function getAskedPacs(site: Site): Promise<Pacs> {
  const asked = askedOf(await listPacs(site.xnat, within(site)))
  if (asked === undefined) throw new Failure('XNAT knows none any more', exitCodes.failed)
  return asked
}

export const pacsAnswers: SiteCheck = {
  name: 'PACS answers',
  needs: ['PACS', 'administrator'],
  async look(site) {
    const { pacsId, aeTitle, host, queryRetrievePort } = await getAskedPacs(site)
    const { callingAeTitle } = await getDqrSettings(site.xnat, within(site))
    if (await pingPacs(site.xnat, pacsId, within(site))) return ok(`XNAT, as ${callingAeTitle}`)
    return failed(
      `not to XNAT, which calls itself ${callingAeTitle}`,
      `Does ${aeTitle} run at ${host ?? 'its address'}:${queryRetrievePort ?? 'its port'}, can XNAT's server reach it, and does it know that AE title and XNAT's receiver?`,
    )
  },
  advise: adviseOnXnat,
}

export const pacsHours: SiteCheck = {
  name: 'PACS hours',
  needs: ['PACS', 'administrator'],
  async look(site) {
    const { pacsId } = await getAskedPacs(site)
    const { timeZone } = site.expected
    const availability = await getAvailability(site.xnat, pacsId, within(site))
    const windows = weekdays.map((day) => (availability[day] ?? []).filter(({ threads }) => threads > 0))
    // DQR: a PACS without a window never drains its queue, and a new one has none (D:events/PacsThreadsChecker.java).
    if (windows.every((each) => each.length === 0)) {
      return failed(
        'there are none: XNAT never retrieves anything, and says nothing of it',
        `POST /xapi/pacs/${pacsId}/availability for each day, with threads and utilizationPercent.`,
      )
    }
    const closed = weekdays.filter((_, day) => windows[day]?.length === 0)
    const threads = Math.max(...windows.flat().map((each) => each.threads))
    const rest = `${threads} at a time at most${closed.length === 0 ? '' : `, never on ${closed.join(', ')}`}`
    if (isOpen(availability, new Date(), timeZone)) return ok(`open now by the clock of ${timeZone}; ${rest}`)
    return warning(
      `closed now by the clock of ${timeZone}; ${rest}`,
      "Imports wait until it opens. Is XNAT_TIME_ZONE the zone of XNAT's server?",
    )
  },
  advise: adviseOnXnat,
}
