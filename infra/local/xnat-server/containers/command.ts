// Commands of the Container Service, with their wrappers (C:model/command/auto/Command.java).
import * as z from 'zod'

/** Everything a command may hold is kept as it came; this is what XNAT looks at. */
export const CommandBody = z.looseObject({
  name: z.string().optional(),
  label: z.string().optional(),
  description: z.string().optional(),
  version: z.string().optional(),
  type: z.string().default('docker'),
  image: z.string().optional(),
  visibility: z.string().optional(),
})
export type CommandBody = z.infer<typeof CommandBody>

export const WrapperBody = z.looseObject({
  name: z.string().optional(),
  label: z.string().optional(),
  description: z.string().optional(),
  contexts: z.array(z.string()).default([]),
  'external-inputs': z.array(z.looseObject({ name: z.string(), type: z.string().optional() })).default([]),
})
export type WrapperBody = z.infer<typeof WrapperBody>

export const Command = z.object({ id: z.number(), body: CommandBody })
export type Command = z.infer<typeof Command>

export const Wrapper = z.object({ id: z.number(), commandId: z.number(), body: WrapperBody })
export type Wrapper = z.infer<typeof Wrapper>

/** Whether a wrapper may be used: for the site, or for one project. Nothing stored means that it may not. */
export const WrapperSwitch = z.object({
  /** undefined: the site. */
  projectId: z.string().optional(),
  wrapperId: z.number(),
  enabled: z.boolean(),
})
export type WrapperSwitch = z.infer<typeof WrapperSwitch>

export function switchKey({
  projectId,
  wrapperId,
}: Pick<WrapperSwitch, 'wrapperId'> & { projectId?: string | undefined }) {
  return `${projectId === undefined ? 'site' : `project ${projectId}`} ${wrapperId}`
}
