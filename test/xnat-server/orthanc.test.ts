// DQR against a real PACS: Debian's Orthanc, which is started here and stopped again.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sampleStudies } from '../../infra/local/sample-studies.ts'
import { addArchive, type Site, startSite } from './site.ts'

const isInstalled = spawnSync('Orthanc', ['--version']).status === 0
const reason = 'Orthanc is not installed (Debian: apt-get install orthanc)'

interface Orthanc {
  address: string
  url: string
  stop(): Promise<void>
}

async function startOrthanc(): Promise<Orthanc> {
  const folder = await mkdtemp(join(tmpdir(), 'orthanc-'))
  const port = await freePort()
  const settings = {
    StorageDirectory: folder,
    IndexDirectory: folder,
    HttpPort: port,
    // Orthanc 1.10 cannot be bound to one address; so it turns away whoever is not on this machine.
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    DicomServerEnabled: false,
    Plugins: [],
  }
  const file = join(folder, 'orthanc.json')
  await writeFile(file, JSON.stringify(settings))
  const child = spawn('Orthanc', [file], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await answers(url, child)
  } catch (error) {
    await stop()
    throw error
  }
  return { address: `orthanc://127.0.0.1:${port}`, url, stop }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    if (child.exitCode !== null) throw new Error(`Orthanc ended with ${child.exitCode}`)
    const isUp = await fetch(`${url}/system`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return
    await sleep(100)
  }
  throw new Error('Orthanc did not answer within ten seconds')
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

interface Study {
  studyInstanceUid: string
  accessionNumber: string
  modalitiesInStudy: string[]
}

describe('DQR with an Orthanc behind it', () => {
  let orthanc: Orthanc
  let site: Site

  beforeEach(({ skip }) => skip(!isInstalled, reason))

  beforeAll(async () => {
    if (!isInstalled) return
    orthanc = await startOrthanc()
    for (const { bytes } of sampleStudies()) {
      const reply = await fetch(`${orthanc.url}/instances`, { method: 'POST', body: new Uint8Array(bytes) })
      expect(reply.status).toBe(200)
    }
    site = await startSite({ orthanc: orthanc.address })
    await addArchive(site)
    site.server.pacs.register({ projects: ['P1'] })
  }, 30_000)

  afterAll(async () => {
    await site?.stop()
    await orthanc?.stop()
  })

  const query = async (criteria: object): Promise<Study[]> => {
    const answer = await site.send('POST /xapi/dqr/query/studies', { body: JSON.stringify({ pacsId: 1, ...criteria }) })
    return answer.status === 204 ? [] : (answer.json() as Study[])
  }

  it('is pinged', async () => {
    expect((await site.send('GET /xapi/pacs/1/status')).json()).toMatchObject({ successful: true })
  })

  it('finds by accession number, with wildcards, by date, modality and UID', async () => {
    const all = await query({})
    expect(all).toHaveLength(3)
    const [study] = all
    const one = { accessionNumber: study?.accessionNumber }
    expect(await query(one)).toEqual([study])
    expect(await query({ accessionNumber: `${study?.accessionNumber.slice(0, 2)}*` })).toContainEqual(study)
    expect(await query({ studyInstanceUid: study?.studyInstanceUid })).toEqual([study])
    expect(await query({ modality: 'CT' })).toMatchObject([{ modalitiesInStudy: ['CT'] }])
    expect(await query({ studyDateRange: { start: '20240101', end: '20240103' } })).toHaveLength(3)
    expect(await query({ studyDateFrom: '20250101' })).toEqual([])
    expect(await query({ accessionNumber: 'none' })).toEqual([])
  })

  it('retrieves a study, relabelled, into the archive', async () => {
    const [study] = await query({ modality: 'CT' })
    const wanted = { studyInstanceUid: study?.studyInstanceUid, relabelMap: { Subject: 'SUBJ', Session: 'SESS' } }
    const body = JSON.stringify({ pacsId: 1, aeTitle: 'XNAT', port: 8104, projectId: 'P1', studies: [wanted] })
    expect((await site.send('POST /xapi/dqr/import', { body })).json()).toHaveLength(1)
    await site.server.clock.advance(60_000)
    expect((await site.send('GET /xapi/dqr/import/history')).json()).toMatchObject([{ status: 'RECEIVED' }])
    const session = '/data/projects/P1/subjects/SUBJ/experiments/SESS'
    const sent = [...sampleStudies()].filter(({ relativePath }) => relativePath.includes('/CT/'))
    const scans = (await site.send(`GET ${session}/scans`)).rows()
    const files = await Promise.all(
      scans.map(async ({ ID }) => (await site.send(`GET ${session}/scans/${ID}/resources/DICOM/files`)).rows().length),
    )
    expect(files.reduce((sum, count) => sum + count, 0)).toBe(sent.length)
  })

  it('is down for DQR once it is stopped', async () => {
    await orthanc.stop()
    expect((await site.send('GET /xapi/pacs/1/status')).json()).toMatchObject({ successful: false })
    const answer = await site.send('POST /xapi/dqr/query/studies', { body: '{"pacsId":1}' })
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(/^A DQR run-time exception/)])
  })
})
