import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Xnat } from '../exchange.ts'
import { makeInstance } from './made-instance.ts'
import { matchesStudy } from './matching.ts'
import { type Fate, foundStudy, type PacsStudy } from './pacs-study.ts'
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
    return this.#state.dqr.pacsStudies
      .all()
      .map(foundStudy)
      .filter((study) => matchesStudy(study, keys, matching))
  }

  async findSeries(studyInstanceUid: string): Promise<FoundSeries[]> {
    await this.#answer()
    return this.#state.dqr.pacsStudies.get(studyInstanceUid)?.series ?? []
  }

  async *retrieve(studyInstanceUid: string, seriesInstanceUids: readonly string[]): AsyncGenerator<Buffer> {
    this.#refuseWhenDown()
    const study = this.#state.dqr.pacsStudies.get(studyInstanceUid)
    if (study === undefined) return
    const { fate, attempts } = this.#state.dqr.pacsStudies.put({ ...study, attempts: study.attempts + 1 })
    if (fate.kind === 'sends-nothing') return
    const end = endOf(fate, attempts)
    let sent = 0
    for await (const instance of instances(study, seriesInstanceUids)) {
      if (end !== undefined && sent >= end.afterInstances) throw end.failure
      yield instance
      sent += 1
    }
    if (end !== undefined) throw end.failure
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

/** How a retrieve ends before its time; undefined when it does not. */
function endOf(fate: Fate, attempts: number): { afterInstances: number; failure: Error } | undefined {
  if (fate.kind === 'move-hangs') return { afterInstances: fate.afterInstances, failure: new PacsSilence() }
  if (fate.kind !== 'move-fails' || attempts > fate.attempts) return undefined
  return { afterInstances: fate.afterInstances, failure: new PacsFailure(fate.message) }
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
