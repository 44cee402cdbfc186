import * as z from 'zod'
import type { Xnat } from '../exchange.ts'
import { newEntity } from './entity.ts'
import type { Pacs } from './records.ts'

/** What a request may set (D:dto/PacsSettings.java). */
export const PacsSettings = z.object({
  aeTitle: z.string().exactOptional(),
  host: z.string().exactOptional(),
  label: z.string().exactOptional(),
  queryable: z.boolean().exactOptional(),
  storable: z.boolean().exactOptional(),
  queryRetrievePort: z.number().exactOptional(),
  defaultQueryRetrievePacs: z.boolean().exactOptional(),
  defaultStoragePacs: z.boolean().exactOptional(),
  ormStrategySpringBeanId: z.string().exactOptional(),
  supportsExtendedNegotiations: z.boolean().exactOptional(),
  dicomWebEnabled: z.boolean().exactOptional(),
  dicomWebRootUrl: z.string().exactOptional(),
  dicomObjectIdentifier: z.string().exactOptional(),
  retrieveLevel: z.enum(['STUDY', 'SERIES']).exactOptional(),
})
export type PacsSettings = z.infer<typeof PacsSettings>

// DQR: without a word about it a PACS is queryable and not storable (D:domain/entities/Pacs.java, its field defaults).
export function newPacs(xnat: Xnat, settings: PacsSettings): Pacs {
  const blank: Pacs = {
    ...newEntity(xnat, 0),
    aeTitle: '',
    host: '',
    queryable: true,
    storable: false,
    defaultQueryRetrievePacs: false,
    defaultStoragePacs: false,
    ormStrategySpringBeanId: '',
    supportsExtendedNegotiations: false,
    dicomWebEnabled: false,
    anonymizationEnabled: true,
  }
  return withSettings(blank, settings)
}

/** What is not given stays as it is. Being the default for something includes being fit for it. */
export function withSettings(pacs: Pacs, settings: PacsSettings): Pacs {
  const changed: Pacs = { ...pacs, ...settings }
  return {
    ...changed,
    queryable: changed.queryable || settings.defaultQueryRetrievePacs === true,
    storable: changed.storable || settings.defaultStoragePacs === true,
    aeTitle: changed.aeTitle === '' && changed.dicomWebEnabled ? (changed.label ?? '') : changed.aeTitle,
  }
}

/** Why a PACS cannot be stored; undefined when it can. */
export function faultOf({ state }: Xnat, pacs: Pacs): string | undefined {
  if (pacs.aeTitle.trim() === '') return 'aeTitle may not be blank'
  if (pacs.ormStrategySpringBeanId.trim() === '') return 'ormStrategySpringBeanId may not be blank'
  if (pacs.host.trim() === '' && !pacs.dicomWebEnabled) return 'host may not be blank'
  if (pacs.dicomWebEnabled && (!pacs.queryable || pacs.storable)) return 'a DICOMweb PACS is queryable and not storable'
  const isDefault = pacs.defaultQueryRetrievePacs || pacs.defaultStoragePacs
  if (isDefault && !pacs.dicomWebEnabled && pacs.queryRetrievePort === undefined) return 'a default PACS needs a port'
  const twin = state.dqr.pacs.find(
    (other) =>
      other.id !== pacs.id &&
      ((pacs.label !== undefined && other.label === pacs.label) ||
        (other.host === pacs.host &&
          other.queryRetrievePort === pacs.queryRetrievePort &&
          other.aeTitle === pacs.aeTitle)),
  )
  return twin && 'could not execute statement; constraint violated: label, or host, port and AE title'
}

/** Stores it; of two defaults the other stops being one. */
export function savePacs({ state, now }: Xnat, pacs: Pacs): Pacs {
  for (const other of state.dqr.pacs.all()) {
    if (other.id === pacs.id) continue
    state.dqr.pacs.put({
      ...other,
      defaultQueryRetrievePacs: other.defaultQueryRetrievePacs && !pacs.defaultQueryRetrievePacs,
      defaultStoragePacs: other.defaultStoragePacs && !pacs.defaultStoragePacs,
    })
  }
  return state.dqr.pacs.put({ ...pacs, changedMs: now().getTime() })
}
