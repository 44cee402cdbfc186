export type AspectState = { state: 'as-wanted' } | { state: 'missing' | 'changed'; detail: string }

/** One thing about a provisioned project that is as wanted, missing or changed, and how it is set right. */
export interface Aspect {
  name: 'prearchive-code' | 'nifti-wrapper' | 'nifti-subscription'
  inspect(): Promise<AspectState>
  /** Safe to repeat, and to run at the same time elsewhere. */
  mend(): Promise<void>
}

/** Looks at each in its order, and sets right what is not as wanted. */
export async function settle(aspects: readonly Aspect[]): Promise<void> {
  for (const aspect of aspects) {
    if ((await aspect.inspect()).state !== 'as-wanted') await aspect.mend()
  }
}
