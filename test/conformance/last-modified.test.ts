// XMLPathShortcuts.java: the column last_modified of subjects and experiments.
import { expect } from 'vitest'
import { testStandInOnly } from './facts.ts'
import { session } from './site.ts'

testStandInOnly(
  'data-api 7.2: last_modified is when a record was made, then when it was changed [stand-in only: moves the clock]',
  async ({ site, standIn }) => {
    const modified = async (list: string) =>
      (await site.send(`GET ${list}?columns=last_modified`)).rows().map((row) => row['last_modified'])
    const subjects = '/data/projects/{P1}/subjects'
    const experiments = '/data/projects/{P1}/experiments'

    const [madeSubject] = await modified(subjects)
    const [madeExperiment] = await modified(experiments)
    await standIn.server.clock.advance(60_000)
    await site.send('PUT /data/projects/{P1}/subjects/S1?group=control')
    const [changedSubject] = await modified(subjects)
    expect(Date.parse(`${changedSubject}Z`) - Date.parse(`${madeSubject}Z`)).toBeGreaterThanOrEqual(60_000)
    expect(await modified(experiments)).toEqual([madeExperiment])

    await standIn.server.clock.advance(60_000)
    await site.send(`PUT ${session}?note=looked+at`)
    const [changedExperiment] = await modified(experiments)
    expect(Date.parse(`${changedExperiment}Z`) - Date.parse(`${madeExperiment}Z`)).toBeGreaterThanOrEqual(120_000)
    expect(await modified(subjects)).toEqual([changedSubject])
  },
)
