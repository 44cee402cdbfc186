import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Check, checkupText, runChecks } from '../../functions/cli/checkup.ts'
import { exitCodes, Failure } from '../../functions/cli/failure.ts'

type Tools = { signal: AbortSignal }

const check = (name: string, look: Check<Tools>['look'], needs: string[] = []): Check<Tools> => ({
  name,
  needs,
  look,
  advise: () => `mend ${name}`,
})
const well = async () => ({ state: 'ok', says: 'well' }) as const
const forEver = async ({ signal }: Tools) => {
  await wait(60_000, undefined, { signal })
  return well()
}

const run = (checks: readonly Check<Tools>[], { limitMs = 60_000, signal = new AbortController().signal } = {}) => {
  const begun: string[] = []
  const onBegin = (name: string) => begun.push(name)
  return runChecks(checks, { tools: (limited) => ({ signal: limited }), limitMs, signal, onBegin }).then((checkup) => ({
    ...checkup,
    begun,
  }))
}

describe('runChecks', () => {
  it('ends a check that takes too long, and goes on with the next', async () => {
    const checkup = await run([check('slow', forEver), check('next', well), check('after', well, ['slow'])], {
      limitMs: 20,
    })

    expect(checkup).toMatchObject({
      isWell: false,
      begun: ['slow', 'next', 'after'],
      checks: [
        { check: 'slow', state: 'failed', says: 'not done within 0.02 s', advice: 'mend slow' },
        { check: 'next', state: 'ok', says: 'well' },
        { check: 'after', state: 'skipped', says: 'nothing can be told without: slow' },
      ],
    })
  })

  it('keeps the first failure, and is not held up by warnings', async () => {
    const refuse = (message: string, exitCode: 1 | 4) => async () => {
      throw new Failure(message, exitCode)
    }
    const warn = async () => ({ state: 'warning', says: 'hm', advice: 'look' }) as const
    const { firstFailure, checks } = await run([
      check('one', warn),
      check('two', refuse('first', exitCodes.unavailable), ['one']),
      check('three', refuse('second', exitCodes.failed)),
    ])

    expect(firstFailure).toMatchObject({ message: 'first', exitCode: 4 })
    expect(checks.map(({ state }) => state)).toEqual(['warning', 'failed', 'failed'])
  })

  it('does not take a fault of its own for a finding', async () => {
    const broken = async () => {
      throw new TypeError('no such thing')
    }
    await expect(run([check('broken', broken)])).rejects.toThrow('no such thing')
  })

  it('ends when it is interrupted', async () => {
    const interrupt = new AbortController()
    const running = run([check('slow', forEver), check('next', well)], { signal: interrupt.signal })
    interrupt.abort(new Error('interrupted'))
    await expect(running).rejects.toThrow('interrupted')
  })

  it('writes a line for each, with the time it took when that is wanted', () => {
    const checks = [
      { check: 'one', state: 'ok', says: 'well', ms: 1234 },
      { check: 'longer', state: 'failed', says: 'ill', advice: 'mend it', ms: 20 },
      { check: 'x', state: 'skipped', says: 'nothing', ms: 0 },
    ] as const
    const checkup = { isWell: false, checks: [...checks], firstFailure: undefined }

    expect(checkupText(checkup).split('\n')).toEqual([
      'ok       one     well',
      'failed   longer  ill',
      '                 mend it',
      'skipped  x       nothing',
    ])
    expect(checkupText(checkup, { withTimes: true })).toMatch(/well \(1\.2 s\)\n.*ill \(0\.0 s\)\n.*\n.*nothing$/)
  })
})
