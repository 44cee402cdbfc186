import { describe, expect } from 'vitest'
import { tar, zip } from '../support/archive-bytes.ts'
import { fileContents } from '../support/file-contents.ts'
import { type Site, scanFiles, test } from './site.ts'

describe('archives that are not to be trusted', () => {
  for (const [kind, name] of [
    ['tar', 'x.tar'],
    ['zip', 'x.zip'],
  ] as const) {
    test(`a ${kind} entry that leads out of the resource is refused with 500`, async ({ site }) => {
      const evil = kind === 'tar' ? await tar({ '../../evil': 'x' }) : await evilZip()
      expect((await upload(site, name, evil)).status).toBe(500)
      expect(await contents(site)).toEqual({})
    })
  }

  test('a broken archive is 500, and what was unpacked before is on disk but not listed', async ({ site }) => {
    const whole = await tar({ first: 'x'.repeat(2000), second: 'y'.repeat(2000) })
    expect((await upload(site, 'x.tar', whole.subarray(0, 4000))).status).toBe(500)
    expect(await contents(site)).toEqual({})
    expect((await upload(site, 'x.tar', whole)).text).toMatch(/"first"/)
    expect((await upload(site, 'x.tar', whole, '&overwrite=true')).text).toBe('')
    expect(Object.keys(await contents(site))).toEqual(['first', 'second'])
  })

  test('what is no archive in spite of its name is 500', async ({ site }) => {
    expect((await upload(site, 'x.zip', Buffer.from('no zip'))).status).toBe(500)
    expect((await upload(site, 'x.tgz', Buffer.from('no gzip'))).status).toBe(500)
  })
})

function upload(site: Site, name: string, body: Buffer, more = '') {
  return site.send(`PUT ${scanFiles}/${name}?inbody=true&extract=true${more}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body,
  })
}

const contents = (site: Site) => fileContents(site, scanFiles)

/** The zip writer refuses such names, so one of the same length is changed afterwards. */
async function evilZip(): Promise<Buffer> {
  const good = await zip({ 'aa/bb/evil': 'x' })
  return Buffer.from(good.toString('latin1').replaceAll('aa/bb/evil', '../../evil'), 'latin1')
}
