import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startXnat } from '../../infra/local/xnat-server/server.ts'

const main = fileURLToPath(new URL('../../infra/local/xnat-server/main.ts', import.meta.url))
/** The program's own folder for temporary files, to see what it leaves there. */
let scratch: string

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'run-alone-'))
})

afterEach(() => rm(scratch, { recursive: true, force: true }))

describe('npm run xnat', () => {
  it('prints a URL, an account and two commands that work, and ends cleanly with Ctrl-C', async () => {
    const env = { ...process.env, TMPDIR: scratch }
    const child = spawn(process.execPath, [main, '--port', '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    const [output] = await once(child.stdout, 'data')
    const commands = [...String(output).matchAll(/^curl -u (\S+) '(\S+)'$/gm)]
    expect(commands).toHaveLength(2)
    for (const [, account = '', url = ''] of commands) {
      const reply = await fetch(url, { headers: { authorization: `Basic ${btoa(account)}` } })
      expect(reply.status).toBe(200)
      expect(await reply.text()).toMatch(/"Result":\[\{/)
    }
    child.kill('SIGINT')
    expect(await exited).toEqual([0, null])
    expect(await readdir(scratch)).toEqual([])
  })

  it('keeps its sample project in the folder it is given', async () => {
    for (let run = 0; run < 2; run += 1) {
      const child = spawn(process.execPath, [main, '--port', '0', '--keep', scratch], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exited = once(child, 'exit')
      const [output] = await once(child.stdout, 'data')
      expect(String(output)).toContain(`Kept in ${scratch}.`)
      child.kill('SIGTERM')
      expect(await exited).toEqual([0, null])
    }
    expect(await readdir(scratch)).toContain('records.jsonl')
  })
})

describe('startXnat', () => {
  it('fails on a port in use and leaves nothing behind', async () => {
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const dataDir = join(scratch, 'data')
    await expect(startXnat({ port, dataDir })).rejects.toThrow(/EADDRINUSE/)
    other.close()
    const again = await startXnat({ dataDir })
    await again.stop()
  })
})
