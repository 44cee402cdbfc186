import * as z from 'zod'
import type { Check } from '../checkup.ts'
import type { CommandTools } from '../command.ts'
import { ApiFailure, conduitApi } from '../conduit-api.ts'
import { exitCodes } from '../failure.ts'

const noKey = 'no-key-but-a-smoke-test'

export const refusedKey: Check<CommandTools> = {
  name: 'wrong key',
  needs: ['API'],
  async look({ profile, signal }) {
    const stranger = conduitApi({ ...profile, serviceKey: noKey }, signal)
    try {
      await stranger.ask({ method: 'GET', path: '/deliveries?limit=1', attempts: 1, answer: z.unknown() })
    } catch (error) {
      if (error instanceof ApiFailure && error.exitCode === exitCodes.keyRefused)
        return { state: 'ok', says: 'is refused' }
      throw error
    }
    return {
      state: 'failed',
      says: 'is taken: everybody may call the API',
      advice: 'Take the API off the network, and look at what answers in front of it.',
    }
  },
  advise: () =>
    'A wrong key is to be refused with 401, whatever else is the matter: see the log of the function deliveries.',
}
