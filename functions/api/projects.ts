import * as z from 'zod'
import { apiHandler, route } from '../../lib/handler.ts'
import { createPlainProject } from '../../lib/services/create-plain-project.ts'
import { deleteProject } from '../../lib/services/delete-project.ts'
import { provisionProject } from '../../lib/services/provision-project.ts'
import {
  getProject,
  readExperiment,
  readExperiments,
  readProjects,
  readSubjects,
} from '../../lib/services/read-projects.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { Email, PathSegment, ProjectId, Uuid } from './schemas.ts'

const path = z.object({ project_id: ProjectId })

const Project = z.object({
  pi_firstname: z.string(),
  secondary_ID: z.string(),
  pi_lastname: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  ID: z.string(),
  URI: z.string(),
})

const projectAnswer = (project: Awaited<ReturnType<typeof getProject>>): z.input<typeof Project> => ({
  pi_firstname: project.piFirstName ?? '',
  secondary_ID: project.secondaryId ?? '',
  pi_lastname: project.piLastName ?? '',
  name: project.name ?? '',
  description: project.description ?? null,
  ID: project.projectId,
  URI: `/data/projects/${project.projectId}`,
})

const listProjects = route({
  method: 'GET',
  path: '/projects',
  request: z.object({}),
  answer: z.array(Project),
  run: async (_, tools) => (await readProjects(tools)).map(projectAnswer),
})

const projectName = z
  .string()
  .min(1, 'must not be empty')
  .refine((name) => !/[<>&]/.test(name), "project_name must not contain XML control characters ('<', '>', '&')")
  .refine(
    (name) => !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(name) && name.isWellFormed(),
    'project_name must not contain control characters',
  )

const createProject = route({
  method: 'POST',
  path: '/projects',
  request: z.object({
    query: z.object({
      project_id: ProjectId,
      project_secondary_id: z.string(),
      project_name: projectName,
      project_description: z.string().default(''),
    }),
  }),
  answer: Project,
  run: async ({ query }, tools) =>
    projectAnswer(
      await createPlainProject(tools, {
        projectId: query.project_id,
        secondaryId: query.project_secondary_id,
        name: query.project_name,
        description: query.project_description,
      }),
    ),
})

const CentralHubProject = z.object({
  project_id: Uuid,
  trust_id: Uuid,
  project_name: projectName,
  query: z.string(),
  users: z.array(z.object({ id: Uuid, email: Email, is_disabled: z.boolean().default(false) })).default([]),
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

const readProject = route({
  method: 'GET',
  path: '/projects/{project_id}',
  request: z.object({ path }),
  answer: Project,
  run: async (request, tools) => projectAnswer(await getProject(tools, request.path.project_id)),
})

const removeProject = route({
  method: 'DELETE',
  path: '/projects/{project_id}',
  request: z.object({ path }),
  answer: Project,
  run: async (request, tools) => projectAnswer(await deleteProject(tools, request.path.project_id)),
})

const Subject = z.object({
  ID: z.string(),
  label: z.string(),
  insert_date: z.string(),
  project: z.string(),
  insert_user: z.string(),
  URI: z.string(),
})

const listSubjects = route({
  method: 'GET',
  path: '/projects/{project_id}/subjects',
  request: z.object({ path }),
  answer: z.array(Subject),
  run: async (request, tools) =>
    (await readSubjects(tools, request.path.project_id)).map((subject) => ({
      ID: subject.subjectId,
      label: subject.subjectLabel ?? '',
      insert_date: subject.insertedAt ?? '',
      project: subject.projectId ?? '',
      insert_user: subject.insertedBy ?? '',
      URI: `/data/subjects/${subject.subjectId}`,
    })),
})

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

const listExperiments = route({
  method: 'GET',
  path: '/projects/{project_id}/experiments',
  request: z.object({ path }),
  answer: z.array(Experiment),
  run: async (request, tools) =>
    (await readExperiments(tools, request.path.project_id)).map((experiment) => ({
      ID: experiment.experimentId,
      label: experiment.label ?? '',
      date: experiment.date ?? '',
      project: experiment.projectId ?? '',
      insert_date: experiment.insertedAt ?? '',
      xsiType: experiment.xsiType ?? '',
      URI: `/data/experiments/${experiment.experimentId}`,
    })),
})

const readOneExperiment = route({
  method: 'GET',
  path: '/projects/{project_id}/experiment/{experiment_id_or_label}',
  request: z.object({ path: path.extend({ experiment_id_or_label: PathSegment }) }),
  answer: z.record(z.string(), z.unknown()),
  run: (request, tools) =>
    readExperiment(tools, { projectId: request.path.project_id, experiment: request.path.experiment_id_or_label }),
})

export const routes = [
  listProjects,
  createProject,
  createFromHub,
  readProject,
  removeProject,
  listSubjects,
  listExperiments,
  readOneExperiment,
]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
