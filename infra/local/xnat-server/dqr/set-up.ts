// What an administrator does before the first import: PACS, hours, receiver, projects (dqr-containers-events A9).
import * as z from 'zod'
import type { Xnat } from '../exchange.ts'
import { addInterval } from './availability.ts'
import { newEntity } from './entity.ts'
import { newPacs, savePacs } from './pacs-settings.ts'
import { addReceiver, findReceiver } from './receivers.ts'
import { type Pacs, type Receiver, weekdays } from './records.ts'

export const DqrSetUp = z.strictObject({
  /** Projects that may import. */
  projects: z.array(z.string()).default([]),
  threads: z.number().default(1),
  /** The receiver's: whether studies go straight into the archive. */
  directArchive: z.boolean().default(false),
})
export type DqrSetUp = z.input<typeof DqrSetUp>

/** Registers the PACS, open day and night, and a receiver that relabels, AE title `XNAT` and port 8104. Twice is once. */
export function setUpDqr(xnat: Xnat, input: DqrSetUp = {}): { pacs: Pacs; receiver: Receiver } {
  const { projects, threads, directArchive } = DqrSetUp.parse(input)
  const settings = {
    aeTitle: 'PACS',
    host: 'pacs.example.org',
    queryRetrievePort: 104,
    label: 'PACS',
    defaultQueryRetrievePacs: true,
    ormStrategySpringBeanId: 'dicomOrmStrategy',
    supportsExtendedNegotiations: true,
  }
  const present = xnat.state.dqr.pacs.find(({ label }) => label === settings.label)
  const pacs = present ?? savePacs(xnat, { ...newPacs(xnat, settings), id: xnat.state.next('pacs') })
  for (const dayOfWeek of present === undefined ? weekdays : []) {
    const day = { dayOfWeek, availabilityStart: '00:00', availabilityEnd: '00:00' }
    addInterval(xnat, { ...day, pacsId: pacs.id, threads, utilizationPercent: 100 })
  }
  const receiver = receiverFor(xnat, directArchive)
  for (const projectId of projects) {
    const entity = newEntity(xnat, xnat.state.next('dqrProjectSettings'))
    xnat.state.dqr.projectSettings.put({ ...entity, projectId, dqrEnabled: true })
  }
  return { pacs, receiver }
}

function receiverFor(xnat: Xnat, directArchive: boolean): Receiver {
  const present = findReceiver(xnat, 'XNAT:8104') ?? addReceiver(xnat, { aeTitle: 'XNAT', port: 8104 })
  const fit = { identifier: 'dqrObjectIdentifier', customProcessing: true, directArchive, enabled: true }
  return xnat.state.dqr.receivers.put({ ...present, ...fit })
}
