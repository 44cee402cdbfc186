// Provisioning with 20 users on a large site: requests to XNAT and time, the first run and the second.
import { conversionImage, prepareSite } from '../../infra/local/prepare-site.ts'
import { startXnat, type XnatServer } from '../../infra/local/xnat-server/server.ts'
import { provisionProject } from '../../lib/services/provision-project.ts'
import { XnatClient } from '../../lib/xnat/client.ts'
import { startLocalAws } from '../support/local-aws.ts'
import { memoryQueue } from '../support/memory-queue.ts'

const projects = 5_000
const users = 10_000

export async function run(): Promise<void> {
  const aws = await startLocalAws()
  const standIn = await startXnat()
  await prepareSite(standIn)
  fill(standIn)
  const { url, user, password } = standIn
  const xnat = new XnatClient({ url, credentials: { kind: 'password', user, password } })
  const deps = {
    xnat,
    state: await aws.bucket('state'),
    imports: memoryQueue(),
    envelope: { kid: 'shared', keys: { shared: Buffer.alloc(32, 1) } },
    conversionImage,
    signal: AbortSignal.timeout(120_000),
  }
  const hubProject = {
    hubProjectId: '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b',
    name: 'Bench',
    query: 'SELECT 1',
    users: Array.from({ length: 20 }, (_, index) => ({ email: `new.user${index}@x.example`, isDisabled: false })),
    convertsToNifti: true,
  }
  try {
    await xnat.whoAmI()
    for (const name of ['first run', 'second run']) {
      standIn.requests.clear()
      const startedAt = performance.now()
      await provisionProject(deps, hubProject)
      const ms = performance.now() - startedAt
      const writes = standIn.requests.list().filter(({ method }) => method !== 'GET').length
      console.log(
        `${name.padEnd(12)} ${standIn.requests.count()} requests, ${writes} of them writes, ${ms.toFixed(0)} ms`,
      )
    }
  } finally {
    await xnat.close()
    await standIn.stop()
    await aws.stop()
  }
}

function fill({ state }: XnatServer): void {
  for (let index = 0; index < users; index += 1)
    state.addUser({ username: `user${index}`, email: `user${index}@y.example` })
  for (let index = 0; index < projects; index += 1) {
    state.projects.put({
      projectId: `P${index}`,
      secondaryId: `secondary-${index}`,
      name: `Project ${index}`,
      aliases: [],
      accessibility: 'private',
      prearchiveCode: 4,
      quarantineCode: 0,
      currentArc: 'arc001',
      fields: {},
      inserted: { at: new Date(0).toISOString(), by: 'admin' },
    })
  }
}
