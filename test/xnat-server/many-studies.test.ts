import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import type { PacsStudy, PacsStudyOrder } from '../../infra/local/xnat-server/dqr/pacs-study.ts'
import { fetchAccessionNumbers } from '../../lib/data-access/client.ts'
import { listExperiments } from '../../lib/xnat/archive.ts'
import { listExecutedRequests, listQueuedRequests, requestImport } from '../../lib/xnat/dqr-import.ts'
import { listPrearchive } from '../../lib/xnat/prearchive.ts'
import { listFiles, openFile } from '../../lib/xnat/resources.ts'
import { listScanFiles } from '../../lib/xnat/session-files.ts'
import { md5 } from '../support/delivery-rig.ts'
import { type ImportRig, startImportRig } from '../support/import-rig.ts'

const minuteMs = 60_000

let rig: ImportRig
afterEach(() => rig.stop())

async function importAll(studies: readonly PacsStudy[]): Promise<void> {
  for (let start = 0; start < studies.length; start += 100) {
    await requestImport(rig.xnat, {
      pacsId: 1,
      receiver: { aeTitle: 'XNAT', port: 8104 },
      projectId: rig.projectId,
      requestId: `R${start}`,
      studies: studies.slice(start, start + 100).map(({ studyInstanceUid, accessionNumber }) => ({
        studyInstanceUid,
        subjectLabel: `subject-${accessionNumber}`,
        sessionLabel: accessionNumber,
      })),
    })
  }
}

/** What becomes of every tenth, every twentieth and so on. */
function fateOf(index: number): Partial<PacsStudyOrder> {
  if (index % 10 === 1) return { fate: { kind: 'sends-nothing', history: 'ISSUED' } }
  if (index % 20 === 2) return { fate: { kind: 'gets-stuck', in: 'RECEIVING' } }
  if (index % 20 === 3) return { fate: { kind: 'gets-stuck', in: 'BUILDING' } }
  if (index % 20 === 4) return { fate: { kind: 'empty-shell', without: 'files' } }
  if (index % 20 === 5) return { fate: { kind: 'move-hangs', losesThread: true } }
  return {}
}

describe('a stand-in with many studies', () => {
  it('keeps each where its fate has it', async () => {
    rig = await startImportRig()
    const studies = rig.declare(400, fateOf)
    await importAll(studies)
    expect(await listQueuedRequests(rig.xnat)).toHaveLength(400)
    await rig.advance(60 * minuteMs)

    const executed = await listExecutedRequests(rig.xnat)
    const prearchived = await listPrearchive(rig.xnat, { projectId: rig.projectId })
    expect({
      archived: (await listExperiments(rig.xnat, { projectId: rig.projectId })).length,
      lost: executed.filter(({ status }) => status === 'ISSUED').length,
      stuck: prearchived.map(({ status }) => status).toSorted(),
      interrupted: (await listQueuedRequests(rig.xnat)).map(({ status }) => status),
    }).toEqual({
      archived: 300,
      lost: 60,
      stuck: [...Array(20).fill('BUILDING'), ...Array(20).fill('RECEIVING')],
      interrupted: Array(20).fill('PROCESSING'),
    })
    rig.standIn.pacs.decree({ kind: 'arrives' })
    expect(await listPrearchive(rig.xnat, { projectId: rig.projectId })).toEqual([])
  })

  it('shows sessions that were made by hand as it shows imported ones', async () => {
    rig = await startImportRig()
    const [imported, handmade, shell] = rig.declare(3) as [PacsStudy, PacsStudy, PacsStudy]
    await importAll([imported])
    await rig.advance(minuteMs)
    rig.archive([handmade])
    rig.archive([shell], { without: 'files' })

    const listed = await listExperiments(rig.xnat, { projectId: rig.projectId })
    expect(listed.map(({ label }) => label)).toEqual([imported, handmade, shell].map((each) => each.accessionNumber))
    const [first, ...others] = await Promise.all(listed.map((session) => listScanFiles(rig.xnat, session)))
    const ofAnySession = {
      resourceId: expect.any(String),
      sizeBytes: expect.any(Number),
      path: expect.stringMatching(/\.dcm$/),
      md5: expect.stringMatching(/^[0-9a-f]{32}$/),
    }
    expect(others).toEqual([
      { ...first, files: first?.files.map((file) => ({ ...file, ...ofAnySession })) },
      { ...first, files: [] },
    ])
    expect(first?.files).toHaveLength(1)
    const { experimentId } = listed[1]!
    const scan = { parent: { level: 'scan', experimentId, scanId: '1' }, resourceLabel: 'DICOM' } as const
    const [file] = await listFiles(rig.xnat, scan)
    const content = await buffer((await openFile(rig.xnat, scan, '1.dcm')).body)
    expect([content.length, md5(content)]).toEqual([file?.sizeBytes, file?.md5])
  })

  it('has a source of cohorts beside it', async () => {
    rig = await startImportRig()
    const accessionIds = rig.declare(3).map(({ accessionNumber }) => accessionNumber)
    rig.cohorts.arrange({ query: 'SELECT 1', accessionIds })
    const projectIds = { xnat: rig.projectId, hub: 'hub-1' }
    const { signal } = new AbortController()
    expect(await fetchAccessionNumbers(rig.dataAccess, { projectIds, query: 'SELECT 1', signal })).toEqual({
      accessionNumbers: accessionIds,
    })
  })
})
