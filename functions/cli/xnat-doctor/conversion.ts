// Whether projects can be set up to convert DICOM to NIfTI.
import { ProvisioningError } from '../../../lib/errors.ts'
import { findConversionCommand } from '../../../lib/provisioning/conversion.ts'
import { isEventServiceOn } from '../../../lib/xnat/automation.ts'
import { findContainerHost, listSiteWrappers } from '../../../lib/xnat/commands.ts'
import { pluginCheck } from './plugin-check.ts'
import { adviseOnXnat, failed, ok, type Site, type SiteCheck, within } from './site.ts'

export const eventService: SiteCheck = {
  name: 'Event Service',
  needs: ['sign-in'],
  async look(site) {
    if (await isEventServiceOn(site.xnat, within(site))) return ok('is on')
    return failed('is off: no project can be provisioned', 'PUT /xapi/events/prefs {"enabled": true}.')
  },
  advise: adviseOnXnat,
}

export const containerService = pluginCheck({
  name: 'Container Service',
  pluginId: 'containers',
  without: 'no project can be provisioned',
  advice: "Put it into XNAT's plug-ins and restart XNAT.",
})

export const command: SiteCheck = {
  name: 'dcm2niix command',
  needs: ['Container Service'],
  async look(site) {
    const { conversionImage } = site.expected
    try {
      const { wrapperName } = await findCommand(site)
      return ok(`${conversionImage} is installed, with the wrapper ${wrapperName}`)
    } catch (error) {
      if (!(error instanceof ProvisioningError)) throw error
      return failed(`there is none of the image ${conversionImage} that XNAT can run`, error.message)
    }
  },
  advise: adviseOnXnat,
}

const findCommand = (site: Site) => findConversionCommand(site, site.expected.conversionImage)

export const wrapper: SiteCheck = {
  name: 'dcm2niix wrapper',
  needs: ['dcm2niix command'],
  async look(site) {
    const { commandId, wrapperId, wrapperName } = await findCommand(site)
    const forScans = await listSiteWrappers(site.xnat, 'xnat:mrScanData', within(site))
    const found = forScans.find((each) => each.wrapperId === wrapperId)
    if (found?.isEnabled === true) return ok(`${wrapperName} is enabled for the site, and takes scans`)
    return found === undefined
      ? failed(`${wrapperName} does not take scans`, 'Give it the context xnat:imageScanData and a scan as its input.')
      : failed(
          `${wrapperName} is not enabled for the site: no project can be provisioned`,
          `A container manager's PUT /xapi/commands/${commandId}/wrappers/${wrapperName}/enabled.`,
        )
  },
  advise: adviseOnXnat,
}

export const containerHost: SiteCheck = {
  name: 'container host',
  needs: ['Container Service'],
  async look(site) {
    const host = await findContainerHost(site.xnat, within(site))
    if (host?.isReachable === true) return ok('answers XNAT')
    const says = host === undefined ? 'none is set up' : 'does not answer XNAT'
    // Container Service: an event's action counts as done when the container is queued (C:services/CommandActionProvider.java).
    return failed(
      `${says}: conversions are queued, and fail without anybody hearing of it`,
      'See Administer, Plugin Settings, Container Server.',
    )
  },
  advise: adviseOnXnat,
}
