// What operators do with the console, on the whole local stack: nothing between the page and the archive is arranged.
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { basic } from '../support/plain-http.ts'
import { hurried, isThere, launch, needs, openConsole, openPage, takePicture } from './chromium.ts'

/** An import takes DQR's next look into its queue, and the stand-in a few seconds more. */
const soon = { timeout: 60_000 }

describe.skipIf(!isThere)(`an operator with the console ${needs}`, () => {
  let browser: Browser
  let stack: Stack
  let s3: S3Client
  beforeAll(async () => {
    browser = await launch()
    // What is stuck is told as such after six hours; nobody has these here.
    stack = await startStack({
      service: inject('service'),
      environment: { STALL_AFTER: '15s', STATUS_CACHE_SECONDS: '1' },
    })
    const { endpoint, region, ...credentials } = stack.description.s3
    s3 = new S3Client({ endpoint, region, credentials })
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    s3.destroy()
    await stack.stop()
  })

  async function api(method: string, path: string, body?: unknown) {
    const { api: url, serviceKey } = stack.description
    const reply = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', [serviceKey.header]: serviceKey.key },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    expect(reply.ok, `${method} ${path}: ${reply.status}`).toBe(true)
    return JSON.parse(await reply.text())
  }

  async function xnat(method: string, path: string, body?: unknown): Promise<void> {
    const { url, user, password } = stack.description.xnat
    const reply = await fetch(url + path, {
      method,
      headers: {
        ...basic(user, password),
        'content-type': typeof body === 'string' ? 'text/xml' : 'application/json',
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    expect(reply.ok, `${method} ${path}: ${reply.status}`).toBe(true)
  }

  const provision = async (hubId: string, name: string): Promise<string> => {
    const asked = { project_id: hubId, trust_id: hubId, project_name: name, query: `SELECT accession_id FROM cohort` }
    return (await api('POST', '/projects/create-project-from-central-hub-project', asked)).ID
  }

  const decree = (fate: object, accessionNumbers: string[]) =>
    xnat('PATCH', '/__stand-in/pacs/studies', { fate, accessionNumbers })

  const open = (at: string) => {
    const { api: url, serviceKey } = stack.description
    return openConsole(browser, { api: url, key: serviceKey.key, at, canHurry: true })
  }

  /** The planner sees that nothing moves when it looks again, as it does whenever a study is asked for by name. */
  async function lookAndCount(projectId: string, locator: Locator): Promise<number> {
    await api('POST', `/retrieval/imports/${projectId}`, { accession_numbers: ['SAMPLE001'] })
    return locator.count()
  }

  const row = (page: Page, text: string) => page.getByRole('grid', { name: 'Studies' }).getByRole('row', { name: text })

  it('sees a cohort become verified', async () => {
    const { page, faults } = await open('')
    await page.getByText('No projects yet').waitFor()
    await xnat('POST', '/xapi/dqr/settings', { pacsAvailabilityCheckFrequency: '1 hour' })
    await provision('11111111-2222-4333-8444-555555555555', 'Heart study')
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByRole('link', { name: 'Heart study' }).click()
    await page.getByRole('heading', { name: 'Heart study' }).waitFor()
    await hurried(page, row(page, 'SAMPLE001').getByText('Queued').waitFor(soon))

    // From here on nobody touches the page.
    await xnat('POST', '/xapi/dqr/settings', { pacsAvailabilityCheckFrequency: '1 second' })
    await hurried(page, page.getByRole('button', { name: 'Verified 12' }).waitFor(soon))
    expect(await page.getByRole('img', { name: '12 studies: 12 verified' }).count()).toBe(1)
    await row(page, 'SAMPLE012').getByText('Verified').waitFor()
    await takePicture(page, 'a cohort that is verified')
    expect(faults).toEqual([])
  }, 120_000)

  it('has a study that is stuck tried again', async () => {
    await decree({ kind: 'gets-stuck', in: 'BUILDING' }, ['SAMPLE007'])
    const projectId = await provision('22222222-2222-4333-8444-555555555555', 'Lung study')
    const { page } = await open(`#/projects/${projectId}`)
    await hurried(page, page.getByRole('button', { name: 'Verified 11' }).waitFor(soon))
    const stalled = page.getByRole('button', { name: 'Stalled 1' })
    await hurried(
      page,
      expect.poll(() => lookAndCount(projectId, stalled), { timeout: 90_000, interval: 2_000 }).toBe(1),
    )
    await stalled.click()
    await page.getByText('1 of 12 studies').waitFor()
    await row(page, 'SAMPLE007').getByText('Stuck in').waitFor()
    await takePicture(page, 'a study that is stuck')

    await row(page, 'SAMPLE007').click()
    await page.getByText('1 selected').waitFor()
    await page.getByRole('button', { name: 'Retry now' }).click()
    await page.getByText('1 study handed to the planner.').waitFor()
    await hurried(page, page.getByRole('button', { name: 'Verified 12' }).waitFor(soon))
    await page.getByText('No study fits').waitFor()
  }, 180_000)

  it('repairs what of a project is not as it was asked for', async () => {
    const projectId = await provision('33333333-2222-4333-8444-555555555555', 'Knee study')
    await xnat('PUT', `/data/projects/${projectId}/prearchive_code/0`)
    const { page } = await open(`#/projects/${projectId}`)
    await page.getByText('1 of 5 not as wanted').click()
    await page.getByText('the code is 0, not 4').waitFor()
    await page.getByRole('button', { name: 'Repair' }).click()
    await page.getByText('All is as wanted again.').waitFor()
    await page.locator('summary').getByText('As wanted').waitFor()
    expect(await api('GET', `/projects/${projectId}/provisioning`)).toMatchObject({
      aspects: expect.not.arrayContaining([expect.objectContaining({ state: 'changed' })]),
    })
  })

  it('hands dead letters in again after the cure', async () => {
    await xnat('PUT', '/data/projects/P1')
    const session = 'projects/P1/subjects/S7/experiments/CT7'
    const key = `${session}/scans/1/resources/DICOM/files/1.dcm`
    await s3.send(
      new PutObjectCommand({
        Bucket: stack.description.s3.buckets['incoming'],
        Key: key,
        Body: Buffer.from('content'),
      }),
    )
    const { page } = await open('#/deliveries')
    await hurried(page, page.getByText('EXPERIMENT_NOT_FOUND', { exact: true }).waitFor(soon))
    await page.getByRole('link', { name: 'Dead letters' }).click()
    const deliveries = page.getByRole('region', { name: 'Queue deliveries' })
    await deliveries.getByText('1 letter').waitFor()
    await takePicture(page, 'a dead letter')

    await xnat('PUT', `/data/${session}?xsiType=xnat:ctSessionData`)
    await deliveries.getByRole('button', { name: 'Hand in again: EXPERIMENT_NOT_FOUND' }).click()
    const dialog = page.getByRole('dialog', { name: 'Hand in again' })
    await dialog.getByText('1 letter would be handed in again.').waitFor()
    expect((await api('GET', '/dead-letters')).queues[1]).toMatchObject({ queue: 'deliveries', messages: 1 })
    await dialog.getByRole('button', { name: 'Hand in 1' }).click()
    await dialog.getByText('1 letter handed in again.').waitFor()
    await dialog.getByRole('button', { name: 'Close' }).click()
    await deliveries.getByText('Nothing waits here.').waitFor()

    await page.getByRole('link', { name: 'Deliveries' }).click()
    await hurried(page, page.getByRole('table', { name: 'Receipts' }).getByText('Verified').waitFor(soon))
    await page.getByRole('table', { name: 'Receipts' }).getByRole('link').first().click()
    await page.getByText('subject S7, session CT7, scan 1, resource DICOM').waitFor()
    await page.getByText('name, size and MD5').waitFor()
  }, 120_000)

  it("reads XNAT's own words as text, whatever they look like", async () => {
    const hostile = '<img src=x onerror="window.isHarmed=true">'
    const name = hostile.replaceAll('<', '&lt;')
    const record = `<xnat:Project ID="P2" xmlns:xnat="http://nrg.wustl.edu/xnat"><xnat:name>${name}</xnat:name></xnat:Project>`
    await xnat('POST', '/data/projects', record)
    await api('POST', '/retrieval/imports/P2', { accession_numbers: [hostile] })
    const { page, faults } = await open('')
    await page.getByRole('link', { name: hostile }).click()
    await page.getByRole('heading', { name: hostile }).waitFor()
    await hurried(page, page.getByRole('grid').getByText(hostile).waitFor(soon))
    expect(await page.locator('img[src=x]').count()).toBe(0)
    expect(await page.evaluate('window.isHarmed')).toBeUndefined()
    expect(faults).toEqual([])
  }, 120_000)

  it('reads how the API is asked, at /docs', async () => {
    const { api: url, serviceKey } = stack.description
    const { page, faults } = await openPage(browser)
    await page.goto(`${url}/docs#listDeadLetters`)
    await page.getByLabel('Service key').fill('wrong')
    await page.getByRole('button', { name: 'Show the API' }).click()
    await page.getByText('Invalid trust-internal service key.').waitFor()
    await page.getByLabel('Service key').fill(serviceKey.key)
    await page.getByRole('button', { name: 'Show the API' }).click()
    const linked = page.locator('#listDeadLetters')
    await linked.getByText('Needs the service key.').waitFor()
    await linked.getByText(`curl -X GET '${url}/dead-letters'`).waitFor()
    expect(faults).toEqual([])
  })
})
