// Routes XNAT has and the stand-in has not. They must be known: else the path would fall back to a shorter route and
// be answered with something else (XNATApplication.java).
import type { Exchange, Methods } from '../exchange.ts'
import { notCovered } from '../http-failure.ts'
import { archiveRoutes, type Route } from '../router.ts'

const refuse = ({ method, rawPath }: Exchange): never => {
  throw notCovered(method, rawPath)
}
const methods: Methods = { GET: refuse, PUT: refuse, POST: refuse, DELETE: refuse }

const session = '/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}/experiments/{ASSESSED_ID}'
const archived = [
  '/investigators',
  '/projects/{PROJECT_ID}/pipelines',
  '/projects/{PROJECT_ID}/archive_spec',
  '/projects/{PROJECT_ID}/searches/{SEARCH_ID}',
  '/projects/{PROJECT_ID}/groups',
  '/projects/{PROJECT_ID}/scan_types',
  '/projects/{PROJECT_ID}/protocols/{PROTOCOL_ID}',
  '/scan_types',
  '/scanners',
  `${session}/reconstructions`,
  `${session}/scans/{SCAN_ID}/DICOMDIR`,
  '/experiments/{ASSESSED_ID}/reconstructions',
  '/experiments/{ASSESSED_ID}/scans/{SCAN_ID}/DICOMDIR',
  '/experiments/{EXPT_ID}/DIR',
  '/projects/{PROJECT_ID}/experiments/{EXPT_ID}/DIR',
  '/experiments/{EXPT_ID}/XAR',
  '/projects/{PROJECT_ID}/experiments/{EXPT_ID}/XAR',
]
const plain = [
  '/projects/{PROJECT_ID}/pars',
  '/projects/{PROJECT_ID}/config',
  '/projects/{PROJECT_ID}/automation',
  '/search',
  '/pars',
  '/user/cache',
  '/config',
  '/services',
  '/automation',
  '/status',
  '/workflows',
]

export const uncoveredRoutes: Route[] = [
  ...archived.flatMap((template) => archiveRoutes(template, methods)),
  ...plain.map((template) => ({ template, methods })),
]
