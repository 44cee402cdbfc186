import { XMLBuilder } from 'fast-xml-parser'

/** What a new project says about itself. XNAT takes the ID for a missing name or secondary ID. */
export interface ProjectDescription {
  /** `A-Z a-z 0-9 _ -` only. Never to be used again once the project is deleted. */
  projectId: string
  /** Unique in the site, upper and lower case alike; so is the name. */
  secondaryId?: string | undefined
  name?: string | undefined
  description?: string | undefined
  keywords?: string | undefined
  aliases?: readonly string[] | undefined
  principalInvestigator?: { firstName: string; lastName: string } | undefined
}

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressEmptyNode: true,
  // A project may be called "true".
  suppressBooleanAttributes: false,
})

/** The `xnat:Project` document for a description. Text is escaped; keys without a value are left out. */
export function projectXml(project: ProjectDescription): string {
  const { projectId, secondaryId, name, description, keywords, aliases = [], principalInvestigator: pi } = project
  return builder.build({
    'xnat:Project': present({
      '@ID': projectId,
      '@secondary_ID': secondaryId,
      '@xmlns:xnat': 'http://nrg.wustl.edu/xnat',
      'xnat:name': name,
      'xnat:description': description,
      'xnat:keywords': keywords,
      'xnat:aliases': aliases.length === 0 ? undefined : { 'xnat:alias': aliases },
      'xnat:PI': pi && { 'xnat:firstname': pi.firstName, 'xnat:lastname': pi.lastName },
    }),
  })
}

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
