// Which API a command speaks to, and with which key. Never from the command's arguments, which other users can see.
import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { parseJson } from '../../lib/json.ts'
import { usageFailure } from './failure.ts'

const defaultHeader = 'X-Trust-Internal-Service-Key'

const Profile = z.object({
  /** The API's base address. */
  url: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
  serviceKey: z.string().min(1),
  serviceKeyHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/)
    .default(defaultHeader),
  /** The bucket for objects to deliver; commands that put files there need it. */
  incoming: z
    .object({
      bucket: z.string().min(1),
      region: z.string().min(1).optional(),
      endpoint: z.url({ protocol: /^https?$/ }).optional(),
      /** The local stack's own. Elsewhere AWS's default chain finds them. */
      credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }).optional(),
    })
    .optional(),
})
export type Profile = z.output<typeof Profile>

const StackFile = z
  .object({
    api: z.string(),
    serviceKey: z.object({ header: z.string(), key: z.string() }),
    s3: z.object({
      endpoint: z.string(),
      region: z.string(),
      accessKeyId: z.string(),
      secretAccessKey: z.string(),
      buckets: z.object({ incoming: z.string() }),
    }),
  })
  .transform(
    ({
      api,
      serviceKey: { header, key },
      s3: { endpoint, region, buckets, ...credentials },
    }): z.input<typeof Profile> => ({
      url: api,
      serviceKey: key,
      serviceKeyHeader: header,
      incoming: { bucket: buckets.incoming, region, endpoint, credentials },
    }),
  )
  .pipe(Profile)

export interface ProfileSources {
  /** As `--profile` names it. */
  name: string | undefined
  /** As the command line names it. */
  address?: string | undefined
  env: Readonly<Record<string, string | undefined>>
  /** What `npm start` writes while it runs. */
  stackFile: string
}

/**
 * The profile that is asked for by name (`--profile`, CONDUIT_PROFILE), else that of CONDUIT_URL and
 * CONDUIT_SERVICE_KEY, else that of the running local stack. An address on the command line takes CONDUIT_URL's place.
 *
 * @throws {Failure} when there is none, it is not whole, its file is open to others, or it is of another address: a key
 * is for the one that it was given for.
 */
export async function findProfile({ address, ...sources }: ProfileSources): Promise<Profile> {
  if (address === undefined) return profileOf(sources)
  const env = { ...sources.env, CONDUIT_URL: address }
  const profile = await profileOf({ ...sources, env })
  if (profile.url === Profile.shape.url.parse(address)) return profile
  throw usageFailure(`The profile is of ${profile.url}, not of ${address}.`)
}

async function profileOf({ name, env, stackFile }: ProfileSources): Promise<Profile> {
  const wanted = name ?? env['CONDUIT_PROFILE']
  if (wanted !== undefined) return namedProfile(wanted, profilesFile(env))
  if (env['CONDUIT_URL'] !== undefined) return environmentProfile(env)
  const stack = await textOf(stackFile)
  if (stack !== undefined) return whole(StackFile, parseJson(stack), stackFile)
  throw usageFailure(
    'Which API? Set CONDUIT_URL and CONDUIT_SERVICE_KEY, name a profile with --profile, or run `npm start`.',
  )
}

/** Where commands keep what they need to go on after they were broken off. */
export function stateFolder(env: ProfileSources['env']): string {
  return join(env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? homedir(), '.local', 'state'), 'xnat-conduit')
}

/** Where profiles are kept: CONDUIT_PROFILES, or xnat-conduit/profiles.json in the user's folder for settings. */
export function profilesFile(env: ProfileSources['env']): string {
  const settings = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config')
  return env['CONDUIT_PROFILES'] ?? join(settings, 'xnat-conduit', 'profiles.json')
}

async function namedProfile(name: string, file: string): Promise<Profile> {
  const text = await textOf(file)
  if (text === undefined) throw usageFailure(`There is no file ${file} to find the profile ${name} in.`)
  // Windows keeps no such modes.
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
    throw usageFailure(`${file} holds keys and is open to others: chmod 600 it first.`)
  }
  const profiles = whole(z.record(z.string(), z.unknown()), parseJson(text), file)
  if (!Object.hasOwn(profiles, name)) {
    throw usageFailure(`${file} has no profile ${name}, but ${Object.keys(profiles).join(', ') || 'none at all'}.`)
  }
  return whole(Profile, profiles[name], `${name} in ${file}`)
}

function environmentProfile(env: ProfileSources['env']): Profile {
  const given = {
    url: env['CONDUIT_URL'],
    serviceKey: env['CONDUIT_SERVICE_KEY'],
    serviceKeyHeader: env['CONDUIT_SERVICE_KEY_HEADER'],
    // Region, endpoint and credentials are AWS's own variables.
    ...(env['CONDUIT_INCOMING_BUCKET'] !== undefined && { incoming: { bucket: env['CONDUIT_INCOMING_BUCKET'] } }),
  }
  return whole(Profile, given, 'CONDUIT_URL, CONDUIT_SERVICE_KEY, CONDUIT_SERVICE_KEY_HEADER')
}

/** Values are never told: they may be keys. */
function whole<T extends z.ZodType>(schema: T, value: unknown, place: string): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'all of it'))
  throw usageFailure(`${place}: not as it should be: ${[...faults].join(', ')}`)
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
