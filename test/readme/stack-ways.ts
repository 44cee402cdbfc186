// The commands that want a running stack: they are run in the order of the README, against the one that its `npm start`
// brought up, by somebody who has the files and projects that they name.
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { sampleStudies } from '../../infra/local/sample-studies.ts'
import { codesIn, readmeAt } from './documents.ts'
import { decree, type Guide, isArchived, isDelivered, soon, succeeds, write } from './guide.ts'
import { startedStack } from './started-stack.ts'
import type { Way } from './ways.ts'

const main = readmeAt('README.md')

export const stackWays: readonly Way<Guide>[] = [
  {
    commands: /^npm start$/,
    async try(command, guide) {
      const said = await guide.checkout.start(command).says(/Ctrl-C ends it/)
      const shown = main.blocks.find(({ text }) => text.includes('digests equal'))?.text ?? ''
      expect(shapeOf(said)).toContain(shapeOf(shown))
      guide.stack = await startedStack(guide.checkout.dir)
      // DQR looks into its queue each five seconds here; who only waits for it need not.
      await guide.stack.xnat('POST /xapi/dqr/settings', { pacsAvailabilityCheckFrequency: '1 second' })
    },
  },
  { commands: /^(?:KEY|API)=\$\(node -p /, try: (command, guide) => succeeds(command, guide, /^$/) },
  {
    commands: /^curl -s "\$API\/projects\/create-project-from-central-hub-project" /,
    needs: ['curl'],
    async try(command, guide) {
      const first = JSON.parse((await guide.checkout.run(command)).stdout)
      expect(first).toMatchObject({
        ID: expect.stringMatching(/^[\w-]{36}$/),
        name: expect.stringMatching(/^Heart study:/),
      })
      expect(JSON.parse((await guide.checkout.run(command)).stdout)).toEqual(first)
      guide.projectId = first.ID
    },
  },
  { commands: /^eval "\$\(node -e "const \{ s3 \}/, try: (command, guide) => succeeds(command, guide, /^$/) },
  {
    commands: /^aws --endpoint-url "\$S3" s3 cp image\.dcm /,
    // The project is the one that curl made.
    needs: ['aws', 'curl'],
    async try(command, guide) {
      await write(guide, 'image.dcm', [...sampleStudies()][0]?.bytes ?? '')
      await succeeds(command.replace('/PROJECT/', `/${guide.projectId}/`), guide, /upload: /)
      await isDelivered(guide, guide.projectId, 'image.dcm')
    },
  },
  {
    commands: /^npx conduit status P1$/,
    async try(command, guide) {
      await guide.stack.xnat('PUT /data/projects/P1')
      await guide.stack.xnat('POST /__stand-in/pacs/studies', { accessionNumber: 'ACC0001' })
      await guide.stack.api('POST /retrieval/imports/P1', { accession_numbers: ['ACC0001'] })
      await isArchived(guide, 'ACC0001')
      await succeeds(command, guide, /^1 studies, looked at .*\n +1 {2}verified\n$/)
    },
  },
  {
    commands: /^npx conduit status P1 --state failed$/,
    async try(command, guide) {
      await guide.stack.xnat('POST /__stand-in/pacs/studies', { accessionNumber: 'ACC0002' })
      await decree(guide, { kind: 'sends-nothing', history: 'FAILED' })
      await guide.stack.api('POST /retrieval/imports/P1', { accession_numbers: ['ACC0002'] })
      const failures = async () => JSON.stringify(await guide.stack.api('GET /retrieval/import_status/P1?state=failed'))
      await expect.poll(failures, soon).toContain('ACC0002')
      expect(await guide.checkout.run(command)).toMatchObject({
        exitCode: 3,
        stdout: expect.stringMatching(/\n +1 {2}failed\n[\s\S]*\nACC0002 +failed +NO_FILES_RECEIVED +1 +\S+Z +\S+Z\n$/),
      })
    },
  },
  {
    commands: /^npx conduit retry P1$/,
    async try(command, guide) {
      await decree(guide, { kind: 'arrives' })
      await succeeds(command, guide, /^1 study handed to the planner/)
      await isArchived(guide, 'ACC0002')
    },
  },
  {
    commands: /^npx conduit provision study\.json$/,
    async try(command, guide) {
      const asked = /-d '([^']+)'/.exec(main.text)?.[1]?.replaceAll('3f2b8c1e', '4a3b8c1e') ?? ''
      await write(guide, 'study.json', asked)
      await succeeds(command, guide, /^[\w-]{36} {2}Heart study:4a3b8c1e-/)
    },
  },
  {
    commands: /^npx conduit deliver study\/ --to projects\/P1\/\S+\/dicom\/$/,
    async try(command, guide) {
      const [{ relativePath: first } = { relativePath: '' }] = sampleStudies()
      for (const { relativePath, bytes } of sampleStudies()) {
        if (dirname(relativePath) === dirname(first)) await write(guide, `study/${relativePath}`, bytes)
      }
      await succeeds(command, guide, /verified/)
    },
  },
  {
    commands: /^npx conduit deliver export\/ --to projects\/P1\/ --xsi-type \S+ --dry-run$/,
    async try(command, guide) {
      const path = 'subjects/S1/experiments/MR2/scans/1/resources/NIFTI/files/image.nii'
      await write(guide, `export/${path}`, 'content')
      await succeeds(command, guide, new RegExp(`^projects/P1/${path}\n1 of 1 files would be sent`))
    },
  },
  {
    commands: /^npx conduit dead-letters$/,
    async try(command, guide) {
      await guide.stack.put('projects/P1/subjects/S7/experiments/CT7/scans/1/resources/DICOM/files/1.dcm')
      const counts = async () => JSON.stringify(await guide.stack.api('GET /dead-letters'))
      await expect.poll(counts, soon).toContain('EXPERIMENT_NOT_FOUND')
      await succeeds(command, guide, /^deliveries: 1\n +1 {2}EXPERIMENT_NOT_FOUND$/m)
    },
  },
  {
    commands: /^npx conduit dead-letters redrive deliveries --code (?:\w+|\.\.\.) --dry-run$/,
    try: (command, guide) =>
      succeeds(command.replace('...', 'EXPERIMENT_NOT_FOUND'), guide, /would be handed in again/),
  },
  {
    commands: /^npx conduit dead-letters redrive deliveries --code EXPERIMENT_NOT_FOUND --yes$/,
    async try(command, guide) {
      await guide.stack.xnat('PUT /data/projects/P1/subjects/S7/experiments/CT7?xsiType=xnat:ctSessionData')
      await succeeds(command, guide, /^1 handed in again/)
      await isDelivered(guide, 'P1', '1.dcm')
    },
  },
  {
    commands: /^npx conduit backfill projects\/P1\/$/,
    try: (command, guide) => succeeds(command, guide, /^\d+ objects/),
  },
  {
    commands: /^npx conduit doctor$/,
    async try(command, guide) {
      const comment = /npx conduit doctor +# (.*)/.exec(main.text)?.[1]?.split(', ') ?? []
      expect(comment.length).toBeGreaterThan(5)
      const stdout = await succeeds(command, guide, /^ok /)
      for (const looked of comment) expect(stdout).toMatch(new RegExp(`^\\w+ +(?:\\S+ )?${looked} `, 'm'))
      expect(stdout).not.toMatch(/^failed/m)
    },
  },
  {
    commands: /^(?:npx conduit|npm run --silent conduit --)$/,
    instead: 'A mention of the program, which wants a command: it says which there are.',
    async try(command, guide) {
      expect(await guide.checkout.run(command)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(/which command\?[\s\S]*doctor/),
      })
    },
  },
  {
    commands: /^npx conduit smoke --profile prod(?: --deliver P1)?$/,
    instead: 'With a profile of the local stack.',
    async try(command, guide) {
      const { api, serviceKey, s3 } = guide.stack.description
      const { endpoint, region, buckets, ...credentials } = s3
      const incoming = { bucket: buckets['incoming'], region, endpoint, credentials }
      const prod = { url: api, serviceKey: serviceKey.key, incoming }
      const profiles = join(guide.checkout.dir, 'profiles.json')
      await writeFile(profiles, JSON.stringify({ prod }), { mode: 0o600 })
      await succeeds(`CONDUIT_PROFILES='${profiles}' ${command}`, guide, /^ok /)
    },
  },
  {
    commands: /^export CONDUIT_SERVICE_KEY=\.\.\.$/,
    try: (command, guide) => succeeds(command.replace('...', guide.stack.description.serviceKey.key), guide, /^$/),
  },
  {
    commands: /^npm run(?: --silent)? smoke(?: -- \S+)?$/,
    instead: 'With the address of the local stack, and its key.',
    async try(command, guide) {
      const { api, serviceKey } = guide.stack.description
      const line = command.replace(/ -- \S+$/, ` -- ${api}`)
      await succeeds(`CONDUIT_SERVICE_KEY=${serviceKey.key} ${line}`, guide, /^ok /m)
    },
  },
  {
    commands: /^npx conduit status$/,
    instead: 'Only named: it says what it wants besides.',
    async try(command, guide) {
      const { exitCode, stderr } = await guide.checkout.run(command)
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('conduit status PROJECT') })
    },
  },
  {
    commands: /^export XNAT_URL=\S+ XNAT_SERVICE_USER=\w+$/,
    async try(command, guide) {
      const { url, user } = guide.stack.description.xnat
      await succeeds(command.replace(/https:\S+/, url).replace(/\w+$/, user), guide, /^$/)
    },
  },
  {
    commands: /^read -rs XNAT_SERVICE_PASSWORD$/,
    try: (command, guide) => succeeds(`${command} <<< '${guide.stack.description.xnat.password}'`, guide, /^$/),
  },
  { commands: /^export XNAT_SERVICE_PASSWORD$/, try: (command, guide) => succeeds(command, guide, /^$/) },
  {
    commands: /^npm run(?: --silent)? doctor$/,
    instead: 'It asks the stand-in: in a block by what was exported before, elsewhere with an account of its own.',
    async try(command, guide) {
      const { url, user, password } = guide.stack.description.xnat
      const account = `XNAT_URL=${url} XNAT_SERVICE_USER=${user} XNAT_SERVICE_PASSWORD='${password}'`
      const stdout = await succeeds(command.includes('--silent') ? command : `${account} ${command}`, guide, /^\w+ +/m)
      const table = readmeAt('infra/README.md').tables.find(({ head }) => head.at(-1) === 'line of `doctor`')
      const lines = table?.rows.flatMap((row) => codesIn(row.at(-1))) ?? []
      expect(lines.length).toBeGreaterThan(15)
      for (const line of lines) expect(stdout).toMatch(new RegExp(`^\\w+ +${line} `, 'm'))
    },
  },
  {
    commands: /^npx conduit --help$/,
    async try(command, guide) {
      const stdout = await succeeds(command, guide, /profiles\.json/)
      const there = [...stdout.matchAll(/^ {2}([a-z-]+(?: [a-z]+)?) {2,}[A-Z]/gm)].map(([, words = '']) => words)
      const table = main.tables.find(({ head }) => head[0] === 'command')?.rows.flatMap(([cell]) => codesIn(cell)) ?? []
      const told = table.map((call) => call.replace(/ (?:--|[A-Z[]).*/, '').replace(/^dead-letters$/, '$& list'))
      expect(told.toSorted()).toEqual(there.toSorted())
    },
  },
]

/** What is said, without what differs from run to run: sizes, times, ports, ids. */
function shapeOf(said: string): string {
  return said.replaceAll(/[\da-f]{8,}-[\da-f-]+|\d+-[\da-f]{16}|\d+(?:\.\d+)?/g, 'N').trim()
}
