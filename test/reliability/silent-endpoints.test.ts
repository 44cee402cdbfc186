import { randomBytes } from 'node:crypto'
import { describe, it } from 'vitest'
import { md5, scanPrefix } from '../support/delivery-rig.ts'
import type { FaultProxy, Mishap, PassingRequest } from '../support/fault-proxy.ts'
import { type FaultyRig, startFaultyRig } from '../support/faulty-rig.ts'

const content = randomBytes(300_000)

type Endpoint = [name: string, proxy: (rig: FaultyRig) => FaultProxy, fits: (request: PassingRequest) => boolean]
const xnat = ({ xnatProxy }: FaultyRig) => xnatProxy
const s3 = ({ s3Proxy }: FaultyRig) => s3Proxy
const endpoints: Endpoint[] = [
  ['the sign-in', xnat, ({ path }) => path.startsWith('/data/JSESSION')],
  ['the experiment', xnat, ({ path }) => /\/experiments\/[^/]+\?/.test(path)],
  ['the subject', xnat, ({ path }) => /\/subjects\/[^/]+\?/.test(path)],
  ['the list of files', xnat, ({ method, path }) => method === 'GET' && path.includes('/files?')],
  ['the upload', xnat, ({ method, path }) => method === 'PUT' && path.includes('/files/')],
  ['the object', s3, ({ method, path }) => method === 'GET' && path.startsWith('/incoming/')],
  ['the receipt', s3, ({ method, path }) => method === 'PUT' && path.startsWith('/state/')],
]
const silences: [string, Mishap][] = [
  ['no answer at all', { kind: 'hang' }],
  ['silence after the head', { kind: 'silent-reply' }],
  ['one byte a second', { kind: 'trickle-reply' }],
  ['one byte a second taken', { kind: 'trickle-request' }],
]
/** Leaves a second for the work: the rest is the function's own margin. */
const remainingMs = 3_000

// Most of each test is waiting: they wait together.
describe.concurrent('an invocation', () => {
  it.for(endpoints)(
    'that meets a silent %s ends in time, hands its order back and closes its sockets; the next one delivers',
    { timeout: 30_000 },
    async ([, proxyOf, fits], { expect, onTestFinished }) => {
      const rig = await startFaultyRig()
      onTestFinished(() => rig.stop())
      for (const [silence, mishap] of silences) {
        const proxy = proxyOf(rig)
        const name = `${silence.replaceAll(' ', '-')}.dcm`
        const order = rig.orderFor([await rig.put(scanPrefix + name, content)])
        let hit = false
        await rig.forgetLogin()
        proxy.judge = (request) => {
          if (!fits(request)) return undefined
          hit = true
          return mishap
        }
        const startedAt = performance.now()

        const ending = await rig.invoke(order, { remainingMs })

        expect(performance.now() - startedAt, silence).toBeLessThan(remainingMs)
        await expect.poll(() => proxy.underWay(), { message: silence }).toBe(0)
        proxy.judge = () => undefined
        if (!hit || ending.kind === 'delivered') {
          // Where there is no body, or only a short one, there is nothing to be slow about.
          expect(['one byte a second', 'one byte a second taken', 'silence after the head']).toContain(silence)
        } else {
          expect(ending, silence).toEqual({ kind: 'handed-back' })
          expect(await rig.receipt(order), silence).toBeUndefined()
          expect(await rig.invoke(order), silence).toEqual({ kind: 'delivered' })
        }
        expect((await rig.digests(rig.scanRef)).get(name)).toBe(md5(content))
      }
    },
  )

  it('that meets an XNAT which answers nothing at all leaves no request open', async ({ expect, onTestFinished }) => {
    const rig = await startFaultyRig()
    onTestFinished(() => rig.stop())
    const order = rig.orderFor([await rig.put(`${scanPrefix}1.dcm`, content)])
    rig.xnatProxy.judge = () => ({ kind: 'hang' })

    await rig.invoke(order, { remainingMs })

    await expect.poll(() => rig.xnatProxy.underWay()).toBe(0)
  })
})
