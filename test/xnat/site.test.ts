import { expect, it } from 'vitest'
import { findContainerHost, listSiteWrappers } from '../../lib/xnat/commands.ts'
import { getDqrSettings } from '../../lib/xnat/dqr.ts'
import { canRelabel, listReceivers } from '../../lib/xnat/receivers.ts'
import { findPlugin, getSiteSettings } from '../../lib/xnat/site.ts'
import { countOwnSessions, listRoles } from '../../lib/xnat/users.ts'
import { basic } from '../support/plain-http.ts'
import { createClient, startScriptedXnat } from './scripted-xnat.ts'
import { clientOf, startStandIn } from './stand-in.ts'

it('reads settings of the site, for administrators', async () => {
  const { xnat, client } = await startStandIn()
  xnat.state.configure({ checksums: false, concurrentMaxSessions: 7 })
  xnat.state.addUser({ username: 'reader' })

  expect(await getSiteSettings(client)).toEqual({
    siteUrl: xnat.url,
    concurrentMaxSessions: 7,
    passwordExpirationType: 'Interval',
    passwordComplexity: '^.*$',
    projectAllowAutoArchive: true,
    checksums: false,
    enableSitewideSeriesImportFilter: false,
    enableDicomReceiver: true,
  })
  await expect(getSiteSettings(clientOf(xnat, { user: 'reader' }))).rejects.toMatchObject({ code: 'XNAT_FORBIDDEN' })
})

it('reads settings that were kept as texts, and does without those that a version has not', async () => {
  const xnat = await startScriptedXnat((_, response) => {
    response.end('{"checksums":"false","projectAllowAutoArchive":"true","concurrentMaxSessions":"1000"}')
  })
  expect(await getSiteSettings(createClient(xnat.url).client)).toEqual({
    checksums: false,
    projectAllowAutoArchive: true,
    concurrentMaxSessions: 1000,
  })
})

it('finds plug-ins that are there', async () => {
  const { xnat, client } = await startStandIn()
  expect(await findPlugin(client, 'dicom-query-retrieve')).toEqual({ id: 'dicom-query-retrieve', version: '2.2.0' })
  xnat.state.arrange({ plugins: ['containers'] })
  expect(await findPlugin(client, 'dicom-query-retrieve')).toBeUndefined()
  await expect(getDqrSettings(client)).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it('reads settings of DQR', async () => {
  const { client } = await startStandIn()
  expect(await getDqrSettings(client)).toEqual({
    callingAeTitle: 'XNAT',
    areAllProjectsEnabled: false,
    attempts: 5,
    waitBetweenAttemptsMs: 300_000,
  })
})

it('lists receivers, and tells which can relabel', async () => {
  const { xnat, client } = await startStandIn()
  const receiver = { aeTitle: 'XNAT', port: 8104 }
  expect(await listReceivers(client)).toEqual([
    {
      ...receiver,
      identifier: 'dicomObjectIdentifier',
      isEnabled: true,
      hasCustomProcessing: false,
      hasWhitelist: false,
    },
  ])
  expect(await canRelabel(client, receiver)).toBe(false)
  xnat.pacs.register()
  expect(await canRelabel(client, receiver)).toBe(true)
  xnat.state.arrange({ remappingProcessor: false })
  expect(await canRelabel(client, receiver)).toBe(false)
  await expect(canRelabel(client, { aeTitle: 'NO ONE', port: 1 })).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})

it('tells roles of an account, and how many sessions it has', async () => {
  const { xnat, client } = await startStandIn()
  xnat.state.addUser({ username: 'reader', roles: ['Dqr'] })
  const reader = clientOf(xnat, { user: 'reader' })

  expect(await listRoles(client, 'reader')).toEqual(['Dqr'])
  expect(await listRoles(reader, 'reader')).toEqual(['Dqr'])
  await expect(listRoles(reader, xnat.user)).rejects.toMatchObject({ code: 'XNAT_FORBIDDEN' })
  expect(await countOwnSessions(reader)).toBe(1)
})

it('tells which wrappers take a type of data, enabled or not, and whether containers can run', async () => {
  const { xnat, client } = await startStandIn()
  const wrapper = { name: 'w', contexts: ['xnat:imageScanData'], 'external-inputs': [{ name: 'scan', type: 'Scan' }] }
  const body = JSON.stringify({ name: 'c', image: 'i:1', xnat: [wrapper] })
  const headers = { 'content-type': 'application/json' }
  await fetch(`${xnat.url}/xapi/commands`, {
    method: 'POST',
    body,
    headers: { ...headers, ...basic(xnat.user, xnat.password) },
  })

  const found = { commandId: 1, wrapperId: 1, wrapperName: 'w', isEnabled: false }
  expect(await listSiteWrappers(client, 'xnat:ctScanData')).toEqual([found])
  expect(await listSiteWrappers(client, 'xnat:ctSessionData')).toEqual([])
  await expect(listSiteWrappers(client, 'xnat:noSuchData')).rejects.toMatchObject({ code: 'XNAT_REFUSED' })

  expect(await findContainerHost(client)).toEqual({ isReachable: true })
  xnat.state.arrange({ containerHost: 'unreachable' })
  expect(await findContainerHost(client)).toEqual({ isReachable: false })
  xnat.state.arrange({ containerHost: 'none' })
  expect(await findContainerHost(client)).toBeUndefined()
})
