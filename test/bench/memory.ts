// How much the process that runs deliver-files grows while a large object flows through it, and what it writes to disk.
import { forkAsDeployed, untilEnded } from './as-deployed.ts'
import { credentials, startServer } from './servers.ts'

export async function run(): Promise<void> {
  const [s3, xnat] = await Promise.all([startServer('s3'), startServer('xnat')])
  const full = process.env['BENCH_FULL']
  try {
    const env = {
      ...(full !== undefined && { BENCH_FULL: full }),
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }
    await untilEnded(await forkAsDeployed('deliverFiles', 'memory-process.ts', { args: [s3.url, xnat.url], env }))
  } finally {
    await Promise.all([s3.stop(), xnat.stop()])
  }
}
