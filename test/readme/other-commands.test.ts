// Every command of the READMEs that wants no running stack, or is one.
import { afterAll, beforeAll, describe } from 'vitest'
import { type Checkout, checkOut } from './checkout.ts'
import { readmes } from './documents.ts'
import { buildWays, otherWays } from './other-ways.ts'
import { startOfBundles, startWays } from './start-ways.ts'
import { itTries } from './ways.ts'

const commands = readmes.flatMap((readme) => readme.commands)
let checkout: Checkout
beforeAll(async () => {
  checkout = await checkOut()
}, 60_000)
afterAll(() => checkout.remove())

describe.concurrent('by themselves', () => itTries(commands, [...otherWays, ...startWays], () => checkout))

describe('one after another', () => {
  for (const way of [...buildWays, startOfBundles]) itTries(commands, [way], () => checkout)
})
