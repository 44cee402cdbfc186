// A stand-in with projects to send studies to, and what was made of them.
import { expect } from 'vitest'
import type { Site } from './site.ts'

export { instance, type SentFile, study, studyUid, tarred, zipped } from '../support/dicom-studies.ts'
export { imported, importing, prearchived, scanFiles } from '../support/imports.ts'

/** `AUTO` archives by itself, as projects do by default; `MANUAL` does not. P1's people have the same rights there. */
export async function addProjects(site: Site): Promise<void> {
  for (const path of ['AUTO', 'MANUAL', 'MANUAL/prearchive_code/0']) {
    expect((await site.send(`PUT /data/projects/${path}`)).status).toBe(200)
  }
  for (const group of ['owner', 'member', 'collaborator']) {
    for (const project of ['AUTO', 'MANUAL']) {
      const added = await site.send(`PUT /data/projects/${project}/users/${project}_${group}/${group}`)
      expect(added.status, added.text).toBe(200)
    }
  }
}

export const minuteMs = 60_000
