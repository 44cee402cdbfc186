import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { parseJson } from '../../../lib/json.ts'
import { command } from '../command.ts'
import { exitCodes, usageFailure } from '../failure.ts'

const Created = z.object({
  ID: z.string(),
  name: z.string(),
  created_users: z.array(z.object({ username: z.string(), email: z.string() })),
  added_users: z.array(z.object({ username: z.string(), email: z.string() })),
  failed_users: z.array(z.object({ email: z.string(), code: z.string() })),
})
type Created = z.output<typeof Created>

export const provision = command({
  words: 'provision',
  summary: 'Makes an XNAT project of what a hub would send, with its users, and begins the import of its cohort.',
  positionals: ['file'],
  options: {},
  input: z.object({ file: z.string() }),
  examples: [
    {
      about: 'FILE holds JSON: project_id, trust_id, project_name, query, users, dicom_to_nifti',
      line: 'conduit provision study.json',
    },
  ],
  async run({ file }, { api, show }) {
    const body = await jsonIn(file)
    const path = '/projects/create-project-from-central-hub-project'
    // How invited users set their passwords is sealed for the hub, and not printed.
    const created = await api.ask({ method: 'POST', path, body, answer: Created })
    show(created, () => createdText(created))
    return created.failed_users.length === 0 ? exitCodes.done : exitCodes.incomplete
  },
})

async function jsonIn(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageFailure(`${file} cannot be read: ${error.code ?? error.message}`)
  })
  const parsed = parseJson(text)
  if (parsed === undefined) throw usageFailure(`${file} holds no JSON`)
  return parsed
}

function createdText({ ID, name, created_users, added_users, failed_users }: Created): string {
  return [
    `${ID}  ${name}`,
    `${created_users.length} users invited, ${added_users.length} added`,
    ...failed_users.map(({ email, code }) => `not added: ${email} ${code}`),
  ].join('\n')
}
