import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addArchive, scanFiles, session, startSite } from './site.ts'
import { addProjects, scanFiles as filesByScan, imported, minuteMs, prearchived } from './studies.ts'

const bytes = { 'content-type': 'application/octet-stream' }
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'restart-'))
})

afterEach(() => rm(dataDir, { recursive: true, force: true }))

describe('a kept data folder', () => {
  it('holds everything after a restart but the logins, and goes on counting', async () => {
    const first = await startSite({ dataDir })
    await addArchive(first)
    await first.send(`PUT ${scanFiles}/sub/a?inbody=true&format=F&tags=t1`, { headers: bytes, body: 'abc' })
    await first.send(`DELETE ${session}/assessors/A1`)
    const login = await first.send('GET /data/JSESSION')
    const before = await Promise.all([first.send(`GET ${session}?format=json`), first.send(`GET ${scanFiles}`)])
    await first.stop()

    const second = await startSite({ dataDir })
    try {
      const after = await Promise.all([second.send(`GET ${session}?format=json`), second.send(`GET ${scanFiles}`)])
      expect(after.map(({ text }) => text)).toEqual(before.map(({ text }) => text))
      expect((await second.send(`GET ${scanFiles}/sub/a`)).text).toBe('abc')
      const headers = { cookie: `JSESSIONID=${login.text}` }
      expect((await second.send('GET /data/auth', { as: 'nobody', headers })).status).toBe(401)
      // The deleted assessor had number 2.
      expect((await second.send(`PUT ${session}X?xsiType=xnat:mrSessionData`)).text).toBe('XNAT_E00003')
    } finally {
      await second.stop()
    }
  })

  it('opens again when its last line was torn by a crash', async () => {
    const first = await startSite({ dataDir })
    await addArchive(first)
    await first.stop()
    await appendFile(join(dataDir, 'records.jsonl'), '{"table":"projects","key":"HALF","rec')
    const second = await startSite({ dataDir })
    expect((await second.send('GET /data/projects')).rows().map((row) => row['ID'])).toEqual(['P1'])
    await second.stop()
  })

  it('ends the archiving of a session whose folder had been moved when it was killed', async () => {
    const first = await startSite({ dataDir })
    await addProjects(first)
    first.server.state.arrange({ prearchiveHangsIn: 'ARCHIVING' })
    await imported(first, 'project=AUTO&subject=S1&session=E1')
    await first.server.clock.advance(5 * minuteMs)
    const [entry] = first.server.state.prearchive.all()
    expect(entry?.status).toBe('ARCHIVING')
    await first.stop()
    await mkdir(join(dataDir, 'archive/AUTO/arc001'), { recursive: true })
    await rename(join(dataDir, `prearchive/${entry?.receivedId}`), join(dataDir, 'archive/AUTO/arc001/E1'))

    const second = await startSite({ dataDir })
    second.server.state.arrange({ prearchiveHangsIn: 'nowhere' })
    await second.server.clock.advance(6 * minuteMs)
    expect(await filesByScan(second, 'AUTO', 'E1')).toEqual({ 1: 2, 2: 2 })
    expect(await prearchived(second, 'AUTO')).toEqual([])
    await second.stop()
  })

  it('knows all that was acknowledged before the process was killed', async () => {
    const script = join(dataDir, 'server.ts')
    const server = new URL('../../infra/local/xnat-server/server.ts', import.meta.url).href
    await writeFile(
      script,
      `import { startXnat } from ${JSON.stringify(server)}
       const { url } = await startXnat({ dataDir: ${JSON.stringify(join(dataDir, 'data'))} })
       console.log(url)`,
    )
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const url = await firstLine(child)
    const headers = { authorization: `Basic ${btoa('admin:stand-in-password')}` }
    for (const path of ['P1', 'P1/resources/R']) {
      expect((await fetch(`${url}/data/projects/${path}`, { method: 'PUT', headers })).status).toBe(200)
    }
    const file = await fetch(`${url}/data/projects/P1/resources/R/files/a?inbody=true`, {
      method: 'PUT',
      headers: { ...headers, ...bytes },
      body: 'abc',
    })
    expect(file.status).toBe(200)
    child.kill('SIGKILL')
    await once(child, 'exit')

    const again = await startSite({ dataDir: join(dataDir, 'data') })
    expect((await again.send('GET /data/projects/P1/resources/R/files')).rows()).toMatchObject([
      { Name: 'a', Size: '3' },
    ])
    expect((await again.send('GET /data/projects/P1/resources/R/files/a')).text).toBe('abc')
    await again.stop()
  })
})

describe('a stand-in without a data folder', () => {
  it('leaves nothing behind when it stops', async () => {
    const site = await startSite()
    await addArchive(site)
    await site.send(`PUT ${scanFiles}/a?inbody=true`, { headers: bytes, body: 'abc' })
    const { absolutePath = '' } = (await site.send(`GET ${scanFiles}?locator=absolutePath`)).rows()[0] ?? {}
    const folder = absolutePath.split('/archive/')[0] ?? ''
    await site.stop()
    await expect(appendFile(join(folder, 'records.jsonl'), '')).rejects.toThrow(/ENOENT/)
  })
})

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output to read')
  const [chunk] = await once(child.stdout, 'data')
  return String(chunk).trim()
}
