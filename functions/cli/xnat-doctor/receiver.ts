// Whether what the PACS sends arrives, under the labels that were asked for.
import { canRelabel, listReceivers, type Receiver } from '../../../lib/xnat/receivers.ts'
import { getSiteSettings } from '../../../lib/xnat/site.ts'
import { adviseOnXnat, failed, ok, type SiteCheck, warning, within } from './site.ts'

export const receiver: SiteCheck = {
  name: 'receiver',
  needs: ['DQR plug-in', 'administrator'],
  async look(site) {
    const { aeTitle, port } = site.expected.receiver
    const name = `${aeTitle}:${port}`
    const all = await listReceivers(site.xnat, within(site))
    // XNAT: found by both, as they are spelled (DicomSCPInstanceService.java findByAETitleAndPort).
    const found = all.find((each) => each.aeTitle === aeTitle && each.port === port)
    if (found === undefined) {
      const others = all.map((each) => `${each.aeTitle}:${each.port}`).join(', ') || 'none at all'
      return failed(
        `XNAT has no ${name}, but ${others}`,
        'Set XNAT_AETITLE and XNAT_PORT to one of them, or make it: POST /xapi/dicomscp.',
      )
    }
    const { enableDicomReceiver: areOn = true } = await getSiteSettings(site.xnat, within(site))
    const faults = [
      ...(areOn
        ? []
        : [{ says: 'all of them are switched off', advice: 'Set enableDicomReceiver to true for the site.' }]),
      ...faultsOf(found),
    ]
    if (faults.length > 0) {
      return failed(
        `${name}: ${faults.map(({ says }) => says).join('; ')}`,
        faults.map(({ advice }) => advice).join(' '),
      )
    }
    if (found.hasWhitelist) {
      return warning(`${name} takes only from those on its list`, 'Is the PACS on it, by AE title or address?')
    }
    return ok(`${name} is on, with DQR's identifier and custom processing`)
  },
  advise: adviseOnXnat,
}

/** What DQR's labels hang on (dqr-containers-events A7: DqrDicomObjectIdentifierFactory.java, GradualDicomImporter.java). */
function faultsOf({ isEnabled, identifier, hasCustomProcessing }: Receiver): { says: string; advice: string }[] {
  const faults = [
    { isAs: isEnabled, says: 'is switched off', advice: 'Enable it.' },
    {
      isAs: identifier === 'dqrObjectIdentifier',
      says: `tells projects and labels by ${identifier ?? 'its default'}, not by what DQR was asked for`,
      advice: 'Give it the identifier dqrObjectIdentifier.',
    },
    {
      isAs: hasCustomProcessing,
      says: "does not relabel: sessions keep the PACS's names and numbers",
      advice: 'Switch on its custom processing.',
    },
  ]
  return faults.filter(({ isAs }) => !isAs)
}

export const relabelling: SiteCheck = {
  name: 'relabelling',
  needs: ['receiver'],
  async look(site) {
    if (await canRelabel(site.xnat, site.expected.receiver, within(site))) return ok('the processor for it is on')
    return failed(
      "the processor for it is off or missing: sessions keep the PACS's names and numbers",
      'Enable the site processor Remapping (StudyRemappingArchiveProcessor), for this receiver too.',
    )
  },
  advise: adviseOnXnat,
}
