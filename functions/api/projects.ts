import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import { listProjectExperiments } from '../../lib/services/list-project-experiments.ts'
import { provisionProject } from '../../lib/services/provision-project.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'

/** A UUID as Python's callers write it: any case, with or without hyphens; lower case with hyphens from here on. */
const Uuid = z.preprocess((value) => (typeof value === 'string' ? hyphenated(value.toLowerCase()) : value), z.guid())

const hyphenated = (text: string) =>
  text.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, '$1-$2-$3-$4-$5')

const CentralHubProject = z.object({
  project_id: Uuid,
  trust_id: Uuid,
  project_name: z
    .string()
    .refine((name) => !/[<>&]/.test(name), "project_name must not contain XML control characters ('<', '>', '&')"),
  query: z.string(),
  users: z.array(z.object({ id: Uuid, email: z.email(), is_disabled: z.boolean().default(false) })).default([]),
  dicom_to_nifti: z.boolean().default(true),
})

const CreatedProject = z.object({
  ID: z.string(),
  name: z.string(),
  created_users: z.array(z.object({ username: z.string(), encrypted_setup_path: z.string(), email: z.string() })),
  added_users: z.array(z.object({ username: z.string(), email: z.string() })),
})

const createFromHub = route({
  method: 'POST',
  path: '/projects/create-project-from-central-hub-project',
  request: z.object({ body: CentralHubProject }),
  answer: CreatedProject,
  run: async ({ body }, tools) => {
    const hubProject = { hubProjectId: body.project_id, name: body.project_name }
    const { projectId, name } = await provisionProject(tools, hubProject)
    return { ID: projectId, name, created_users: [], added_users: [] }
  },
})

const ProjectId = z.string().regex(/^[A-Za-z0-9_-]+$/, 'a project ID holds only letters, digits, "_" and "-"')

/** XNAT's own keys, which is what FLIP's callers read. */
const Experiment = z.object({
  ID: z.string(),
  label: z.string(),
  date: z.string(),
  project: z.string(),
  insert_date: z.string(),
  xsiType: z.string(),
  URI: z.string(),
})

const readExperiments = route({
  method: 'GET',
  path: '/projects/{project_id}/experiments',
  request: z.object({ path: z.object({ project_id: ProjectId }) }),
  answer: z.array(Experiment),
  run: async ({ path }, tools) => {
    const experiments = await listProjectExperiments(tools, path.project_id)
    return experiments.map((experiment) => ({
      ID: experiment.experimentId,
      label: experiment.label ?? '',
      date: experiment.date ?? '',
      project: experiment.projectId ?? '',
      insert_date: experiment.insertedAt ?? '',
      xsiType: experiment.xsiType ?? '',
      URI: `/data/experiments/${experiment.experimentId}`,
    }))
  },
})

export const createHandler = (wire: Wire) => apiHandler([createFromHub, readExperiments], wire)

export const handler = createHandler(wireOnce)
