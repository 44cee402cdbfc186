import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { importSession, refuseWaiting } from '../../lib/delivery/import-session.ts'
import { createClient, startAnswering } from '../xnat/scripted-xnat.ts'

const target = { projectId: 'P', subject: 'S1', experiment: 'MR1' }
const source = { format: 'tar', sizeBytes: 3, openBody: () => Readable.from([Buffer.from('tar')]) } as const
const archived = '/data/archive/projects/P/subjects/S1/experiments/MR1\r\n'

const row = (status: string, changes: object = {}) => ({
  project: 'P',
  timestamp: '20260101_000000000',
  folderName: 'MR1',
  name: 'MR1',
  status,
  ...changes,
})

async function importing(answer: { status?: number; body: string }, waiting: object[] = []) {
  const xnat = await startAnswering({
    'POST /data/services/import': answer,
    'GET /data/prearchive/projects/P': { body: { ResultSet: { Result: waiting } } },
  })
  const deps = { xnat: createClient(xnat.url).client, signal: new AbortController().signal }
  return { deps, imported: importSession(deps, target, source, 'refuse') }
}

const conflict = { status: 400, body: '<h3>unable to archive for the Prearchive session</h3>' }

describe('what XNAT says of an import', () => {
  it('is believed when the session is where it was sent', async () => {
    expect(await (await importing({ body: archived })).imported).toEqual({ experiment: 'MR1' })
  })

  it.each([
    ['nothing was kept', { body: '' }, [], 'SESSION_EMPTY', 'never'],
    [
      'it landed unassigned',
      { body: '/data/prearchive/projects/Unassigned/20260101_1/MR1\r\n' },
      [],
      'SESSION_MISPLACED',
      'never',
    ],
    [
      'it landed in another project',
      { body: archived.replace('projects/P', 'projects/P2') },
      [],
      'SESSION_MISPLACED',
      'never',
    ],
    ['it was several sessions', { body: archived + archived.replace('MR1', 'MR2') }, [], 'SEVERAL_SESSIONS', 'never'],
    [
      'it stays in the prearchive',
      { body: '/data/prearchive/projects/P/20260101_1/MR1\r\n' },
      [],
      'SESSION_NOT_ARCHIVED',
      'never',
    ],
    ['it clashes with archived data', conflict, [row('CONFLICT')], 'SESSION_CONFLICT', 'never'],
    ['it cannot be archived', conflict, [row('ERROR')], 'SESSION_NOT_ARCHIVED', 'never'],
    ['it is locked while XNAT works', { status: 409, body: 'locked' }, [row('_ARCHIVING')], 'SESSION_BUSY', 'later'],
  ])('is a failure with its own code when %s', async (_, answer, waiting, code, retry) => {
    await expect((await importing(answer, waiting)).imported).rejects.toMatchObject({ code, retry })
  })
})

describe('a session in the prearchive', () => {
  it.each([
    ['of this name, the newest', [row('ERROR'), row('QUEUED_BUILDING', { timestamp: '20260102_0' })], 'SESSION_BUSY'],
    ['of this folder', [row('CONFLICT', { name: 'other' })], 'SESSION_CONFLICT'],
  ])('counts when it is %s', async (_, waiting, code) => {
    const { deps, imported } = await importing({ body: archived }, waiting)
    await imported
    await expect(refuseWaiting(deps, target)).rejects.toMatchObject({ code })
  })

  it('of another name does not', async () => {
    const { deps, imported } = await importing({ body: archived }, [
      row('CONFLICT', { name: 'MR2', folderName: 'MR2' }),
    ])
    await imported
    await expect(refuseWaiting(deps, target)).resolves.toBeUndefined()
  })
})
