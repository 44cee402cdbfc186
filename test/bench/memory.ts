// How much the process that runs deliver-files grows while a large object flows through it, and what it writes to disk.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { readService } from '../../infra/local/run-functions/service-model.ts'
import { credentials, startServer } from './servers.ts'

/** Runs the measured process with the options that serverless.yml gives the function. */
export async function run(): Promise<void> {
  const { functions } = await readService(join(import.meta.dirname, '../..'))
  const options = functions.find(({ name }) => name === 'deliverFiles')?.environment['NODE_OPTIONS']
  const [s3, xnat] = await Promise.all([startServer('s3'), startServer('xnat')])
  try {
    const child = fork(join(import.meta.dirname, 'memory-process.ts'), [s3.url, xnat.url], {
      env: {
        ...(typeof options === 'string' && { NODE_OPTIONS: options }),
        ...(process.env['BENCH_FULL'] !== undefined && { BENCH_FULL: process.env['BENCH_FULL'] }),
        AWS_ENDPOINT_URL_S3: s3.url,
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`the measured process ended with ${code}`)
  } finally {
    await Promise.all([s3.stop(), xnat.stop()])
  }
}
