import type { Project } from './answers.ts'

/** A project's name for people. What was provisioned carries the hub's id in it, which is told apart anyway. */
export function projectName({ ID, name, secondary_ID }: Project): string {
  const given = name.replace(`:${secondary_ID}-FL-Project`, '')
  return given === '' ? ID : given
}
