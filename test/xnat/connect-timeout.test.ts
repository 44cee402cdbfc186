import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { xnatPath } from '../../lib/xnat/path.ts'
import { createClient } from './scripted-xnat.ts'

// Listens, and then sleeps for ever: the kernel takes as many connections as fit its queue, and no more.
const listenOnly = `
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

/** The port of a listener that accepts nobody, its queue filled so that new connections get no answer at all. */
async function startDeaf(): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ['-e', listenOnly], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [told] = child.stdout === null ? [] : await once(child.stdout, 'data')
  const port = Number(told)
  for (let tries = 0; tries < 20; tries += 1) {
    const socket: Socket = createConnection({ port, host: '127.0.0.1' })
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => socket.destroy())
    const isTaken = await Promise.race([once(socket, 'connect').then(() => true), wait(200, false)])
    if (!isTaken) return port
  }
  throw new Error('this machine accepts connections without end')
}

it('gives up on a server that does not take the connection, after connectMs', async () => {
  const port = await startDeaf()
  const { client, slept } = createClient(`http://127.0.0.1:${port}`, {
    timeouts: { connectMs: 150 },
    retry: { attempts: 2 },
  })
  const startedAt = performance.now()
  await expect(client.get(xnatPath`/data/ping`)).rejects.toMatchObject({
    code: 'XNAT_UNREACHABLE',
    retry: 'later',
    cause: { code: 'UND_ERR_CONNECT_TIMEOUT' },
  })
  expect(performance.now() - startedAt).toBeLessThan(8_000)
  expect(slept).toHaveLength(1)
})
