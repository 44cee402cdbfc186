// Python clients of XNAT, unmodified and not part of this repository, against the stand-in. A client is looked for in
// the folder its variable names, else among the packages of the system's Python.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeSampleStudies } from '../../infra/local/sample-studies.ts'
import { startXnat } from '../../infra/local/xnat-server/server.ts'
import { runPython, whyNotImported } from '../support/python.ts'

interface Client {
  name: string
  module: string
  dirVariable: string
}

const clients: Client[] = [
  { name: 'pyxnat', module: 'pyxnat', dirVariable: 'PYXNAT_DIR' },
  { name: 'xnatpy', module: 'xnat', dirVariable: 'XNATPY_DIR' },
]

describe('the stand-in XNAT', () => {
  for (const client of clients) {
    it(`takes ${client.name} through everything its users do`, { timeout: 120_000 }, async ({ skip }) => {
      const missing = whyMissing(client)
      // Reporters keep the reason of a skipped test to themselves.
      if (missing !== undefined) process.stderr.write(`${client.name} is not tried: ${missing}\n`)
      skip(missing !== undefined, missing)
      await travel(client)
    })
  }
})

function whyMissing({ module, dirVariable }: Client): string | undefined {
  const reason = whyNotImported(importOf(module), pythonEnv(dirVariable))
  return reason && `${reason}; ${dirVariable} names its checkout`
}

/** Debian calls progressbar2 by that name, and xnatpy by the one it has elsewhere. */
function importOf(module: string): string {
  return `import sys
try:
    import progressbar2
    sys.modules.setdefault('progressbar', progressbar2)
except ImportError:
    pass
import ${module}`
}

async function travel({ name, dirVariable }: Client): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), `${name}-`))
  const server = await startXnat()
  try {
    server.state.addUser({ username: 'journeyman' })
    const work = join(dir, 'work')
    await mkdir(work)
    await writeSampleStudies(join(dir, 'dicom'))
    const { out, log, status } = await runPython(join(import.meta.dirname, `${name}-journey.py`), {
      env: {
        ...pythonEnv(dirVariable),
        HOME: work,
        XNAT_URL: server.url,
        XNAT_USER: server.user,
        XNAT_PASSWORD: server.password,
        JOURNEY_DIR: work,
        DICOM_DIR: join(dir, 'dicom'),
      },
    })
    const lines = out.trim().split('\n')
    expect(lines.filter((line) => line.startsWith('FAIL')).join('\n'), log).toBe('')
    expect(lines.at(-1), log).toMatch(/^\d+ steps ok$/)
    expect(status, log).toBe(0)
  } finally {
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

function pythonEnv(dirVariable: string): Record<string, string> {
  const dir = process.env[dirVariable]
  return {
    PATH: process.env['PATH'] ?? '',
    PYTHONDONTWRITEBYTECODE: '1',
    ...(dir !== undefined && { PYTHONPATH: dir }),
  }
}
