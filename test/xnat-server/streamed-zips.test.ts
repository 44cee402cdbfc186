// Zips as programs write them that cannot go back to fill in a size: what Java's ZipInputStream makes of them.
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect } from 'vitest'
import { ZipFile } from 'yazl'
import { scanFiles, test } from './site.ts'
import { addProjects, importing, study } from './studies.ts'

function streamedZip(
  files: readonly { name: string; bytes: Buffer }[],
  options: { compress: boolean },
): Promise<Buffer> {
  const zip = new ZipFile()
  for (const { name, bytes } of files) zip.addReadStream(Readable.from([bytes]), name, options)
  zip.end()
  return buffer(Readable.from(zip.outputStream))
}

const upload = `PUT ${scanFiles}/upload.zip?extract=true&inbody=true`
const files = [{ name: 'a.dcm', bytes: Buffer.from('one') }]

test('ZipUtils: an entry whose size comes after it is read when it is deflated, and 500 when it is stored', async ({
  site,
}) => {
  const stored = await site.send(upload, { body: await streamedZip(files, { compress: false }) })
  expect([stored.status, stored.text]).toEqual([
    500,
    expect.stringContaining('only DEFLATED entries can have EXT descriptor'),
  ])
  const deflated = await site.send(upload, { body: await streamedZip(files, { compress: true }) })
  expect([deflated.status, deflated.text]).toEqual([200, ''])
  expect((await site.send(`GET ${scanFiles}/a.dcm`)).text).toBe('one')
})

test('DicomZipImporter: the same is 400 in an import', async ({ site }) => {
  await addProjects(site)
  const query = 'project=MANUAL&subject=S1&session=E1'
  const stored = await importing(site, query, await streamedZip(study(), { compress: false }))
  expect([stored.status, stored.text]).toEqual([400, expect.stringContaining('unable to read data from file')])
  expect((await importing(site, query, await streamedZip(study(), { compress: true }))).status).toBe(200)
})
