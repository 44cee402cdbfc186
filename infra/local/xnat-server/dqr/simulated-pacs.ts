import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Xnat } from '../exchange.ts'
import { breakOf, presentFate } from './fates.ts'
import { makeInstance } from './made-instance.ts'
import { matchesStudy } from './matching.ts'
import { foundStudy, type PacsStudy } from './pacs-study.ts'
import {
  type FindKeys,
  type FoundSeries,
  type FoundStudy,
  PacsFailure,
  PacsSilence,
  type RemotePacs,
} from './remote-pacs.ts'

/** A PACS that holds the declared studies, and fails as its switches and their fates say. */
export class SimulatedPacs implements RemotePacs {
  readonly #state: Xnat['state']

  constructor({ state }: Pick<Xnat, 'state'>) {
    this.#state = state
  }

  async isUp(): Promise<boolean> {
    return !this.#state.switches.pacsDown
  }

  async findStudies(keys: FindKeys): Promise<FoundStudy[]> {
    await this.#answer()
    const matching = { foldsCase: this.#state.switches.pacsFoldsCase }
    return this.#candidates(keys)
      .map(foundStudy)
      .filter((study) => matchesStudy(study, keys, matching))
  }

  async findSeries(studyInstanceUid: string): Promise<FoundSeries[]> {
    await this.#answer()
    return this.#state.dqr.pacsStudies.get(studyInstanceUid)?.series ?? []
  }

  async *retrieve(studyInstanceUid: string, seriesInstanceUids: readonly string[]): AsyncGenerator<Buffer> {
    this.#refuseWhenDown()
    const held = this.#state.dqr.pacsStudies.get(studyInstanceUid)
    if (held === undefined) return
    const study = this.#state.dqr.pacsStudies.put({ ...held, attempts: held.attempts + 1 })
    if (presentFate(study).kind === 'sends-nothing') return
    const end = breakOf(study)
    let sent = 0
    for await (const instance of instances(study, seriesInstanceUids)) {
      if (end !== undefined && sent >= end.afterInstances) break
      yield instance
      sent += 1
    }
    if (end?.kind === 'move-hangs') throw new PacsSilence(end)
    if (end !== undefined) throw new PacsFailure(end.message)
  }

  /** Those that can match; all of them where the keys do not name single values. */
  #candidates({ studyInstanceUid = '', accessionNumber = '' }: FindKeys): PacsStudy[] {
    const { pacsStudies, pacsStudiesByAccession } = this.#state.dqr
    if (studyInstanceUid !== '') {
      return studyInstanceUid.split('\\').flatMap((uid) => pacsStudies.get(uid) ?? [])
    }
    const isOneNumber = accessionNumber !== '' && !/[*?]/.test(accessionNumber)
    return isOneNumber ? pacsStudiesByAccession.get(accessionNumber.trim().toLowerCase()) : pacsStudies.all()
  }

  async #answer(): Promise<void> {
    const { pacsAnswersAfterMs } = this.#state.switches
    if (pacsAnswersAfterMs > 0) await sleep(pacsAnswersAfterMs)
    this.#refuseWhenDown()
  }

  #refuseWhenDown(): void {
    if (this.#state.switches.pacsDown) throw new PacsFailure('Connection refused (Connection refused)')
  }
}

async function* instances(study: PacsStudy, seriesInstanceUids: readonly string[]): AsyncGenerator<Buffer> {
  for (const series of study.series) {
    if (!seriesInstanceUids.includes(series.seriesInstanceUid)) continue
    if (typeof series.instances === 'number') {
      for (let number = 1; number <= series.instances; number += 1) yield makeInstance(study, series, number)
    } else {
      for (const path of series.instances) yield await readFile(path)
    }
  }
}
