import type { Xnat } from '../exchange.ts'
import { newEntity } from './entity.ts'
import type { Receiver } from './records.ts'

/** An enabled receiver by `AE` or `AE:port`, whatever the case (D: isAeStorable). */
export function findReceiver({ state }: Pick<Xnat, 'state'>, aeAndPort: string): Receiver | undefined {
  const wanted = aeAndPort.toLowerCase()
  const names = ({ aeTitle, port }: Receiver) => [aeTitle.toLowerCase(), `${aeTitle}:${port}`.toLowerCase()]
  const found = state.dqr.receivers.all().filter((receiver) => names(receiver).includes(wanted))
  return found.find(({ enabled }) => enabled) ?? found[0]
}

export type NewReceiver = Pick<Receiver, 'aeTitle' | 'port'> & Partial<Receiver>

// XNAT: defaults of DicomSCPInstance.java.
export function addReceiver(xnat: Xnat, receiver: NewReceiver): Receiver {
  return xnat.state.dqr.receivers.put({
    identifier: 'dicomObjectIdentifier',
    enabled: true,
    customProcessing: false,
    directArchive: false,
    anonymizationEnabled: true,
    whitelistEnabled: false,
    ...receiver,
    ...newEntity(xnat, xnat.state.next('receiver')),
  })
}
