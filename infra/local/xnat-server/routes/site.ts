// The corner of /xapi that sign-in needs (SiteConfigApi.java, UsersApi.java).
import type { Exchange, Methods } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { isAdmin } from '../permissions.ts'
import { jsonReply, type Reply, textReply } from '../reply.ts'

export const buildInfo = {
  version: '1.8.11',
  buildNumber: 'stand-in',
  buildDate: '2024-06-01',
  sha: '0000000',
  isDirty: 'false',
  timestamp: '1717200000000',
  hostName: 'localhost',
  displayHostName: 'never',
  nodeId: '',
} as const

/** Exact paths, unlike those under /data. */
export const xapiRoutes: { pattern: RegExp; isOpen: boolean; methods: Methods }[] = [
  { pattern: /^\/siteConfig\/buildInfo$/, isOpen: true, methods: { GET: () => jsonReply(buildInfo) } },
  { pattern: /^\/siteConfig\/buildInfo\/(?<property>\w+)$/, isOpen: false, methods: { GET: showBuildProperty } },
  {
    pattern: /^\/siteConfig\/siteId$/,
    isOpen: true,
    methods: { GET: ({ xnat }) => textReply(xnat.state.settings.siteId) },
  },
  { pattern: /^\/siteConfig\/siteUrl$/, isOpen: true, methods: { GET: ({ xnat }) => textReply(xnat.siteUrl()) } },
  { pattern: /^\/users$/, isOpen: false, methods: { GET: listUsernames } },
  {
    pattern: /^\/users\/username$/,
    isOpen: false,
    methods: { GET: ({ user }) => textReply(user?.username ?? 'guest') },
  },
]

function showBuildProperty({ params }: Exchange): Reply {
  const value = new Map<string, string>(Object.entries(buildInfo)).get(params['property'] ?? '')
  if (value === undefined) throw new HttpFailure(404, 'Unable to find requested file or resource', { voice: 'plain' })
  return textReply(value)
}

function listUsernames({ xnat, user }: Exchange): Reply {
  if (xnat.state.settings.restrictUserListAccessToAdmins && !isAdmin(user))
    throw new HttpFailure(403, '', { voice: 'empty' })
  return jsonReply(xnat.state.users.all().map(({ username }) => username))
}
