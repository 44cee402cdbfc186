// The deployment package, made in a folder of its own as `npm run package` makes it.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import { buildFunctions } from '../../infra/build.ts'
import { readTemplate, resourcesOf, type Template } from '../../infra/deployment/template.ts'

const root = join(import.meta.dirname, '../..')
const osls = createRequire(import.meta.url).resolve('osls/bin/serverless.js')

export interface PackagedService {
  /** Has `dist/` with the bundles, and in `package/` a zip for each function. */
  dir: string
  /** What CloudFormation would be given, with these parameters of the deployment. */
  template(...parameters: string[]): Promise<Template>
  remove(): Promise<void>
}

export async function packagedService(): Promise<PackagedService> {
  const folder = await mkdtemp(join(tmpdir(), 'xnat-conduit-package-'))
  // Beside the service and not in it, since osls looks at every file that it might pack.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const dir = join(folder, 'service')
  for (const name of ['serverless.yml', 'package.json', 'infra']) {
    await cp(join(root, name), join(dir, name), { recursive: true })
  }
  await buildFunctions(join(dir, 'dist'))
  return {
    dir,
    async template(...parameters) {
      const args = parameters.map((parameter) => `--param=${parameter}`)
      try {
        await promisify(execFile)(process.execPath, [osls, 'package', '--package', 'package', ...args], { cwd: dir })
      } catch (cause) {
        // osls says on both what is wrong.
        const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(cause)
        throw new Error(`osls package: ${stderr}${stdout}`, { cause })
      }
      const file = join(dir, 'package/cloudformation-template-update-stack.json')
      return readTemplate(JSON.parse(await readFile(file, 'utf8')))
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

interface BundledFunction {
  /** As in serverless.yml. */
  name: string
  /** The bundle's path in the service's folder. */
  module: string
  zippedBytes: number
}

const Code = z.object({ Handler: z.string(), Code: z.object({ S3Key: z.string() }) })

/** Every function of the template as it is uploaded. */
export async function bundledFunctions(service: PackagedService): Promise<BundledFunction[]> {
  const functions = resourcesOf(await service.template(), 'AWS::Lambda::Function')
  return Promise.all(
    functions.map(async ([, { Properties }]) => {
      const { Handler, Code: code } = Code.parse(Properties)
      const zip = basename(code.S3Key)
      const { size } = await stat(join(service.dir, 'package', zip))
      return { name: zip.replace(/\.zip$/, ''), module: Handler.replace(/\.handler$/, '.mjs'), zippedBytes: size }
    }),
  )
}
