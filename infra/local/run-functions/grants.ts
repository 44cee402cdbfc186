// What a function's role allows it, with local names in the place of references.

import * as z from 'zod'
import { type References, resolveText, Template } from './intrinsics.ts'
import type { ResourceModel } from './service-model.ts'

export const Grant = z.object({
  actions: z.array(z.string()),
  /** ARNs; `*` and `?` as IAM reads them. */
  resources: z.array(z.string()),
})
export type Grant = z.infer<typeof Grant>

const listed = <Item extends z.ZodType>(item: Item) => z.union([z.array(item), item.transform((one) => [one])])

const Role = z.object({
  Policies: z.array(
    z.object({
      PolicyDocument: z.object({
        Statement: z.array(
          z.object({ Effect: z.literal('Allow'), Action: listed(z.string()), Resource: listed(Template) }),
        ),
      }),
    }),
  ),
})

/** What happens around a function and not in it: nothing here writes to CloudWatch or X-Ray. */
const isOfThePlatform = (action: string) => action.startsWith('logs:') || action.startsWith('xray:')

/** @throws naming the role when it holds what is not understood here, such as a refusal. */
export function grantsOf({ logicalId, properties }: ResourceModel, references: References): Grant[] {
  const role = Role.safeParse(properties)
  if (!role.success) throw new Error(`${logicalId}: ${z.prettifyError(role.error)}`)
  return role.data.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Action }) => !Action.every(isOfThePlatform))
    .map(({ Action, Resource }) => ({
      actions: Action,
      resources: Resource.map((arn) => resolveText(arn, `${logicalId}, ${Action}`, references)),
    }))
}

/** The first resource of a grant that allows the action on this one. */
export function allowing(grants: readonly Grant[], action: string, arn: string): string | undefined {
  return grants
    .filter(({ actions }) => actions.includes(action))
    .flatMap(({ resources }) => resources)
    .find((pattern) => matches(pattern, arn))
}

function matches(pattern: string, arn: string): boolean {
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${escaped}$`, 's').test(arn)
}
