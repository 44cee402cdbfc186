// Version and configuration of the site (SiteConfigApi.java, XnatAppInfo.java).
import * as z from 'zod'
import type { Exchange } from '../exchange.ts'
import { type Reply, textReply } from '../reply.ts'
import { mayReadProperty, setSiteProperty, siteProperties } from '../site-properties.ts'
import { bareReply, forbidden, readJson, requireAdmin, xapiFailure, xapiJson, xapiRoute } from '../xapi.ts'

const buildInfo = ({ xnat }: Exchange) => ({
  version: xnat.state.switches.version,
  buildNumber: 'stand-in',
  buildDate: '2024-06-01',
  sha: '0000000',
  isDirty: 'false',
  timestamp: '1717200000000',
  hostName: 'localhost',
  displayHostName: 'never',
  nodeId: '',
})

const isOpen = true

export const siteXapiRoutes = [
  xapiRoute('/siteConfig', { GET: showReadable, POST: setProperties }),
  xapiRoute('/siteConfig/buildInfo', { GET: (exchange) => xapiJson(buildInfo(exchange)) }, { isOpen }),
  xapiRoute('/siteConfig/buildInfo/{PROPERTY}', { GET: showBuildProperty }),
  xapiRoute('/siteConfig/uptime', { GET: (exchange) => xapiJson(uptime(exchange)) }),
  xapiRoute('/siteConfig/uptime/display', { GET: showUptime }),
  xapiRoute('/siteConfig/values/{PROPERTIES}', { GET: showValues }),
  // XNAT: these four are open URLs, of which only the buildInfo above has a route of its own (configured-urls.yaml).
  xapiRoute(
    '/siteConfig/(?<PROPERTY>siteHome|siteId|siteLogoPath|siteUrl)',
    { GET: showProperty, POST: setProperty },
    { isOpen },
  ),
  xapiRoute('/siteConfig/{PROPERTY}', { GET: showProperty, POST: setProperty }),
]

function showReadable(exchange: Exchange): Reply {
  const readable = [...siteProperties(exchange.xnat)].filter(([name]) => mayReadProperty(name, exchange))
  return xapiJson(Object.fromEntries(readable))
}

function showValues(exchange: Exchange): Reply {
  const names = (exchange.params['PROPERTIES'] ?? '').split(',')
  if (!names.every((name) => mayReadProperty(name, exchange))) throw forbidden()
  const properties = siteProperties(exchange.xnat)
  return xapiJson(Object.fromEntries([...properties].filter(([name]) => names.includes(name))))
}

function showProperty(exchange: Exchange): Reply {
  const name = exchange.params['PROPERTY'] ?? ''
  if (!mayReadProperty(name, exchange)) throw forbidden()
  const properties = siteProperties(exchange.xnat)
  if (!properties.has(name)) {
    const detail = `No site configuration property named ${name}`
    throw xapiFailure(404, `Unable to find requested file or resource: ${detail}`)
  }
  const value = properties.get(name)
  // Spring: a text is written as it is, without quotes, whatever the type says (StringHttpMessageConverter).
  return typeof value === 'string' ? textReply(value) : xapiJson(value)
}

async function setProperties(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  const properties = await readJson(exchange, z.record(z.string(), z.unknown()))
  for (const [name, value] of Object.entries(properties)) setSiteProperty(exchange.xnat, name, value)
  return bareReply(200)
}

async function setProperty(exchange: Exchange): Promise<Reply> {
  requireAdmin(exchange)
  let value = ''
  for await (const chunk of exchange.request) value += chunk
  setSiteProperty(exchange.xnat, exchange.params['PROPERTY'] ?? '', value)
  return bareReply(200)
}

function showBuildProperty(exchange: Exchange): Reply {
  const value = new Map<string, string>(Object.entries(buildInfo(exchange))).get(exchange.params['PROPERTY'] ?? '')
  if (value === undefined) throw xapiFailure(404, 'Unable to find requested file or resource')
  return textReply(value)
}

function uptime({ xnat }: Exchange): Record<string, string> {
  const seconds = (xnat.now().getTime() - xnat.startedAt.getTime()) / 1000
  const whole = { days: seconds / 86_400, hours: (seconds / 3600) % 24, minutes: (seconds / 60) % 60 }
  const parts = Object.entries(whole).flatMap(([unit, count]) => (count < 1 ? [] : [[unit, String(Math.floor(count))]]))
  return { ...Object.fromEntries(parts), seconds: (seconds % 60).toFixed(3) }
}

function showUptime(exchange: Exchange): Reply {
  const parts = Object.entries(uptime(exchange)).map(([unit, count]) => `${count} ${unit}`)
  return textReply(parts.join(', '))
}
