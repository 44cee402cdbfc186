import * as z from 'zod'
import { apiHandler, route, type Tools } from '../../lib/handler.ts'
import { createPlainProject } from '../../lib/services/create-plain-project.ts'
import { deleteProject } from '../../lib/services/delete-project.ts'
import { inspectProvisioning, provisionProject, repairProvisioning } from '../../lib/services/provision-project.ts'
import {
  getProject,
  readExperiment,
  readExperiments,
  readProjects,
  readSubjects,
} from '../../lib/services/read-projects.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { listed, listingQuery } from './listing.ts'
import { Email, Line, noSuchProject, PathSegment, ProjectId, Text, User, Uuid, xnatErrors } from './schemas.ts'
import { userAnswer } from './user-answer.ts'

const path = z.object({ project_id: ProjectId })

export const Project = z
  .object({
    pi_firstname: z.string(),
    secondary_ID: z.string().meta({ description: "The hub's id of the project, where it has one." }),
    pi_lastname: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    ID: z.string(),
    URI: z.string(),
  })
  .meta({
    id: 'Project',
    description: 'A project in XNAT.',
    example: {
      pi_firstname: '',
      secondary_ID: 'study-1',
      pi_lastname: '',
      name: 'First study',
      description: 'Knees, left and right',
      ID: 'P1',
      URI: '/data/projects/P1',
    },
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
  operationId: 'listProjects',
  summary: 'Lists the projects.',
  request: z.object({ query: listingQuery({ name: 'First study', secondary_ID: 'study-1' }) }),
  answer: z.array(Project),
  errors: xnatErrors,
  run: async ({ query }, tools) => listed((await readProjects(tools)).map(projectAnswer), query, 'ID'),
})

const projectName = Line.min(1, 'must not be empty').refine(
  (name) => !/[<>&]/.test(name),
  "project_name must not contain XML control characters ('<', '>', '&')",
)

const createProject = route({
  method: 'POST',
  path: '/projects',
  operationId: 'createProject',
  summary: 'Creates a project as described, and nothing around it.',
  request: z.object({
    query: z.object({
      project_id: ProjectId.meta({ example: 'P1' }),
      // XNAT: leaves out the white space around them, so that they are compared without it.
      project_secondary_id: Line.trim().min(1, 'must not be empty').meta({ example: 'study-1' }),
      project_name: projectName.trim().min(1, 'must not be empty').meta({ example: 'First study' }),
      project_description: Text.default('').meta({ example: 'Knees, left and right' }),
    }),
  }),
  answer: Project,
  errors: { ...xnatErrors, 400: 'The ID, the secondary ID or the name is already used.' },
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

const CentralHubProject = z
  .object({
    project_id: Uuid.meta({ description: "The hub's id of the project." }),
    trust_id: Uuid,
    project_name: projectName,
    query: z.string().meta({ description: 'Chooses the cohort.' }),
    users: z.array(z.object({ id: Uuid, email: Email, is_disabled: z.boolean().default(false) })).default([]),
    dicom_to_nifti: z.boolean().default(true).meta({ description: 'Whether DICOM becomes NIfTI when it arrives.' }),
  })
  .meta({
    id: 'CentralHubProject',
    description: 'A project as the central hub describes it.',
    example: {
      project_id: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
      trust_id: '11111111-2222-4333-8444-555555555555',
      project_name: 'Second study',
      query: 'SELECT accession_id FROM omop.image_occurrence',
      users: [{ id: '22222222-2222-4333-8444-555555555555', email: 'sam.doe@example.org', is_disabled: false }],
      dicom_to_nifti: true,
    },
  })

const CreatedProject = z
  .object({
    ID: z.string(),
    name: z.string(),
    created_users: z
      .array(z.object({ username: z.string(), encrypted_setup_path: z.string(), email: z.string() }))
      .meta({ description: 'Users who are new to XNAT, each with a sealed path to set a password by.' }),
    added_users: z.array(User).meta({ description: 'Users whose accounts are in use.' }),
    failed_users: z
      .array(z.object({ email: z.string(), code: z.string() }))
      .meta({ description: 'Users who could not be settled; the project and the other users are.' }),
  })
  .meta({
    id: 'CreatedProject',
    example: {
      ID: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a',
      name: 'Second study:3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b-FL-Project',
      created_users: [],
      added_users: [],
      failed_users: [],
    },
  })

const provisionDeps = async ({ config, imports, secrets, ...tools }: Tools) => ({
  ...tools,
  imports: imports.queue,
  envelope: await secrets.envelopeKeys.get(),
  conversionImage: config.conversionImage,
})

const createFromHub = route({
  method: 'POST',
  path: '/projects/create-project-from-central-hub-project',
  operationId: 'provisionProject',
  summary: 'Makes sure that there is an XNAT project for a hub project; asked again, it completes what is missing.',
  request: z.object({ body: CentralHubProject }),
  answer: CreatedProject,
  errors: { ...xnatErrors, 409: 'Another project has the name.' },
  run: async ({ body }, tools) => {
    const { projectId, name, users } = await provisionProject(await provisionDeps(tools), {
      hubProjectId: body.project_id,
      name: body.project_name,
      query: body.query,
      users: body.users.map((user) => ({ email: user.email, isDisabled: user.is_disabled })),
      convertsToNifti: body.dicom_to_nifti,
    })
    return {
      ID: projectId,
      name,
      created_users: users.invited.map(({ username, email, sealedSetupPath }) => ({
        username,
        encrypted_setup_path: sealedSetupPath,
        email,
      })),
      added_users: users.added.map(userAnswer),
      failed_users: users.failed,
    }
  },
})

export const Provisioning = z
  .object({
    project_id: z.string(),
    aspects: z.array(
      z.object({
        aspect: z.string(),
        state: z.enum(['as-wanted', 'missing', 'changed']),
        detail: z.string().optional().meta({ description: 'What is not as wanted.' }),
      }),
    ),
  })
  .meta({
    id: 'Provisioning',
    example: {
      project_id: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a',
      aspects: [
        { aspect: 'project', state: 'as-wanted' },
        { aspect: 'nifti-subscription', state: 'changed', detail: 'it is not active' },
      ],
    },
  })

const provisioningErrors = { ...xnatErrors, 404: 'The project was not provisioned here.' }

const readProvisioning = route({
  method: 'GET',
  path: '/projects/{project_id}/provisioning',
  operationId: 'getProvisioning',
  summary: 'Compares a provisioned project with what was asked for: as wanted, missing or changed.',
  request: z.object({ path }),
  answer: Provisioning,
  errors: provisioningErrors,
  run: async (request, { config, ...tools }) => ({
    project_id: request.path.project_id,
    aspects: await inspectProvisioning({ ...tools, conversionImage: config.conversionImage }, request.path.project_id),
  }),
})

const mendProvisioning = route({
  method: 'POST',
  path: '/projects/{project_id}/provisioning',
  operationId: 'repairProvisioning',
  summary: 'Sets right what is not as it was asked for, and compares again.',
  request: z.object({ path }),
  answer: Provisioning,
  errors: provisioningErrors,
  run: async (request, tools) => ({
    project_id: request.path.project_id,
    aspects: await repairProvisioning(await provisionDeps(tools), request.path.project_id),
  }),
})

const readProject = route({
  method: 'GET',
  path: '/projects/{project_id}',
  operationId: 'getProject',
  summary: 'Reads one project.',
  request: z.object({ path }),
  answer: Project,
  errors: { ...xnatErrors, ...noSuchProject },
  run: async (request, tools) => projectAnswer(await getProject(tools, request.path.project_id)),
})

const removeProject = route({
  method: 'DELETE',
  path: '/projects/{project_id}',
  operationId: 'deleteProject',
  summary: 'Deletes a project with its files and with the imports that wait for it; answers what it was.',
  request: z.object({ path }),
  answer: Project,
  errors: { ...xnatErrors, ...noSuchProject },
  run: async (request, tools) => projectAnswer(await deleteProject(tools, request.path.project_id)),
})

const Subject = z
  .object({
    ID: z.string(),
    label: z.string(),
    insert_date: z.string(),
    project: z.string(),
    insert_user: z.string(),
    URI: z.string(),
  })
  .meta({
    id: 'Subject',
    example: {
      ID: 'XNAT_S00001',
      label: 'S1',
      insert_date: '2026-01-01 00:00:00.0',
      project: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a',
      insert_user: 'service',
      URI: '/data/subjects/XNAT_S00001',
    },
  })

const listSubjects = route({
  method: 'GET',
  path: '/projects/{project_id}/subjects',
  operationId: 'listSubjects',
  summary: 'Lists the subjects of a project.',
  request: z.object({ path, query: listingQuery({ label: 'S1' }) }),
  answer: z.array(Subject),
  errors: { ...xnatErrors, ...noSuchProject },
  run: async (request, tools) => {
    const subjects = (await readSubjects(tools, request.path.project_id)).map((subject) => ({
      ID: subject.subjectId,
      label: subject.subjectLabel ?? '',
      insert_date: subject.insertedAt ?? '',
      project: subject.projectId ?? '',
      insert_user: subject.insertedBy ?? '',
      URI: `/data/subjects/${subject.subjectId}`,
    }))
    return listed(subjects, request.query, 'ID')
  },
})

/** XNAT's own keys, which is what FLIP's callers read. */
const Experiment = z
  .object({
    ID: z.string(),
    label: z.string(),
    date: z.string(),
    project: z.string(),
    insert_date: z.string(),
    xsiType: z.string(),
    URI: z.string(),
  })
  .meta({
    id: 'Experiment',
    example: {
      ID: 'XNAT_E00001',
      label: 'MR1',
      date: '2026-01-01',
      project: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a',
      insert_date: '2026-01-01 00:00:00.0',
      xsiType: 'xnat:mrSessionData',
      URI: '/data/experiments/XNAT_E00001',
    },
  })

const listExperiments = route({
  method: 'GET',
  path: '/projects/{project_id}/experiments',
  operationId: 'listExperiments',
  summary: 'Lists the experiments of a project.',
  request: z.object({ path, query: listingQuery({ label: 'MR1', xsiType: 'xnat:mrSessionData' }) }),
  answer: z.array(Experiment),
  errors: { ...xnatErrors, ...noSuchProject },
  run: async (request, tools) => {
    const experiments = (await readExperiments(tools, request.path.project_id)).map((experiment) => ({
      ID: experiment.experimentId,
      label: experiment.label ?? '',
      date: experiment.date ?? '',
      project: experiment.projectId ?? '',
      insert_date: experiment.insertedAt ?? '',
      xsiType: experiment.xsiType ?? '',
      URI: `/data/experiments/${experiment.experimentId}`,
    }))
    return listed(experiments, request.query, 'ID')
  },
})

const readOneExperiment = route({
  method: 'GET',
  path: '/projects/{project_id}/experiment/{experiment_id_or_label}',
  operationId: 'getExperiment',
  summary: "Reads one experiment by its ID or label, as XNAT's own JSON document.",
  request: z.object({ path: path.extend({ experiment_id_or_label: PathSegment.meta({ example: 'MR1' }) }) }),
  answer: z.record(z.string(), z.unknown()).meta({ example: { items: [] } }),
  errors: { ...xnatErrors, 404: 'There is no such project, or no such experiment in it.' },
  run: (request, tools) =>
    readExperiment(tools, { projectId: request.path.project_id, experiment: request.path.experiment_id_or_label }),
})

export const routes = [
  listProjects,
  createProject,
  createFromHub,
  readProvisioning,
  mendProvisioning,
  readProject,
  removeProject,
  listSubjects,
  listExperiments,
  readOneExperiment,
]

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
