import { exponential } from './random.ts'
import type { Upload } from './route.ts'

export interface UploadPlan {
  files: number
  /** Without it all come at once. */
  filesPerSecond: number | undefined
  /** `steady`: at even distances. `random`: independently of one another (a Poisson process). */
  pace: 'steady' | 'random'
  filesPerResource: number
  /** So many resources are being filled at any time, file by file in turn; a full one makes room for the next. */
  resourcesAtATime: number
  bytesPerFile: number
}

export function* uploads(plan: UploadPlan, random: () => number): Generator<Upload> {
  const { files, filesPerSecond, pace, filesPerResource, resourcesAtATime, bytesPerFile: bytes } = plan
  const open = Array.from({ length: resourcesAtATime }, (_, resource) => ({ resource, files: 0 }))
  let begun = resourcesAtATime
  let at = 0
  for (let file = 0; file < files; file += 1) {
    const place = file % resourcesAtATime
    let { resource, files: inResource } = open[place] ?? { resource: place, files: 0 }
    if (inResource === filesPerResource) {
      resource = begun
      begun += 1
      inResource = 0
    }
    open[place] = { resource, files: inResource + 1 }
    yield { at, resource, bytes }
    if (filesPerSecond === undefined) continue
    const distance = 1 / filesPerSecond
    at += pace === 'steady' ? distance : exponential(random, distance)
  }
}
