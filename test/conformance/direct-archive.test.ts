import { describe, expect } from 'vitest'
import { study } from '../support/dicom-studies.ts'
import { imported, importing, scanFiles } from '../support/imports.ts'
import { type NamedSite, test } from './named-site.ts'

const direct = 'project={MANUAL}&subject=S1&session=E1&Direct-Archive=true'
const rowPath = '/xapi/direct-archive/{MANUAL}/2.25.100/E1'

type Row = Record<string, unknown> & { id: number }

/** The rows of {MANUAL}. */
async function rows(site: NamedSite): Promise<Row[]> {
  const order = { filters: { project: { backend: 'hibernate', operator: 'eq', value: '{MANUAL}' } } }
  const headers = { 'content-type': 'application/json' }
  const answer = await site.send('POST /xapi/direct-archive', { body: JSON.stringify(order), headers })
  expect(answer.status, answer.text).toBe(200)
  const found = answer.json() as Row[]
  for (const { id } of found) site.plain.leaves(`/xapi/direct-archive/${id}`)
  return found
}

describe('direct archive', () => {
  test('auth-users-import 8.1: the answer is the address of a row, which holds these keys and no nulls', async ({
    site,
  }) => {
    expect(await imported(site, direct)).toBe(rowPath)
    const [row] = await rows(site)
    expect(row).toMatchObject({
      project: '{MANUAL}',
      subject: 'S1',
      name: 'E1',
      folderName: 'E1',
      tag: '2.25.100',
      status: 'RECEIVING',
      scan_date: Date.UTC(2024, 0, 31, 9, 5),
      preventAutoCommit: false,
      sessionDataTriple: { folderName: 'E1', project: '{MANUAL}' },
    })
    expect(typeof row?.['lastBuiltDate']).toBe('number')
    expect(row).not.toHaveProperty('message')
    expect(row).not.toHaveProperty('visit')
    expect((await site.send(`GET ${rowPath}`)).json()).toEqual(row)
  })

  test('auth-users-import 1, surprise 10: a row is gone once its session is archived', async ({ site }) => {
    await imported(site, direct)
    expect(await rows(site)).toHaveLength(1)
    await site.send(`POST ${rowPath}`)
    expect(await rows(site)).toEqual([])
    expect((await site.send(`GET ${rowPath}`)).status).toBe(404)
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
  })

  test('auth-users-import 8.1: POST archives it now, for who may edit; an unknown one is 404', async ({ site }) => {
    await imported(site, direct)
    expect((await site.send(`POST ${rowPath}`, { as: 'collaborator' })).status).toBe(403)
    const answer = await site.send(`POST ${rowPath}`)
    expect([answer.status, answer.text]).toEqual([200, ''])
    expect(await scanFiles(site, '{MANUAL}', 'E1')).toEqual({ 1: 2, 2: 2 })
    expect((await site.send(`POST ${rowPath}`)).status).toBe(404)
  })

  test('auth-users-import 8.2: without a known project it goes to the prearchive', async ({ site }) => {
    expect(await imported(site, 'project=NOWHERE&session=E1&Direct-Archive=true')).toMatch(/Unassigned/)
    expect(await rows(site)).toEqual([])
  })

  test('auth-users-import 7.3 derived: with a dest it is 400, after the files were stored', async ({ site }) => {
    const answer = await importing(
      site,
      `${direct}&dest=/archive/projects/{MANUAL}/subjects/S1/experiments/E1`,
      study(),
    )
    expect(answer.status).toBe(400)
    expect(await rows(site)).toHaveLength(1)
  })

  test('auth-users-import 8.1: DELETE removes the row, for who may delete in the project', async ({ site }) => {
    await imported(site, direct)
    const [row] = await rows(site)
    expect((await site.send(`DELETE /xapi/direct-archive/${row?.id}`, { as: 'member' })).status).toBe(403)
    expect((await site.send(`DELETE /xapi/direct-archive/${row?.id}`)).status).toBe(200)
    expect(await rows(site)).toEqual([])
    expect((await site.send(`DELETE /xapi/direct-archive/${row?.id}`)).status).toBe(404)
  })
})
