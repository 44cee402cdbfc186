import type { ServiceModel } from '../local/run-functions/service-model.ts'
import { type Consumption, consumption, type Dollars, dollars, xnatRequestsPerOrder } from './consumption.ts'
import { deliver } from './deliver.ts'
import type { Options } from './options.ts'
import { type ProductSettings, productSettings } from './product.ts'
import { exponential, seededRandom } from './random.ts'
import { type Order, route } from './route.ts'
import { type Summary, summarize } from './summary.ts'
import { uploads } from './uploads.ts'

export interface Simulated {
  settings: ProductSettings
  summary: Summary
  /** Runs of route-objects. */
  batches: number
  taken: Consumption
  dollars: Dollars
}

// Measured for the local stack (a batch of 1,000 takes it 0.1 to 0.2 s) and stretched, since Lambda gives a function of
// 512 MB a third of a processor.
const routeSeconds = { run: 0.05, message: 0.001 }
/** SQS's answer within a region, as a guess that matters only beyond a thousand files a second. */
const receiveSeconds = 0.01

/** The same options give the same figures. */
export function simulate(options: Options, service: ServiceModel): Simulated {
  const settings = options.change(productSettings(service))
  const { routeObjects, deliverFiles, maxOrderBytes } = settings
  const random = seededRandom(options.seed)
  const routed = route(uploads(options.plan, random), {
    noticeSeconds: options.noticeSeconds,
    // At AWS each run is fed by a poller of its own.
    pollers: routeObjects.concurrency,
    ...routeObjects,
    receiveSeconds,
    runSeconds: (messages) => routeSeconds.run + routeSeconds.message * messages,
    maxOrderBytes,
  })
  const deliveries = deliver(routed.orders, {
    concurrency: deliverFiles.concurrency,
    runSeconds: (order) => {
      const mean = orderSeconds(order, options, settings)
      return options.service === 'fixed' ? mean : exponential(random, mean)
    },
  })
  const concurrency = { routeObjects: routeObjects.concurrency, deliverFiles: deliverFiles.concurrency }
  const memoryGb = { routeObjects: routeObjects.memoryGb, deliverFiles: deliverFiles.memoryGb }
  const taken = consumption(routed, deliveries, memoryGb)
  return {
    settings,
    summary: summarize(routed, deliveries, concurrency),
    batches: routed.batches.length,
    taken,
    dollars: dollars(taken),
  }
}

function orderSeconds({ files, bytes }: Order, { xnat }: Options, { bytesPerSecond }: ProductSettings): number {
  const { requestSeconds, fileSeconds, orderSeconds } = xnat
  const flowing = bytes / (xnat.bytesPerSecond ?? bytesPerSecond)
  return xnatRequestsPerOrder * requestSeconds + orderSeconds + files * fileSeconds + flowing
}
