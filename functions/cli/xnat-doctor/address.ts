// Whether it is XNAT that answers, before anything secret is sent there.
import * as z from 'zod'
import { parseJson } from '../../../lib/json.ts'
import type { Finding } from '../checkup.ts'
import { exitCodes, Failure } from '../failure.ts'
import { failed, ok, type SiteCheck, warning } from './site.ts'

/** XNAT: open to everybody (WR/security/configured-urls.yaml). */
const buildInfoPath = '/xapi/siteConfig/buildInfo'

const BuildInfo = z.object({ version: z.string() })

export const address: SiteCheck = {
  name: 'address',
  needs: [],
  async look({ expected: { url }, signal }) {
    const { status, location, text } = await ask(url, signal)
    if (location !== null) return movedTo(url, location)
    const isXnat = status === 200 && BuildInfo.safeParse(parseJson(text)).success
    return isXnat ? ok(`XNAT answers at ${url}`) : notXnat(url, status, text)
  },
  advise: ({ cause }) =>
    isOfTls(reasonOf(cause))
      ? 'Give XNAT a certificate for this name from an authority that Node knows; functions take no other.'
      : 'Is XNAT_URL right, does XNAT run, and is the way to it open from here?',
}

async function ask(url: string, signal: AbortSignal) {
  try {
    const reply = await fetch(url + buildInfoPath, { redirect: 'manual', signal })
    return { status: reply.status, location: reply.headers.get('location'), text: await reply.text() }
  } catch (cause) {
    signal.throwIfAborted()
    throw new Failure(`${url} cannot be reached: ${reasonOf(cause)}`, exitCodes.failed, { cause })
  }
}

/** The innermost word that Node has for it: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return error.cause instanceof Error ? reasonOf(error.cause) : (code ?? error.message)
}

const isOfTls = (reason: string) => /CERT|TLS|SSL|ALTNAME|ISSUER/i.test(reason)

function movedTo(url: string, location: string): Finding {
  const target = URL.parse(location, url + buildInfoPath)
  const says = `${url} sends on to ${target === null ? 'another place' : target.origin + target.pathname}`
  const isXnats = target?.pathname.endsWith(buildInfoPath) === true
  const base = isXnats ? target.origin + target.pathname.slice(0, -buildInfoPath.length) : undefined
  return failed(
    says,
    base === undefined
      ? 'A proxy in front of XNAT wants a sign-in of its own? Let the functions by it, or name another address.'
      : `Set XNAT_URL to ${base}: nothing follows redirects, since passwords are for the address that was named.`,
  )
}

function notXnat(url: string, status: number, text: string): Finding {
  if (status >= 500) {
    return failed(`${url} answers ${status}`, 'XNAT is down or still starting behind what answers there: see its logs.')
  }
  if (status === 401 || status === 403) {
    return failed(
      `${url} answers ${status} to what XNAT tells everybody`,
      'Something in front of XNAT wants a sign-in of its own: let the functions by it.',
    )
  }
  const what = /^\s*</.test(text) ? 'a web page' : 'something else'
  return failed(
    `${url} answers ${status} with ${what}, not as XNAT does`,
    'Is it the address of another program, or is XNAT below a path of it, such as /xnat?',
  )
}

export const encryption: SiteCheck = {
  name: 'encryption',
  needs: ['address'],
  async look({ expected }) {
    const { protocol, hostname } = new URL(expected.url)
    if (protocol === 'https:') return ok('https')
    if (/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return ok('none, on this machine alone')
    return warning('none: the password and patient data can be read on the way', 'Set XNAT_URL to an https address.')
  },
  advise: () => 'Look at the address first.',
}

/** What the client was written for and read against; FLIP runs 1.10. */
const known = { major: 1, oldestMinor: 8, newestMinor: 10 }

export const version: SiteCheck = {
  name: 'version',
  needs: ['sign-in'],
  async look({ xnat, signal }) {
    const { version: says } = await xnat.buildInfo({ signal })
    const [, major = '', minor = ''] = /^(\d+)\.(\d+)/.exec(says) ?? []
    const isOlder = Number(major) < known.major || (Number(major) === known.major && Number(minor) < known.oldestMinor)
    if (isOlder) {
      return failed(`XNAT ${says} is older than 1.8`, 'Upgrade XNAT: this release speaks with 1.8 and newer.')
    }
    if (Number(major) === known.major && Number(minor) <= known.newestMinor) return ok(`XNAT ${says}`)
    return warning(
      `XNAT ${says} is newer than what this release knows (1.8 to 1.10)`,
      'Run test/conformance against it before it is relied on.',
    )
  },
  advise: () => 'Look at the address first.',
}
