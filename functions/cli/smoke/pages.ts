// What the API serves to people and programs that want to know it.
import * as z from 'zod'
import type { Check, Finding } from '../checkup.ts'
import type { CommandTools } from '../command.ts'
import { exitCodes, Failure } from '../failure.ts'

const OpenApi = z.object({
  openapi: z.string(),
  info: z.object({ version: z.string() }),
  paths: z.record(z.string(), z.unknown()),
})

export const description: Check<CommandTools> = {
  name: 'description',
  needs: ['service key'],
  async look({ api }) {
    const document = await api.ask({ method: 'GET', path: '/openapi.json', attempts: 1, answer: OpenApi })
    const paths = Object.keys(document.paths)
    if (!paths.includes('/health')) throw new Failure('/openapi.json does not describe this API', exitCodes.failed)
    return ok(`OpenAPI ${document.openapi} of ${paths.length} paths, version ${document.info.version}`)
  },
  advise: () => 'Look at the log of the function documentation.',
}

export const documentation = pageCheck({ name: 'documentation', path: '/docs', functionName: 'documentation' })
export const operatorsConsole = pageCheck({ name: 'console', path: '/', functionName: 'console' })

/** A page, its policy, and all parts that it names: a deployment may lack one of them. */
function pageCheck({
  name,
  path,
  functionName,
}: {
  name: string
  path: string
  functionName: string
}): Check<CommandTools> {
  return {
    name,
    needs: ['API'],
    async look({ profile, signal }) {
      const page = await read(profile.url + path, signal)
      if (!page.contentType.startsWith('text/html')) throw new Failure(`${path} is no web page`, exitCodes.failed)
      const parts = [...page.text.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, part = '']) => part)
      if (!parts.some((part) => part.endsWith('.js'))) throw new Failure(`${path} is another page`, exitCodes.failed)
      for (const part of parts) await read(new URL(part, profile.url + path).href, signal)
      // Its own scripts and nothing else, in no frame: with the key in a page, that is what keeps it there.
      const isClosed = /default-src 'none'/.test(page.policy) && /frame-ancestors 'none'/.test(page.policy)
      if (isClosed) return ok(`${path} with ${parts.length} parts, closed by its Content-Security-Policy`)
      return {
        state: 'failed',
        says: `${path} comes without the policy that closes it to other scripts and frames`,
        advice: 'Something between the function and here takes Content-Security-Policy away: let it through.',
      }
    },
    advise: () => `Look at the log of the function ${functionName}, and whether its pages were built: npm run build.`,
  }
}

const ok = (says: string): Finding => ({ state: 'ok', says })

/** Without the key: pages are open, and ask for it themselves. @throws {Failure} */
async function read(address: string, signal: AbortSignal) {
  const { pathname } = new URL(address)
  try {
    const reply = await fetch(address, { redirect: 'manual', signal })
    const [text, contentType, policy] = [
      await reply.text(),
      reply.headers.get('content-type') ?? '',
      reply.headers.get('content-security-policy') ?? '',
    ]
    if (reply.status === 200) return { text, contentType, policy }
    throw new Failure(`GET ${pathname}: ${reply.status}`, exitCodes.failed)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure) throw error
    throw new Failure(`${pathname} cannot be reached`, exitCodes.unavailable, { cause: error })
  }
}
