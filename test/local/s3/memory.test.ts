import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, it, onTestFinished } from 'vitest'
import { connect, makeFolder, startInChild } from './start-server.ts'

const isLinux = process.platform === 'linux'
if (!isLinux) process.stderr.write('skipped: peak memory is read from /proc, which is there on Linux only\n')

const MiB = 1024 ** 2
const sizeBytes = 512 * MiB
const target = { Bucket: 'images', Key: 'big' }

function* chunks() {
  const chunk = Buffer.alloc(MiB, 'x')
  for (let sent = 0; sent < sizeBytes; sent += MiB) yield chunk
}

it.skipIf(!isLinux)(
  'takes and sends 512 MiB, and waits for readers that do not read, within 100 MiB of memory',
  { timeout: 120_000 },
  async () => {
    const { child, port } = await startInChild(await makeFolder())
    const s3 = connect({ url: `http://127.0.0.1:${port}` })
    const peakBytes = async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
    }
    const before = await peakBytes()
    await s3.send(new PutObjectCommand({ ...target, Body: Readable.from(chunks()), ContentLength: sizeBytes }))
    const { Body } = await s3.send(new GetObjectCommand(target))
    if (!(Body instanceof Readable)) throw new TypeError('no stream')
    let received = 0
    for await (const chunk of Body) received += chunk.length
    expect(received).toBe(sizeBytes)
    for (let reader = 0; reader < 8; reader++) {
      const idle = await s3.send(new GetObjectCommand(target))
      if (!(idle.Body instanceof Readable)) throw new TypeError('no stream')
      const body = idle.Body.on('error', () => undefined)
      onTestFinished(() => void body.destroy())
    }
    await sleep(300)
    expect((await peakBytes()) - before).toBeLessThan(100 * MiB)
  },
)
