// Every command of the READMEs that wants a running stack, run as it stands, one after another as a reader would.
import { afterAll, beforeAll, describe } from 'vitest'
import { checkOut } from './checkout.ts'
import { readmes } from './documents.ts'
import { Guide } from './guide.ts'
import { stackWays } from './stack-ways.ts'
import { itTries } from './ways.ts'

const commands = readmes.flatMap((readme) => readme.commands)
let guide: Guide
beforeAll(async () => {
  guide = new Guide(await checkOut())
}, 60_000)
afterAll(() => guide.checkout.remove())

describe('beside a running stack', () => itTries(commands, stackWays, () => guide))
