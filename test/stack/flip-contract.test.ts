// FLIP's contract for health, projects, imaging, retrieval and users, row by row, over HTTP against the local stack
// (flip-contract 1.1-1.6, 1.9). What FLIP's callers send, to the byte, is in flip-callers.test.ts.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { open } from '../../lib/envelope.ts'
import { type Contract, differences, type Row, startContract } from './flip-contract/contract.ts'
import { front, otherKeyHeader, withOtherKeyHeader, withoutKeySet } from './flip-contract/front.ts'
import { createFromHub, hubProjects } from './flip-contract/hub-projects.ts'
import { imaging, withoutPacsSet } from './flip-contract/imaging.ts'
import { imports } from './flip-contract/imports.ts'
import { projects } from './flip-contract/projects.ts'
import { retrieval, withoutReimports } from './flip-contract/retrieval.ts'
import { signInRefused } from './flip-contract/sign-in.ts'
import { users } from './flip-contract/users.ts'

const envelopeKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='

/** The settings of the functions, and the rows that are tried with them. */
const tables: Record<string, { environment: Record<string, string>; rows: Record<string, readonly Row[]> }> = {
  'with everything set': {
    environment: { AES_KEY_BASE64: envelopeKey, FLIP_RELEASE: 'r'.repeat(64), PACS_ID: '7' },
    rows: { 'every route': front, projects, 'projects of the hub': hubProjects, imaging, imports, retrieval, users },
  },
  'without a service key': { environment: { TRUST_INTERNAL_SERVICE_KEY: '' }, rows: { 'every route': withoutKeySet } },
  'without a PACS and without reimports': {
    environment: { REIMPORT_STUDIES_ENABLED: 'false' },
    rows: { imaging: withoutPacsSet, retrieval: withoutReimports, 'signing in to XNAT': signInRefused },
  },
  'with another header for the key': {
    environment: { TRUST_INTERNAL_SERVICE_KEY_HEADER: otherKeyHeader },
    rows: { users: withOtherKeyHeader },
  },
}

for (const [settings, { environment, rows }] of Object.entries(tables)) {
  describe(settings, () => {
    let contract: Contract
    beforeAll(async () => {
      contract = await startContract(inject('service'), environment)
    }, 60_000)
    afterAll(() => contract.stop())

    for (const [area, table] of Object.entries(rows)) {
      describe(area, () => {
        for (const row of table) it(titleOf(row), () => check(contract, row))
      })
    }
  })
}

const titleOf = ({ request, name, status }: Row) => `${request.split('?')[0]}, ${name}: ${status}`

async function check(contract: Contract, row: Row): Promise<void> {
  const reply = await contract.try(row)
  expect(reply.status, JSON.stringify(reply.body)).toBe(row.status)
  if (row.detail !== undefined) expect(reply.body).toEqual({ detail: row.detail })
  if (row.answer !== undefined) expect(reply.body).toMatchObject(row.answer)
  for (const [name, value] of Object.entries(row.with ?? {})) expect(reply.headers.get(name)).toBe(value)
}

describe('what no single answer shows', () => {
  let contract: Contract
  beforeAll(async () => {
    contract = await startContract(inject('service'), { AES_KEY_BASE64: envelopeKey })
  }, 60_000)
  afterAll(() => contract.stop())

  const hubProject = {
    project_id: 'b0000000-0000-4000-8000-000000000000',
    trust_id: '11111111-2222-4333-8444-555555555555',
    project_name: 'Heart study',
    query: '',
    users: [{ id: '11111111-2222-4333-8444-555555555555', email: 'ann@x.example' }],
  }

  it('a project that is asked for again is the same', async () => {
    const [first, second] = [
      await contract.ask(createFromHub, { body: hubProject }),
      await contract.ask(createFromHub, { body: hubProject }),
    ]
    expect([second.body.ID, second.body.name]).toEqual([first.body.ID, first.body.name])
  })

  it('the way to set a password is sealed for the hub alone', async () => {
    const { body } = await contract.ask(createFromHub, { body: hubProject })
    const sealed = body.created_users[0].encrypted_setup_path
    const opened = (key: Buffer, context: string) => open(sealed, { keys: { shared: key }, context })

    expect(opened(Buffer.from(envelopeKey, 'base64'), 'xnat_setup_path')).toMatch(
      /^\/app\/template\/XDATScreen_UpdateUser\.vm\?a=[^&]+&s=[^&]+$/,
    )
    expect(() => opened(Buffer.from(envelopeKey, 'base64'), 'project_id')).toThrow()
    expect(() => opened(Buffer.alloc(32), 'xnat_setup_path')).toThrow()
  })

  it.each([true, false])('conversion is subscribed to, and active as asked for: %s', async (dicom_to_nifti) => {
    const project_id = `b0000000-0000-4000-8000-00000000000${dicom_to_nifti ? 1 : 2}`
    const { body } = await contract.ask(createFromHub, { body: { ...hubProject, project_id, dicom_to_nifti } })
    const subscriptions = await contract.askXnat(`GET /xapi/projects/${body.ID}/events/subscriptions`)

    expect(subscriptions.body).toMatchObject([{ name: 'DICOM-NIfTI Conversion', active: dicom_to_nifti }])
  })

  it("a study goes to XNAT's own receiver, whatever the caller says, under its accession number", async () => {
    const { body: project } = await contract.ask(createFromHub, { body: hubProject })
    await contract.askXnat(`PUT /xapi/dqr/settings/project/${project.ID}`, { enabled: true })
    await contract.askXnat('POST /__stand-in/pacs/studies', { studyInstanceUid: '2.25.7', accessionNumber: 'A7' })
    const study = {
      studyInstanceUid: '2.25.7',
      accessionNumber: 'A7',
      relabelMap: { Subject: 'MINE', Session: 'MINE' },
    }
    const body = { projectId: project.ID, studies: [study], aeTitle: 'ELSEWHERE', port: 1 }
    expect(await contract.ask('POST /imaging/queue_image_import_request', { body })).toMatchObject({ status: 200 })

    const [row] = (await contract.askXnat('GET /xapi/dqr/import/queue')).body
    expect(row.destinationAeTitle).toBe('XNAT:8104')
    expect(row.remappingScript).toContain('A7')
    expect(row.remappingScript).not.toContain('MINE')
  })

  it("every difference from FLIP has its reason in README's table", async () => {
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
    const missing = Object.values(differences).filter((difference) => !readme.includes(`\n| ${difference} | `))
    const rows = Object.values(tables).flatMap((table) => Object.values(table.rows).flat())
    const untried = Object.keys(differences).filter((name) => !rows.some(({ differs }) => differs === name))

    expect({ missing, untried }).toEqual({ missing: [], untried: [] })
  })
})
