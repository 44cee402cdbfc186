// What callers see of a sign-in that XNAT does not grant (1.2). A refused password is not tried again for a minute, so
// each refusal has a function of its own, and is the last that is asked of it.
import { type Row, xnatIsBusy } from './contract.ts'

const signIn = 'POST /data/JSESSION'

export const signInRefused: readonly Row[] = [
  {
    name: 'a wrong password',
    request: 'GET /users',
    given: { xnat: { [signIn]: { status: 401, body: '<h3>wrong password of service</h3>' } } },
    status: 502,
    detail: 'Failed to authenticate with XNAT: XNAT refused the service account.',
    differs: 'signIn',
  },
  {
    name: 'an answer that is empty',
    request: 'GET /projects/',
    given: { xnat: { [signIn]: { status: 200 } } },
    status: 502,
    detail: 'Invalid authentication response from XNAT: XNAT gave an answer that could not be understood.',
    differs: 'signIn',
  },
  {
    name: 'a site that is not set up',
    request: 'GET /projects/',
    given: { xnat: { [signIn]: { status: 403, body: 'Site has not yet been configured.' } } },
    status: 502,
    detail: 'Failed to authenticate with XNAT: XNAT does not allow the service account to do this.',
    differs: 'signIn',
  },
  {
    name: 'a busy site',
    request: 'GET /projects/',
    given: { xnat: { [signIn]: xnatIsBusy } },
    status: 503,
    detail: 'Failed to authenticate with XNAT: XNAT is busy. Try again later.',
    with: { 'retry-after': '120' },
    differs: 'signIn',
  },
  {
    name: 'a site that fails',
    request: 'GET /projects/',
    given: { xnat: { [signIn]: { status: 500 } } },
    status: 503,
    detail: 'Failed to authenticate with XNAT: XNAT cannot be reached. Try again later.',
    with: { 'retry-after': '30' },
    differs: 'signIn',
  },
  {
    name: 'a password that was good before: too many sessions, which passes',
    request: 'GET /imaging/ping_pacs',
    given: {
      before: [['GET /imaging/ping_pacs']],
      xnat: { 'GET /xapi/pacs': { status: 401 }, [signIn]: { status: 401 } },
    },
    status: 503,
    detail: 'Failed to authenticate with XNAT: XNAT is busy. Try again later.',
    with: { 'retry-after': '60' },
    differs: 'signIn',
  },
]
