import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { ensureExperiment, ensureScan } from '../../lib/xnat/archive.ts'
import { createProject } from '../../lib/xnat/projects.ts'
import { putFile, type ResourceParent } from '../../lib/xnat/resources.ts'
import { listScanFiles } from '../../lib/xnat/session-files.ts'
import { startStandIn } from './stand-in.ts'

async function startWithSession() {
  const { client } = await startStandIn()
  await createProject(client, { projectId: 'P' })
  const wanted = { projectId: 'P', subjectLabel: 'S1', label: 'MR1', xsiType: 'xnat:mrSessionData' }
  const { experimentId } = await ensureExperiment(client, wanted)
  const put = (parent: ResourceParent, path: string) =>
    putFile(client, { parent, resourceLabel: 'DICOM' }, path, {
      openBody: () => Readable.from([Buffer.from('content')]),
      sizeBytes: 7,
    })
  return { client, experimentId, put }
}

it("does not take a session's own files for those of its scans", async () => {
  const { client, experimentId, put } = await startWithSession()
  await put({ level: 'experiment', experimentId }, 'own.dcm')
  expect(await listScanFiles(client, { experimentId })).toEqual({ scans: [], files: [] })

  await ensureScan(client, { experimentId, scanId: '1', xsiType: 'xnat:mrScanData' })
  expect(await listScanFiles(client, { experimentId })).toMatchObject({ scans: [{ scanId: '1' }], files: [] })
})

it('lists the files of all scans, each with its resource', async () => {
  const { client, experimentId, put } = await startWithSession()
  for (const scanId of ['1', '2']) {
    await ensureScan(client, { experimentId, scanId, xsiType: 'xnat:mrScanData' })
    await put({ level: 'scan', experimentId, scanId }, 'a.dcm')
  }

  const { scans, files } = await listScanFiles(client, { experimentId })

  expect(scans.map(({ scanId }) => scanId).toSorted()).toEqual(['1', '2'])
  expect(files).toHaveLength(2)
  expect(files).toEqual(
    expect.arrayContaining(
      ['1', '2'].map((scanId) =>
        expect.objectContaining({ scanId, resourceLabel: 'DICOM', path: 'a.dcm', sizeBytes: 7 }),
      ),
    ),
  )
  expect(new Set(files.map(({ resourceId }) => resourceId)).size).toBe(2)
})

it('tells when there is no such session', async () => {
  const { client } = await startWithSession()
  await expect(listScanFiles(client, { experimentId: 'XNAT_E99999' })).rejects.toMatchObject({ code: 'XNAT_NOT_FOUND' })
})
