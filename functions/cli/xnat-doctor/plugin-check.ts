import { findPlugin } from '../../../lib/xnat/site.ts'
import { adviseOnXnat, failed, ok, type SiteCheck, within } from './site.ts'

interface WantedPlugin {
  name: string
  pluginId: string
  /** What cannot be done without it. */
  without: string
  advice: string
}

/** Whether XNAT has a plug-in, and of which version. */
export const pluginCheck = ({ name, pluginId, without, advice }: WantedPlugin): SiteCheck => ({
  name,
  needs: ['sign-in'],
  async look(site) {
    const plugin = await findPlugin(site.xnat, pluginId, within(site))
    if (plugin === undefined) return failed(`${pluginId} is not installed: ${without}`, advice)
    return ok(plugin.version ? `is installed, version ${plugin.version}` : 'is installed')
  },
  advise: adviseOnXnat,
})
