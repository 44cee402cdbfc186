// One embedded server in a process of its own, so that a bench measures its own memory and not the server's.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startS3 } from '../../infra/local/s3-server/server.ts'
import { startXnat } from '../../infra/local/xnat-server/server.ts'
import { credentials } from './servers.ts'

const [kind, place = tmpdir()] = process.argv.slice(2)
const dataDir = await mkdtemp(join(place, 'bench-'))
const server = kind === 's3' ? await startS3({ dataDir, credentials }) : await startXnat({ dataDir, ...credentials })
process.once('disconnect', async () => {
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
  process.exit(0)
})
process.send?.({ url: server.url, dataDir })
