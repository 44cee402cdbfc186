// DICOM -> NIfTI on arrival: the command's wrapper enabled for the project, and one subscription that starts it.
import { ProvisioningError, XnatError } from '../errors.ts'
import {
  createSubscription,
  deleteSubscription,
  isEventServiceOn,
  isSameSubscription,
  listSubscriptions,
  type Subscription,
  type SubscriptionDescription,
  setSubscriptionActive,
} from '../xnat/automation.ts'
import type { XnatClient } from '../xnat/client.ts'
import { enableWrapper, listCommands, wrapperState } from '../xnat/commands.ts'
import type { Aspect } from './aspect.ts'

interface ConversionDeps {
  xnat: XnatClient
  signal: AbortSignal
}

interface ConversionCommand {
  commandId: number
  wrapperId: number
  wrapperName: string
}

/**
 * Looks up the command that converts.
 *
 * @throws {ProvisioningError} COMMAND_NOT_INSTALLED when no command has the image, or none that XNAT can run.
 */
export async function findConversionCommand(
  { xnat, signal }: ConversionDeps,
  image: string,
): Promise<ConversionCommand> {
  const [command] = await withRole(() => listCommands(xnat, { image, signal }))
  const [wrapper] = command?.wrappers ?? []
  if (command === undefined || wrapper === undefined) {
    const what =
      command === undefined ? 'no command with that image' : 'a command with that image that has no XNAT wrapper'
    // FLIP cuts texts at 1000 characters: the advice must stand before that (flip-contract 1.4).
    throw new ProvisioningError(
      `DICOM to NIfTI conversion cannot be set up: XNAT has ${what}, ${image}. Install the dcm2niix command for it in XNAT's Container Service, or set DCM2NIIX_IMAGE to the installed image, and ask again: what is done already is kept.`,
      { code: 'COMMAND_NOT_INSTALLED' },
    )
  }
  return { commandId: command.commandId, wrapperId: wrapper.wrapperId, wrapperName: wrapper.name }
}

/** XNAT: from Container Service 3.7 on, commands are for those who have its role (flip-contract 2.3). */
async function withRole<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (!(cause instanceof XnatError && cause.code === 'XNAT_FORBIDDEN')) throw cause
    throw new ProvisioningError(
      'DICOM to NIfTI conversion cannot be set up: the service account lacks the role ContainerManager. An administrator gives it with PUT /xapi/users/{user}/roles/ContainerManager, and asks again: what is done already is kept.',
      { code: 'MISSING_ROLE', cause },
    )
  }
}

/** Whether the project may run the wrapper. */
export function wrapperAspect({ xnat, signal }: ConversionDeps, projectId: string, command: ConversionCommand): Aspect {
  return {
    name: 'nifti-wrapper',
    inspect: async () => {
      const { forSite, forProject } = await withRole(() => wrapperState(xnat, { ...command, projectId }, { signal }))
      if (!forSite) throw wrapperOff(command)
      return forProject
        ? { state: 'as-wanted' }
        : { state: 'missing', detail: 'the wrapper is not enabled for the project' }
    },
    mend: () => withRole(() => enableWrapper(xnat, { ...command, projectId }, { signal })),
  }
}

// XNAT: a wrapper runs in a project only when it is enabled for the site too, which is for its administrators to decide
// (dqr-containers-events B3).
const wrapperOff = ({ commandId, wrapperName }: ConversionCommand) =>
  new ProvisioningError(
    `DICOM to NIfTI conversion cannot be set up: the wrapper ${wrapperName} is not enabled for the site. An administrator enables it with PUT /xapi/commands/${commandId}/wrappers/${wrapperName}/enabled, and asks again: what is done already is kept.`,
    { code: 'WRAPPER_OFF' },
  )

/** One subscription, switched on or off; further ones that do the same are removed, since each would convert again. */
export function subscriptionAspect(
  { xnat, signal }: ConversionDeps,
  projectId: string,
  { wrapperId }: ConversionCommand,
  isActive: boolean,
): Aspect {
  const wanted = describeSubscription(projectId, wrapperId, isActive)
  const same = async () => {
    const subscriptions = await listSubscriptions(xnat, { projectId }, { signal })
    return subscriptions.filter((each) => isSameSubscription(each, wanted)).toSorted(bySubscriptionId)
  }
  return {
    name: 'nifti-subscription',
    inspect: async () => {
      await requireEventService({ xnat, signal })
      const [first, ...others] = await same()
      if (first === undefined) return { state: 'missing', detail: 'there is no such subscription' }
      if (others.length > 0) return { state: 'changed', detail: `there are ${others.length + 1} that do the same` }
      if (first.isActive !== isActive)
        return { state: 'changed', detail: first.isActive ? 'it is active' : 'it is not active' }
      if (first.isActive && !first.isValid) return { state: 'changed', detail: 'XNAT does not hold it for valid' }
      return { state: 'as-wanted' }
    },
    mend: async () => {
      if ((await same()).length === 0) await createSubscription(xnat, wanted, { signal })
      // Two who found none at the same time each made one. All keep the oldest, so one is left.
      const [first, ...others] = await same()
      for (const { subscriptionId } of others) await deleteSubscription(xnat, { projectId, subscriptionId }, { signal })
      if (first === undefined || first.isActive === isActive) return
      await setSubscriptionActive(xnat, { projectId, subscriptionId: first.subscriptionId, isActive }, { signal })
    },
  }
}

const bySubscriptionId = (one: Subscription, other: Subscription) => one.subscriptionId - other.subscriptionId

// XNAT: with the Event Service off, listing fails with 500 and creating with 405 (EventServiceRestApi.java).
async function requireEventService({ xnat, signal }: ConversionDeps): Promise<void> {
  if (await isEventServiceOn(xnat, { signal })) return
  throw new ProvisioningError(
    "DICOM to NIfTI conversion cannot be set up: XNAT's Event Service is off. An administrator turns it on with PUT /xapi/events/prefs, and asks again: what is done already is kept.",
    { code: 'EVENT_SERVICE_OFF' },
  )
}

const describeSubscription = (projectId: string, wrapperId: number, isActive: boolean): SubscriptionDescription => ({
  projectId,
  name: 'DICOM-NIfTI Conversion',
  event: { type: 'ScanEvent', status: 'CREATED' },
  wrapperId,
  payloadFilter: '(@.resources.length() > 0 && "DICOM" in @.resources[*].label)',
  isActive,
})
