import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  ensureExperiment,
  ensureScan,
  findExperiment,
  findSubjectById,
  listExperiments,
  listSubjects,
} from '../../lib/xnat/archive.ts'
import { listAssessors } from '../../lib/xnat/assessors.ts'
import { setSubscriptionActive } from '../../lib/xnat/automation.ts'
import type { XnatClient } from '../../lib/xnat/client.ts'
import type { RequestRecord } from '../../lib/xnat/client-options.ts'
import { enableWrapper } from '../../lib/xnat/commands.ts'
import { listDataFields } from '../../lib/xnat/data-types.ts'
import { deleteFile, deleteResource } from '../../lib/xnat/delete-files.ts'
import { dumpDicom } from '../../lib/xnat/dicom-dump.ts'
import { finishDirectArchive } from '../../lib/xnat/direct-archive.ts'
import { downloadArchive } from '../../lib/xnat/downloads.ts'
import { isDqrEnabled } from '../../lib/xnat/dqr.ts'
import { importDicomArchive } from '../../lib/xnat/import.ts'
import { deletePrearchiveSession } from '../../lib/xnat/prearchive.ts'
import { listPrearchiveFiles, openPrearchiveFile } from '../../lib/xnat/prearchive-files.ts'
import { deleteProject, findProject, findProjectBySecondaryId, setMember } from '../../lib/xnat/projects.ts'
import { deleteRecord, renameRecord, setFields, shareRecord } from '../../lib/xnat/records.ts'
import { refreshCatalog } from '../../lib/xnat/refresh-catalog.ts'
import { ensureResource, listFiles, listParentFiles, openFile, putFile } from '../../lib/xnat/resources.ts'
import { issueToken, validateToken } from '../../lib/xnat/tokens.ts'
import { findUser } from '../../lib/xnat/users.ts'
import { createClient, startScriptedXnat } from './scripted-xnat.ts'

const source = { openBody: () => Readable.from([Buffer.from('x')]), sizeBytes: 1 }
const xsiType = 'xnat:mrSessionData'
const waiting = { projectId: 'P', timestamp: '20260301_101500123', folder: 'MR1' }

/** One call per place that a value from outside can stand in. */
const calls: Record<string, (client: XnatClient, value: string) => Promise<unknown>> = {
  findProject: (client, value) => findProject(client, value),
  findProjectBySecondaryId: (client, value) => findProjectBySecondaryId(client, value),
  deleteProject: (client, value) => deleteProject(client, value),
  'setMember project': (client, value) => setMember(client, { projectId: value, role: 'member', login: 'a' }),
  'setMember login': (client, value) => setMember(client, { projectId: 'P', role: 'member', login: value }),
  listSubjects: (client, value) => listSubjects(client, { projectId: value }),
  listExperiments: (client, value) => listExperiments(client, { projectId: value }),
  findExperiment: (client, value) => findExperiment(client, { projectId: 'P', experiment: value }),
  'ensureExperiment subject': (client, value) =>
    ensureExperiment(client, { projectId: 'P', subjectLabel: value, label: 'E', xsiType }),
  'ensureExperiment type': (client, value) =>
    ensureExperiment(client, { projectId: 'P', subjectLabel: 'S', label: 'E', xsiType: value }),
  ensureScan: (client, value) => ensureScan(client, { experimentId: 'E', scanId: value, xsiType }),
  listAssessors: (client, value) => listAssessors(client, { experimentId: value }),
  deleteRecord: (client, value) => deleteRecord(client, { kind: 'scan', experimentId: 'E', scanId: value }),
  shareRecord: (client, value) =>
    shareRecord(client, { kind: 'subject', projectId: 'P', subject: 'S' }, { projectId: value }),
  renameRecord: (client, value) =>
    renameRecord(client, { kind: 'subject', projectId: 'P', subject: 'S' }, { label: value }),
  setFields: (client, value) => setFields(client, { kind: 'experiment', experimentId: 'E' }, { [value]: value }),
  'ensureResource label': (client, value) =>
    ensureResource(client, { parent: { level: 'project', projectId: 'P' }, resourceLabel: value }),
  'listFiles assessor': (client, value) =>
    listFiles(client, {
      parent: { level: 'assessor', experimentId: 'E', assessorId: value, direction: 'in' },
      resourceLabel: 'R',
    }),
  'putFile path': (client, value) =>
    putFile(client, { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' }, value, source),
  'putFile format': (client, value) =>
    putFile(client, { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' }, 'a', source, {
      format: value,
    }),
  openFile: (client, value) =>
    openFile(client, { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' }, value),
  deleteFile: (client, value) =>
    deleteFile(client, { parent: { level: 'project', projectId: 'P' }, resourceLabel: 'R' }, value),
  refreshCatalog: (client, value) =>
    refreshCatalog(client, { parent: { level: 'experiment', experimentId: value }, resourceLabel: 'R' }),
  downloadArchive: (client, value) => downloadArchive(client, { kind: 'scans', experimentId: 'E', scanIds: [value] }),
  deletePrearchiveSession: (client, value) =>
    deletePrearchiveSession(client, { projectId: 'P', timestamp: value, folder: 'F' }),
  importDicomArchive: (client, value) =>
    importDicomArchive(
      client,
      { format: 'zip', ...source },
      { kind: 'archive', projectId: 'P', subject: value, experiment: 'E' },
    ),
  finishDirectArchive: (client, value) =>
    finishDirectArchive(client, { projectId: 'P', studyInstanceUid: '1.2', label: value }),
  isDqrEnabled: (client, value) => isDqrEnabled(client, value),
  enableWrapper: (client, value) => enableWrapper(client, { commandId: 1, wrapperName: value, projectId: 'P' }),
  dumpDicom: (client, value) =>
    dumpDicom(client, { projectId: 'P', subject: 'S', experiment: 'E', scanId: '1', file: value }),
  findSubjectById: (client, value) => findSubjectById(client, value),
  listParentFiles: (client, value) => listParentFiles(client, { level: 'scan', experimentId: 'E', scanId: value }),
  deleteResource: (client, value) =>
    deleteResource(client, { parent: { level: 'experiment', experimentId: value }, resourceLabel: 'R' }),
  listPrearchiveFiles: (client, value) => listPrearchiveFiles(client, waiting, { scanId: value }),
  openPrearchiveFile: (client, value) => openPrearchiveFile(client, waiting, { scanId: '1', name: value }),
  'dumpDicom prearchive': (client, value) => dumpDicom(client, { prearchive: { ...waiting, folder: value } }),
  'setSubscriptionActive project': (client, value) =>
    setSubscriptionActive(client, { projectId: value, subscriptionId: 1, isActive: true }),
  listDataFields: (client, value) => listDataFields(client, value),
  findUser: (client, value) => findUser(client, value),
  issueToken: (client, value) => issueToken(client, { username: value }),
  validateToken: (client, value) => validateToken(client, { alias: 'a', secret: value }),
}

const hostile = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    '../..',
    'a/../b',
    '%2e%2e',
    'a?x=y',
    'a#b',
    'a&format=xml',
    'a b',
    '/',
    '//x',
    'a\r\nX: y',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(fc.constantFrom('..', '/', '%', '?', '#', '&', '=', ';', '\\', 'a', ' ', '+'), { maxLength: 6 })
    .map((all) => all.join('')),
  fc.stringMatching(/^[\w.-]{1,8}$/),
)

it.each(Object.entries(calls))('%s keeps to its paths, whatever it is given', async (_, call) => {
  const records: RequestRecord[] = []
  const xnat = await startScriptedXnat((request, response) => {
    request.resume()
    request.once('end', () => response.writeHead(404, { 'content-type': 'text/plain' }).end())
  })
  const { client } = createClient(xnat.url, { retry: { attempts: 1 }, onRequest: (record) => records.push(record) })
  await fc.assert(
    fc.asyncProperty(hostile, async (value) => {
      records.length = 0
      xnat.seen.length = 0
      await call(client, value).catch(onlyRefusals)
      const templates = records.filter(({ pathTemplate }) => pathTemplate !== '/data/JSESSION')
      expect(templates).toHaveLength(xnat.seen.length)
      for (const [index, { method, path }] of xnat.seen.entries()) {
        const { pathname } = new URL(path, xnat.url)
        expect(path.startsWith(pathname)).toBe(true)
        expect(pathname).toMatch(patternOf(templates[index]?.pathTemplate ?? ''))
        expect(method).toBe(templates[index]?.method)
      }
    }),
    { numRuns: 60 },
  )
})

function patternOf(template: string): RegExp {
  const pattern = template
    .replace(/[.]/g, '\\.')
    .replaceAll('{file}', '[^?#]+')
    .replace(/\{\w+\}/g, '[^/?#]+')
  return new RegExp(`^${pattern}$`)
}

function onlyRefusals(error: unknown): void {
  expect(error).toMatchObject({ name: expect.stringMatching(/^(?:InvalidInputError|XnatError)$/) })
}
