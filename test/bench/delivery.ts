// How long deliveries take, beside the limit and beside what others do: all of them in one process that has the options
// of deliver-files.
import { forkAsDeployed, untilEnded } from './as-deployed.ts'

export async function run(): Promise<void> {
  await untilEnded(await forkAsDeployed('deliverFiles', 'delivery-process.ts', { env: process.env }))
}
