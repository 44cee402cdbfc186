// Of the functions' roles, what reading their code does not tell (test/infra/rights.test.ts): which secrets they read, and
// whether prefixes fit. The local stack holds each function to its role and knows what of it was used.
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, inject, it, onTestFinished } from 'vitest'
import { startStack } from '../../infra/local/stack.ts'
import { seal } from '../../lib/envelope.ts'
import { eventOf } from '../support/events.ts'
import { startSecretsServer } from '../support/secrets-server.ts'

const hubProjectId = '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b'

async function startWithStoredSecrets() {
  const envelopeKey = Buffer.alloc(32, 7).toString('base64')
  const secrets = await startSecretsServer({
    'xnat-conduit/dev/envelope-key': { key: envelopeKey },
  })
  const inPlain = ['XNAT_SERVICE_USER', 'XNAT_SERVICE_PASSWORD', 'TRUST_INTERNAL_SERVICE_KEY']
  const stack = await startStack({
    service: inject('service'),
    environment: {
      ...Object.fromEntries(inPlain.map((name) => [name, ''])),
      AES_KEY_BASE64: envelopeKey,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
      XNAT_SECRET: 'xnat-conduit/dev/xnat',
      SERVICE_KEY_SECRET: 'xnat-conduit/dev/service-key',
      ENVELOPE_KEY_SECRET: 'xnat-conduit/dev/envelope-key',
    },
  })
  onTestFinished(() => stack.stop())
  const { serviceKey, xnat } = stack.description
  const { user, password } = xnat
  secrets.secrets.set('xnat-conduit/dev/xnat', JSON.stringify({ user, password }))
  secrets.secrets.set('xnat-conduit/dev/service-key', JSON.stringify({ key: serviceKey.key }))
  const ask = async (method: string, path: string, body?: unknown) => {
    const headers = { [serviceKey.header]: serviceKey.key, 'content-type': 'application/json' }
    const url = stack.description.api + path
    return fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
  }
  const sealedId = () =>
    seal(hubProjectId, {
      keys: { shared: Buffer.from(envelopeKey, 'base64') },
      kid: 'shared',
      context: 'project_id',
    })
  return { stack, ask, sealedId }
}

it('each function reads the secrets that its role gives', async () => {
  const { stack, ask, sealedId } = await startWithStoredSecrets()
  const unreadSecrets = () =>
    Object.entries(stack.functions.unusedRights()).flatMap(([name, rights]) =>
      rights.filter((right) => right.startsWith('secretsmanager:')).map((right) => `${name}: ${right}`),
    )
  expect(unreadSecrets()).not.toEqual([])

  const created = await ask('POST', '/projects/create-project-from-central-hub-project', {
    project_id: hubProjectId,
    trust_id: hubProjectId,
    project_name: 'Rights',
    query: 'SELECT accession_id FROM omop.image_occurrence',
  })
  const { ID } = JSON.parse(await created.text())
  const { endpoint, region, buckets, ...credentials } = stack.description.s3
  const s3 = new S3Client({ endpoint, region, credentials })
  onTestFinished(() => s3.destroy())
  const put = (bucket: string, Key: string, Metadata: Record<string, string> = {}) =>
    s3.send(new PutObjectCommand({ Bucket: buckets[bucket], Key, Body: 'an image', Metadata }))
  const key = `projects/${ID}/subjects/S1/experiments/ACC1/scans/1/resources/NIFTI/files/1.nii`
  await put('incoming', key, { 'xsi-type': 'xnat:mrSessionData' })
  await put('images', 'net-1/upload/mask.nii')
  const deliveries = async () => JSON.parse(await (await ask('GET', `/deliveries?project_id=${ID}`)).text()).deliveries
  await expect.poll(deliveries, { timeout: 60_000 }).toHaveLength(1)

  const study = { encrypted_central_hub_project_id: sealedId(), accession_id: 'ACC1' }
  const answers = [
    await ask('POST', '/download/images/net-1?assessor_type=scan&resource_type=NIFTI', study),
    await ask('PUT', '/upload/images/net-1', { ...study, scan_id: '1', resource_id: 'SEG', files: ['mask.nii'] }),
    await ask('GET', `/retrieval/import_status_count/${ID}?encoded_query=U0VMRUNU`),
    await ask('POST', `/retrieval/imports/${ID}`, { accession_numbers: ['ACC2'] }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 202])
  for (const path of ['/users', '/imaging/ping_pacs', '/dead-letters', '/openapi.json']) await ask('GET', path)

  await expect.poll(unreadSecrets, { timeout: 60_000 }).toEqual([])
}, 180_000)

it('the planner may remove what is left of a project that was deleted while a message of it was under way', async () => {
  const stack = await startStack({ service: inject('service') })
  onTestFinished(() => stack.stop())
  const unusedRemovals = () =>
    (stack.functions.unusedRights()['importCohort'] ?? []).filter((right) =>
      /^s3:DeleteObject .*\/(?:ledgers|cohorts)\//.test(right),
    )
  expect(unusedRemovals()).toHaveLength(2)

  await stack.functions.invoke('importCohort', eventOf([{ kind: 'look', projectId: 'GONE', cause: 'sweep' }]))
  expect(unusedRemovals()).toEqual([])
}, 60_000)
