// A server in a process of its own, to be killed: node serve-in-child.ts <data folder>.
// Its notification target takes nothing, so every event stays to be delivered.
import { startS3 } from '../../../infra/local/s3-server/server.ts'

const [dataDir = ''] = process.argv.slice(2)
const credentials = { accessKeyId: 'local-key', secretAccessKey: 'local-secret' }
const server = await startS3({ dataDir, credentials })
await server.createBucket('images')
const deliver = () => new Promise<void>(() => undefined)
await server.setNotifications('images', [{ id: 'uploads', events: ['s3:ObjectCreated:*'], deliver }])
process.stdout.write(`${server.port}\n`)
