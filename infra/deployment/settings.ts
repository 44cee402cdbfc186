import * as z from 'zod'

/** Text as it comes from the command line: `--param="name=..."`; empty when it was not given. */
const optional = z.string().transform((text) => (text === '' ? undefined : text))
const list = z.string().transform((text) => text.split(',').filter((entry) => entry !== ''))
const limit = z.coerce.number().int().nonnegative()

/** What `custom` in serverless.yml takes from the parameters of a deployment. */
const DeploymentSettings = z.object({
  metricsNamespace: z.string(),
  alarmEmail: optional,
  /** Age of the oldest message, in seconds, above which a queue is stuck. */
  queueAgeLimit: limit,
  /** Tries in an hour after which XNAT did not list the files as they were sent. */
  unverifiedLimit: limit,
  /** Stalled studies of one project. */
  stalledLimit: limit,
  authorizer: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('iam') }),
    z.object({ kind: z.literal('jwt'), issuer: z.url(), audience: list.pipe(z.array(z.string()).min(1)) }),
  ]),
  vpc: z
    .object({ subnets: list, securityGroups: list })
    .refine(({ subnets, securityGroups }) => (subnets.length === 0) === (securityGroups.length === 0), {
      message: 'vpc-subnets and vpc-security-groups go together',
    }),
})
export type DeploymentSettings = z.infer<typeof DeploymentSettings>

/** @throws when a parameter is wrong, naming each. */
export function readSettings(custom: unknown): DeploymentSettings {
  const parsed = DeploymentSettings.safeParse(custom)
  if (parsed.success) return parsed.data
  throw new Error(`The deployment's parameters do not fit:\n${z.prettifyError(parsed.error)}`)
}
