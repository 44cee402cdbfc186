// The commands that want no running stack. What cannot be run here says what holds it in place of that, and why.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, onTestFinished } from 'vitest'
import { close, listen } from '../../infra/local/xnat-server/listening.ts'
import { startXnat } from '../../infra/local/xnat-server/server.ts'
import type { Checkout } from './checkout.ts'
import { codesIn, storedBefore } from './documents.ts'
import type { Way } from './ways.ts'

/** These are independent of one another. */
export const otherWays: readonly Way<Checkout>[] = [
  {
    commands: /^npm ci$/,
    instead:
      'It would replace the packages that this very run uses. That the lockfile fits is what can go wrong with it.',
    async try(command, { dir, run }) {
      await mkdir(join(dir, 'lockfile'))
      for (const file of ['package.json', 'package-lock.json'])
        await copyFile(join(dir, file), join(dir, 'lockfile', file))
      await ends(
        run(`cd lockfile && ${command} --dry-run --offline; ended=$?; cd ..; (exit $ended)`),
        0,
        /added \d+ packages/,
      )
    },
  },
  {
    commands: /^(?:npm test|npm run (?:typecheck|lint|structure|unused))$/,
    instead: 'CI runs them as they are: here is held that it does. The tests cannot run themselves.',
    async try(command, { dir }) {
      const { scripts } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'))
      expect(scripts[command.split(' ').at(-1) ?? '']).toMatch(/\S/)
      const check = await readFile(join(dir, '.ci/run'), 'utf8')
      expect(check.replaceAll('--silent ', '')).toMatch(new RegExp(`^(?:check .*)?${command}\\b`, 'm'))
    },
  },
  {
    commands: /^bash \.ci\/run$/,
    instead: 'It runs these tests: here is held that the shell can read it.',
    try: (command, { run }) => ends(run(command.replace('bash', 'bash -n')), 0, /^$/),
  },
  {
    commands: /^npm run bench\b/,
    instead: 'They take minutes: here is held that there are benches of these names.',
    async try(command, { dir, run }) {
      const { exitCode, stderr } = await run('npm run --silent bench no-such-bench')
      expect(exitCode).toBe(2)
      const there = stderr.split('There are: ')[1]?.trim().split(', ') ?? []
      expect(there).toEqual(expect.arrayContaining(command.split(' ').slice(3)))
      const [, told = ''] =
        /npm run bench +# measurements: (.*) \(/.exec(await readFile(join(dir, 'README.md'), 'utf8')) ?? []
      expect(told.split(', ').toSorted()).toEqual(there.toSorted())
    },
  },
  {
    commands: /^npm run simulate\b/,
    async try(command, { run }) {
      const isAnswered = command.endsWith('--help') ? /What comes[\s\S]*Examples/ : /^delay +p50 .*, p99 /m
      await ends(run(command), 0, isAnswered)
    },
  },
  {
    commands: /^npm run xnat(?: -- --keep \.\/site)?$/,
    async try(command, { dir, start }) {
      const program = start(command)
      const said = await program.says(/Ctrl-C ends it/)
      const [, account = '', url = ''] = /^curl -u (\S+) '(\S+)'$/m.exec(said) ?? []
      expect((await fetch(url, { headers: { authorization: `Basic ${btoa(account)}` } })).status).toBe(200)
      await program.interrupt()
      if (command.includes('--keep')) expect(await readdir(join(dir, 'site'))).toContain('records.jsonl')
    },
  },
  {
    commands: /^npx vitest run test\/conformance$/,
    instead: 'All of it runs with these tests: here is held that it is there under this name.',
    try: (command, { run }) =>
      ends(run(command.replace('run', 'list --filesOnly')), 0, /test\/conformance\/files\.test\.ts/),
  },
  {
    commands: /^XNAT_URL=\S+ XNAT_SERVICE_USER=\S+ XNAT_SERVICE_PASSWORD=\S+ npx vitest run test\/conformance$/,
    instead: 'There is no real XNAT here: a stand-in of its own is asked by its address, and by one file of the suite.',
    async try(command, { run }) {
      const xnat = await startXnat()
      onTestFinished(() => xnat.stop())
      const named = command.replace(/https:\S+/, xnat.url).replace(/USER=\S+/, `USER=${xnat.user}`)
      const line = named.replace(/PASSWORD=\S+/, `PASSWORD=${xnat.password}`).concat('/site-config.test.ts')
      await ends(run(line), 0, / passed/)
      const asked = await fetch(`${xnat.url}/__stand-in/requests`)
      expect(await asked.text()).toContain('/xapi/siteConfig')
    },
  },
  {
    commands: /^aws (?:ssm|secretsmanager) [\w-]+ --/,
    needs: ['aws'],
    instead:
      'There is no account: it is sent to an address that keeps what it was asked. The files are as the table says.',
    async try(command, { dir, run }) {
      for (const [name, content] of secretFiles()) await writeFile(join(dir, `${name}.json`), content)
      const asked = await startRecorder()
      const account = 'AWS_ACCESS_KEY_ID=fake AWS_SECRET_ACCESS_KEY=fake AWS_DEFAULT_REGION=eu-central-1'
      await ends(run(`${account} ${command} --endpoint-url ${asked.url}`), 0, /^/)
      await asked.stop()
      const [, name = ''] = /(xnat-conduit\/prod\/[\w-]+)/.exec(command) ?? []
      const isSecret = command.includes('secretsmanager')
      const stored = isSecret
        ? { Name: name, SecretString: contentOf(name) }
        : { Name: `/${name}`, Value: expect.stringMatching(/^https:/) }
      expect(asked.bodies).toEqual([expect.objectContaining(stored)])
    },
  },
  {
    commands: /^aws (?:ssm|secretsmanager) [\w-]+$/,
    needs: ['aws'],
    instead: 'Only named: here is held that there is such a command, which then asks for the rest.',
    async try(command, { run }) {
      expect((await run(command)).stderr).toMatch(/arguments are required: --/)
    },
  },
]

/** These come one after another: each wants what the one before has made. */
export const buildWays: readonly Way<Checkout>[] = [
  {
    commands: /^npm run package$/,
    async try(command, { dir, run }) {
      await ends(run(command), 0, /the XNAT client: dist\/xnat/)
      expect(Object.keys((await template(dir)).Resources).length).toBeGreaterThan(50)
    },
  },
  {
    commands: /^npm run lint:template$/,
    try: (command, { run }) => ends(run(command), 0, /as it should be/),
  },
  {
    commands: /^npm run build$/,
    instead: 'It is the first half of `npm run package`.',
    async try(command, { dir }) {
      const { scripts } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'))
      expect(scripts.package).toMatch(new RegExp(`^${command} && `))
      expect(await readdir(join(dir, 'dist/xnat'))).toContain('index.mjs')
    },
  },
  {
    commands: /^npx osls deploy --stage prod --param=/,
    instead:
      'There is no account: it is packaged with the same options, which is all of a deployment up to the account.',
    async try(command, { dir, run }) {
      await ends(run(command.replace('deploy', 'package')), 0, /^/)
      const made = JSON.stringify(await template(dir))
      expect(made).toContain('xnat-conduit-prod-')
      for (const [, value = ''] of command.matchAll(/--param="[\w-]+=([^"]+)"/g)) expect(made).toContain(value)
    },
  },
  {
    commands: /^npx osls (?:deploy|deploy --stage prod|deploy list.*|rollback .*|remove .*)$/,
    instead: 'There is no account: here is held that the command exists and has these options.',
    async try(command, { run }) {
      const [words = '', ...options] = command.split(' --')
      const { exitCode, stdout } = await run(`${words} --help`)
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(new RegExp(`^${words.replace('npx osls ', '')} +[A-Z]`, 'm'))
      for (const option of options) expect(stdout).toContain(`--${option.split(' ')[0]} `)
    },
  },
]

const template = async (dir: string): Promise<{ Resources: object }> =>
  JSON.parse(await readFile(join(dir, '.serverless/cloudformation-template-update-stack.json'), 'utf8'))

/** What has to be stored before a deployment, by the name of the file that is sent: as the table of it says. */
function secretFiles(): [string, string][] {
  const secrets = storedBefore().filter(([what = '']) => what.startsWith('secret '))
  return secrets.map(([what, content]) => [codesIn(what)[0]?.split('/').at(-1) ?? '', codesIn(content)[0] ?? ''])
}

const contentOf = (secret: string) => new Map(secretFiles()).get(secret.split('/').at(-1) ?? '')

/** A service that takes everything, and keeps it. */
async function startRecorder() {
  const bodies: unknown[] = []
  const server = createServer(async (request, response) => {
    bodies.push(await json(request))
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end('{}')
  })
  const port = await listen(server, 0)
  return { url: `http://127.0.0.1:${port}`, bodies, stop: () => close(server) }
}

async function ends(running: ReturnType<Checkout['run']>, exitCode: number, output: RegExp): Promise<void> {
  const ran = await running
  expect(ran, ran.stderr).toMatchObject({ exitCode, stdout: expect.stringMatching(output) })
}
