import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { DeleteObjectCommand, GetObjectTaggingCommand } from '@aws-sdk/client-s3'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { encodeDicomFile } from '../../infra/local/sample-studies/dicom-file.ts'
import type { ObjectStore } from '../../lib/aws/objects.ts'
import { parseObjectKey } from '../../lib/delivery/object-key.ts'
import { deliveryId, type SessionOrder } from '../../lib/delivery/order.ts'
import { findReceipt } from '../../lib/delivery/receipt.ts'
import { StorageError } from '../../lib/errors.ts'
import { type DeliverSessionDeps, deliverSession } from '../../lib/services/deliver-session.ts'
import { findExperiment, listScans } from '../../lib/xnat/archive.ts'
import { xnatPath } from '../../lib/xnat/path.ts'
import { type DeliveryRig, md5, type PutObject, startDeliveryRig } from '../support/delivery-rig.ts'

let rig: DeliveryRig
beforeEach(async () => {
  rig = await startDeliveryRig()
})
afterEach(() => rig.stop())

const prefix = 'projects/P1/subjects/S2/experiments/CT1/dicom/'

type Files = ReadonlyMap<string, Buffer>

/** Small instances: `study 1, series 2` has UIDs `1.2.1` and `1.2.1.2`. */
function study({ study = 1, series = [2, 1] }: { study?: number; series?: number[] } = {}): Files {
  const files = new Map<string, Buffer>()
  for (const [index, instances] of series.entries()) {
    for (let instance = 1; instance <= instances; instance += 1) {
      const number = index + 1
      const bytes = encodeDicomFile({
        SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
        SOPInstanceUID: `1.2.${study}.${number}.${instance}`,
        StudyInstanceUID: `1.2.${study}`,
        SeriesInstanceUID: `1.2.${study}.${number}`,
        SeriesNumber: number,
        InstanceNumber: instance,
        Modality: 'CT',
        PatientID: 'NOT-THE-LABEL',
        PatientName: 'Nobody',
        StudyDate: '20240102',
      })
      files.set(`series-${number}/${study}-${number}-${instance}.dcm`, bytes)
    }
  }
  return files
}

async function tarOf(files: Files): Promise<Buffer> {
  const tar = pack()
  for (const [name, content] of files) tar.entry({ name }, content)
  tar.finalize()
  return buffer(tar)
}

async function zipOf(files: Files): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, content] of files) zip.addBuffer(content, name)
  zip.end()
  return buffer(zip.outputStream)
}

const archives = {
  'study.zip': zipOf,
  'study.tar': tarOf,
  'study.tar.gz': async (files: Files) => gzipSync(await tarOf(files)),
  'study.TGZ': async (files: Files) => gzipSync(await tarOf(files)),
}

function orderFor(object: PutObject): SessionOrder {
  const key = parseObjectKey(object.key)
  if (key.kind !== 'session') throw new Error('an order needs DICOM of a session')
  const { sizeBytes, etag } = object
  return {
    kind: 'session',
    deliveryId: deliveryId(new Date(), object),
    target: key.target,
    keyPrefix: key.prefix,
    source: { path: key.path, sizeBytes, etag },
  }
}

async function orderOf(name: keyof typeof archives, files: Files): Promise<SessionOrder> {
  return orderFor(await rig.put(prefix + name, await archives[name](files)))
}

async function putLoose(files: Files, folder = ''): Promise<SessionOrder> {
  for (const [name, content] of files) await rig.put(prefix + folder + name, content)
  return orderFor(await rig.put(`${prefix}${folder}_SUCCESS`, ''))
}

/** As a backfill orders it: at the time of the object, under another id. */
function orderedAgain(order: SessionOrder): SessionOrder {
  const [time] = order.deliveryId.split('-')
  return { ...order, deliveryId: `${time}-${'0'.repeat(16)}` }
}

const deliver = (order: SessionOrder, deps: Partial<DeliverSessionDeps> = {}) => {
  const { xnat, incoming, state } = rig
  const signal = new AbortController().signal
  return deliverSession({ xnat, incoming, state, signal, dicomOverwrite: 'refuse', ...deps }, order)
}

const receiptOf = ({ deliveryId: id }: SessionOrder) => findReceipt(rig.state, id)
const imports = () => rig.standIn.requests.list().filter(({ path }) => path.includes('/services/import'))
const session = () => findExperiment(rig.xnat, { projectId: 'P1', experiment: 'CT1' })

/** MD5s of all files that XNAT lists of the session's scans. */
async function storedDigests(): Promise<(string | undefined)[]> {
  const { experimentId } = (await session())!
  const scans = await listScans(rig.xnat, { experimentId })
  const digests = await Promise.all(
    scans.map(({ scanId }) => rig.digests({ parent: { level: 'scan', experimentId, scanId }, resourceLabel: 'DICOM' })),
  )
  return digests.flatMap((each) => [...each.values()]).sort()
}
const digestsOf = (...all: Files[]) => all.flatMap((files) => [...files.values()].map(md5)).sort()

describe('an archive of DICOM', () => {
  it.each(['study.zip', 'study.tar', 'study.tar.gz', 'study.TGZ'] as const)(
    'becomes the session that its key names, whatever its headers say: %s',
    async (name) => {
      const files = study()
      const order = await orderOf(name, files)

      expect(await deliver(order)).toMatchObject({ files: 1, bytes: order.source.sizeBytes, unchanged: 0, verified: 1 })

      expect(await storedDigests()).toEqual(digestsOf(files))
      expect(await session()).toMatchObject({ xsiType: 'xnat:ctSessionData', studyInstanceUid: '1.2.1' })
      expect(await receiptOf(order)).toMatchObject({
        outcome: 'verified',
        target: { projectId: 'P1', subject: 'S2', experiment: 'CT1' },
        experimentId: (await session())?.experimentId,
        files: [
          { path: name, outcome: 'stored', verifiedBy: 'count', etag: order.source.etag, md5: order.source.etag },
        ],
        session: { sentInstances: 3, scans: 2, instances: 3 },
      })
    },
  )

  it('is not sent again when it is delivered again', async () => {
    const order = await orderOf('study.tar', study())
    await deliver(order)
    rig.standIn.requests.clear()

    await deliver(order)

    expect(imports()).toEqual([])
    expect(await receiptOf(order)).toMatchObject({ outcome: 'verified', session: { instances: 3 } })
  })

  it.each(['study.zip', 'study.tar.gz'] as const)(
    'is not sent again after a death between the import and its receipt: %s',
    async (name) => {
      const order = await orderOf(name, study())
      await expect(deliver(order, { state: withoutReceipts(rig.state) })).rejects.toMatchObject({
        code: 'STORAGE_BUSY',
      })
      rig.standIn.requests.clear()

      await deliver(order)

      expect(imports()).toEqual([])
      expect(await receiptOf(order)).toMatchObject({ outcome: 'verified', session: { sentInstances: 3, instances: 3 } })
    },
  )

  it('is left to the newer event when it was overwritten', async () => {
    const order = await orderOf('study.tar', study())
    await orderOf('study.tar', study({ study: 2 }))

    expect(await deliver(order)).toMatchObject({ files: 0, bytes: 0, superseded: 1, verified: 0 })
    expect([imports(), await session()]).toEqual([[], undefined])
  })

  it.each([
    ['is no archive', 'study.zip', async () => Buffer.from('x'.repeat(1000)), 'ARCHIVE_NOT_READABLE'],
    ['is no archive', 'study.tar', async () => Buffer.from('x'.repeat(1000)), 'ARCHIVE_NOT_READABLE'],
    ['is empty', 'study.tar', async () => Buffer.alloc(0), 'SESSION_EMPTY'],
    ['holds no files', 'study.tar', () => tarOf(new Map()), 'SESSION_EMPTY'],
    ['holds an archive', 'study.zip', () => zipOf(new Map([['a.zip', Buffer.from('x')]])), 'ARCHIVE_NOT_READABLE'],
    ['holds an archive', 'study.tar', () => tarOf(new Map([['a.zip', Buffer.from('x')]])), 'ARCHIVE_NOT_READABLE'],
    ['holds no DICOM', 'study.zip', () => zipOf(new Map([['notes.txt', Buffer.from('x')]])), 'XNAT_REFUSED'],
  ])('that %s is a failure for good: %s', async (_, name, make, code) => {
    const order = orderFor(await rig.put(prefix + name, await make()))

    await expect(deliver(order)).rejects.toMatchObject({ code, retry: 'never' })
    expect(await session()).toBeUndefined()
  })

  it('that no run could send is a failure for good, before anything is sent', async () => {
    const order = await orderOf('study.tar', study())

    const sending = deliver(order, { maxBytes: order.source.sizeBytes - 1 })

    await expect(sending).rejects.toMatchObject({ code: 'OBJECT_TOO_LARGE', retry: 'never' })
    expect(imports()).toEqual([])
  })

  it('of several sessions is a failure for good', async () => {
    const order = await orderOf('study.tar', new Map([...study(), ...study({ study: 2 })]))

    await expect(deliver(order)).rejects.toMatchObject({ code: 'SESSION_CONFLICT', retry: 'never' })
  })

  it('of which XNAT keeps fewer files than were sent is a failure for good', async () => {
    const files = study()
    const twice = new Map([...files, ['again/1-1-1.dcm', files.get('series-1/1-1-1.dcm')!]])
    const order = await orderOf('study.tar', twice)

    await expect(deliver(order)).rejects.toMatchObject({ code: 'SESSION_INCOMPLETE', retry: 'never' })
    await expect(deliver(order)).rejects.toMatchObject({ code: 'SESSION_INCOMPLETE' })
  })

  it('of which XNAT keeps nothing is a failure for good', async () => {
    rig.standIn.state.arrange({ rejectInstances: true })
    const order = await orderOf('study.tar', study())

    await expect(deliver(order)).rejects.toMatchObject({ code: 'SESSION_EMPTY', retry: 'never' })
  })

  it('for a project that XNAT does not have is sent nowhere', async () => {
    const order = orderFor(await rig.put(`${prefix.replace('P1', 'P9')}study.tar`, await tarOf(study())))

    await expect(deliver(order)).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND', retry: 'never' })
    expect(imports()).toEqual([])
  })

  it.each(['cut-during-request', 'cut-before', 'cut-during-reply', '500-after-write'] as const)(
    'ends delivered, once, after %s',
    async (kind) => {
      rig.standIn.faults.next({ when: { method: 'POST', path: /\/services\/import/ }, kind })
      const files = study()
      const order = await orderOf('study.tar.gz', files)
      await deliver(order).catch((error) => expect(error).toMatchObject({ retry: 'later' }))

      await expect.poll(() => deliver(order).catch(({ retry }) => retry), { timeout: 5_000 }).not.toBe('later')

      expect(await storedDigests()).toEqual(digestsOf(files))
      expect(await receiptOf(order)).toMatchObject({ outcome: 'verified', session: { instances: 3 } })
    },
  )
})

describe('loose DICOM files', () => {
  it('become one session when their marker lands, folders and equal names kept apart', async () => {
    const [one, two] = [study({ series: [1] }), study({ series: [0, 1] })]
    const files = new Map([
      ['a/1.dcm', [...one.values()][0]!],
      ['b/1.dcm', [...two.values()][0]!],
    ])
    await rig.put(`${prefix}other.zip`, 'not of them')
    const order = await putLoose(files)

    expect(await deliver(order)).toMatchObject({ files: 2, superseded: 0 })

    expect(await storedDigests()).toEqual(digestsOf(files))
    expect((await receiptOf(order))?.files).toMatchObject([
      { path: 'a/1.dcm', md5: md5(files.get('a/1.dcm')!), verifiedBy: 'count' },
      { path: 'b/1.dcm', md5: md5(files.get('b/1.dcm')!), verifiedBy: 'count' },
    ])
  })

  it('of other folders than the marker are left alone', async () => {
    const files = study()
    await rig.put(`${prefix}elsewhere/x.dcm`, 'not of them')

    await deliver(await putLoose(files, 'upload-1/'))

    expect(await storedDigests()).toEqual(digestsOf(files))
  })

  it('that are not there make a failure for good', async () => {
    await expect(deliver(await putLoose(new Map()))).rejects.toMatchObject({ code: 'SESSION_EMPTY', retry: 'never' })
  })

  it('are left to the newer event when the marker is gone', async () => {
    const order = await putLoose(study())
    await rig.aws.s3.send(new DeleteObjectCommand({ Bucket: 'incoming', Key: `${prefix}_SUCCESS` }))

    expect(await deliver(order)).toMatchObject({ files: 0, superseded: 1 })
  })

  it.each([
    ['rewritten', (key: string) => rig.put(key, [...study({ study: 1, series: [0, 2] }).values()][1]!), 3],
    ['deleted', (key: string) => rig.aws.s3.send(new DeleteObjectCommand({ Bucket: 'incoming', Key: key })), 2],
  ])('of which one is %s during delivery are listed anew by the next try', async (_, change, instances) => {
    const order = await putLoose(study())
    const changing: ObjectStore = {
      ...rig.incoming,
      async open(key, options) {
        if (key.endsWith('/1-2-1.dcm')) await change(key)
        return rig.incoming.open(key, options)
      },
    }

    await expect(deliver(order, { incoming: changing })).rejects.toMatchObject({ retry: 'later' })
    expect(await receiptOf(order)).toBeUndefined()
    const areOver = () => rig.standIn.requests.list().every(({ durationMs }) => durationMs !== undefined)
    await expect.poll(areOver, { interval: 5 }).toBe(true)
    await deliver(order)

    expect((await receiptOf(order))?.session).toMatchObject({ sentInstances: instances, instances })
  })
})

describe('what a failed or dead delivery left', () => {
  it('does not pass off the files of another order as its own, though they are as many', async () => {
    const failing = await orderOf('study.tar', study())
    const corrected = study({ study: 2 })
    rig.standIn.state.arrange({ rejectInstances: true })
    await expect(deliver(failing)).rejects.toMatchObject({ code: 'SESSION_EMPTY' })
    rig.standIn.state.arrange({ rejectInstances: false })
    await deliver(await orderOf('study.zip', corrected))

    await expect(deliver(failing, { sourceAfterDelivery: 'delete' })).rejects.toMatchObject({ code: 'SESSION_EXISTS' })

    expect(await storedDigests()).toEqual(digestsOf(corrected))
    expect((await rig.incoming.list(prefix)).objects).toHaveLength(2)
  })

  it('does not vouch for loose files that were changed between the import and its receipt', async () => {
    const order = await putLoose(study())
    const dying = { sourceAfterDelivery: 'delete', state: withoutReceipts(rig.state) } as const
    await expect(deliver(order, dying)).rejects.toMatchObject({ code: 'STORAGE_BUSY' })
    await rig.put(`${prefix}series-2/1-2-1.dcm`, 'corrected')

    await expect(deliver(order, { sourceAfterDelivery: 'delete' })).rejects.toMatchObject({ code: 'SESSION_EXISTS' })

    expect((await rig.incoming.list(prefix)).objects).toHaveLength(4)
  })
})

describe('a session that is there already', () => {
  const first = study({ series: [1] })
  const more = study({ series: [0, 2] })

  it('is left alone under "refuse": nothing is sent', async () => {
    await deliver(await orderOf('study.tar', first))
    rig.standIn.requests.clear()

    await expect(deliver(await orderOf('study.zip', more))).rejects.toMatchObject({
      code: 'SESSION_EXISTS',
      retry: 'never',
    })
    expect(imports()).toEqual([])
  })

  it('is added to under "append", once', async () => {
    await deliver(await orderOf('study.tar', first))
    const order = await orderOf('study.zip', more)

    await expect(deliver(order, { dicomOverwrite: 'append', state: withoutReceipts(rig.state) })).rejects.toThrow()
    await deliver(order, { dicomOverwrite: 'append' })

    expect(await storedDigests()).toEqual(digestsOf(first, more))
    expect((await receiptOf(order))?.session).toEqual({ sentInstances: 2, scans: 2, instances: 3 })
  })

  it('keeps its files under "append" when same-named ones arrive', async () => {
    await deliver(await orderOf('study.tar', first))
    const order = await orderOf('study.zip', first)

    await expect(deliver(order, { dicomOverwrite: 'append' })).rejects.toMatchObject({ code: 'SESSION_CONFLICT' })
    expect(await storedDigests()).toEqual(digestsOf(first))
  })

  it('has its files replaced under "replace"', async () => {
    await deliver(await orderOf('study.tar', first))
    const order = await orderOf('study.zip', first)

    await deliver(order, { dicomOverwrite: 'replace' })

    expect(await receiptOf(order)).toMatchObject({ outcome: 'verified', session: { sentInstances: 1, instances: 1 } })
  })

  it('proves nothing by its count under "replace": the receipt names no proof, and the source stays', async () => {
    await deliver(await orderOf('study.tar', first))
    const order = await orderOf('study.zip', first)

    await deliver(order, { dicomOverwrite: 'replace', sourceAfterDelivery: 'delete' })

    const { sizeBytes, etag } = order.source
    expect((await receiptOf(order))?.files).toEqual([
      { path: 'study.zip', sizeBytes, etag, md5: etag, outcome: 'stored' },
    ])
    expect((await rig.incoming.list(`${prefix}study.zip`)).objects).toHaveLength(1)
  })

  it('proves by its count under "replace" when all files are new', async () => {
    await deliver(await orderOf('study.tar', first))
    const order = await orderOf('study.zip', more)

    await deliver(order, { dicomOverwrite: 'replace', sourceAfterDelivery: 'delete' })

    expect(await receiptOf(order)).toMatchObject({ files: [{ verifiedBy: 'count' }], session: { instances: 3 } })
    expect((await rig.incoming.list(`${prefix}study.zip`)).objects).toEqual([])
  })
})

describe('what was delivered, ordered again under another id', () => {
  it.each(['refuse', 'append', 'replace'] as const)(
    'is found and not sent under "%s": an archive',
    async (overwrite) => {
      const order = await orderOf('study.tar', study())
      await deliver(order, { dicomOverwrite: overwrite })
      rig.standIn.requests.clear()

      const repeated = orderedAgain(order)
      expect(await deliver(repeated, { dicomOverwrite: overwrite, sourceAfterDelivery: 'delete' })).toEqual({
        files: 0,
        bytes: 0,
        unchanged: 1,
        superseded: 0,
        verified: 1,
      })

      expect(imports()).toEqual([])
      expect(await receiptOf(repeated)).toMatchObject({
        outcome: 'verified',
        experimentId: (await session())?.experimentId,
        files: [{ path: 'study.tar', outcome: 'unchanged', verifiedBy: 'count' }],
        session: { sentInstances: 3, scans: 2, instances: 3 },
      })
      expect((await rig.incoming.list(prefix)).objects).toEqual([])
    },
  )

  it('is found and not sent: loose files, until one of them changes', async () => {
    const order = await putLoose(study())
    await deliver(order)
    expect(await deliver(orderedAgain(order))).toMatchObject({ unchanged: 3 })

    await rig.put(`${prefix}series-2/1-2-1.dcm`, 'corrected')

    await expect(deliver(orderedAgain(order))).rejects.toMatchObject({ code: 'SESSION_EXISTS' })
  })

  it('is found and not sent when more was appended since', async () => {
    const first = await orderOf('study.tar', study({ series: [1] }))
    await deliver(first)
    await deliver(await orderOf('study.zip', study({ series: [0, 2] })), { dicomOverwrite: 'append' })

    expect(await deliver(orderedAgain(first), { dicomOverwrite: 'append' })).toMatchObject({ unchanged: 1 })
    expect(await session()).toBeDefined()
    expect(imports()).toHaveLength(2)
  })

  it('is sent again to a session that was deleted', async () => {
    const order = await orderOf('study.tar', study())
    await deliver(order)
    await rig.xnat.send({ method: 'DELETE', path: xnatPath`/data/experiments/${(await session())!.experimentId}` })

    expect(await deliver(orderedAgain(order))).toMatchObject({ files: 1, unchanged: 0 })
    expect(await storedDigests()).toEqual(digestsOf(study()))
  })

  it('is left to what may have replaced it since, and sent when it was put anew', async () => {
    const first = await orderOf('study.tar', study())
    await deliver(first)
    await deliver(await orderOf('study.zip', study()), { dicomOverwrite: 'replace' })
    rig.standIn.requests.clear()

    const replacing = { dicomOverwrite: 'replace', sourceAfterDelivery: 'delete' } as const
    expect(await deliver(orderedAgain(first), replacing)).toMatchObject({ files: 0, superseded: 1 })
    expect(imports()).toEqual([])

    expect(await deliver(await orderOf('study.tar', study()), replacing)).toMatchObject({ files: 1 })
    expect(imports()).toHaveLength(1)
  })
})

describe('sessions that replaced one another, ordered again in another order', () => {
  it('end as the newest of them, which alone is sent again', async () => {
    const replacing = { dicomOverwrite: 'replace' } as const
    const older = [await orderOf('study.zip', study()), await orderOf('study.tar.gz', study())]
    const newest = await orderOf('study.tar', study())
    for (const order of [...older, newest]) await deliver(order, replacing)
    rig.standIn.requests.clear()

    for (const order of [newest, ...older].map(orderedAgain)) await deliver(order, replacing)

    expect(imports()).toHaveLength(1)
    expect(await receiptOf(orderedAgain(newest))).toMatchObject({ files: [{ outcome: 'stored' }] })
  })
})

describe('the objects of a delivered session', () => {
  it('are deleted when the setting says so, the marker last, and a second delivery finds nothing amiss', async () => {
    const order = await putLoose(study())

    await deliver(order, { sourceAfterDelivery: 'delete' })
    expect((await rig.incoming.list(prefix)).objects).toEqual([])

    await deliver(order, { sourceAfterDelivery: 'delete' })
    expect(await receiptOf(order)).toMatchObject({ outcome: 'verified', session: { instances: 3 } })
  })

  it('are deleted by the second delivery when the first died over it, but for what was rewritten since', async () => {
    const files = study()
    const order = await putLoose(files)
    const dying: ObjectStore = {
      ...rig.incoming,
      removeUnchanged: async (versions) => {
        await rig.incoming.removeUnchanged(versions.slice(0, 1))
        throw new StorageError('died', { code: 'STORAGE_BUSY' })
      },
    }
    await expect(deliver(order, { sourceAfterDelivery: 'delete', incoming: dying })).rejects.toThrow('died')
    await rig.put(`${prefix}series-2/1-2-1.dcm`, 'rewritten')

    await deliver(order, { sourceAfterDelivery: 'delete' })

    expect((await rig.incoming.list(prefix)).objects.map(({ key }) => key)).toEqual([`${prefix}series-2/1-2-1.dcm`])
    expect(imports()).toHaveLength(1)
  })

  it('are tagged when the setting says so', async () => {
    const order = await orderOf('study.tar', study())

    await deliver(order, { sourceAfterDelivery: 'tag' })

    const tags = await rig.aws.s3.send(new GetObjectTaggingCommand({ Bucket: 'incoming', Key: `${prefix}study.tar` }))
    expect(tags.TagSet).toEqual([{ Key: 'xnat-conduit', Value: 'delivered' }])
  })

  it('stay when it failed', async () => {
    const order = orderFor(await rig.put(`${prefix}study.zip`, 'no zip'))

    await expect(deliver(order, { sourceAfterDelivery: 'delete' })).rejects.toMatchObject({ retry: 'never' })
    expect((await rig.incoming.list(prefix)).objects).toHaveLength(1)
  })
})

/** A bucket whose writer dies when it comes to the receipt. */
function withoutReceipts(state: ObjectStore): ObjectStore {
  return {
    ...state,
    writeText: async (key, ...rest) => {
      if (key.startsWith('receipts/')) throw new StorageError('died', { code: 'STORAGE_BUSY' })
      return state.writeText(key, ...rest)
    },
  }
}
