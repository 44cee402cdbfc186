// The operator's console at `/`: a page that asks the API like any other caller, with the key that it was given.
import { apiHandler } from '../../lib/handler.ts'
import { type Wire, wireOnce } from '../../lib/wire.ts'
import { pageRoutes } from './page-routes.ts'

// `infra/build-page.ts` makes these of the sources in `console/`: when the local stack starts, and for a deployment.
const folder = new URL('./console/dist/', import.meta.url)

export const routes = pageRoutes({
  path: '/',
  partsPath: '/console',
  parts: ['page.js', 'page.css', 'icon.svg'],
  folder,
})

export const createHandler = (wire: Wire) => apiHandler(routes, wire)

export const handler = createHandler(wireOnce)
