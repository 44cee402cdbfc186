// What the console makes of an API that is slow, in trouble, away, or not what it should be; and of what is in the data.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type ArrangedApi,
  healthy,
  importStatus,
  key,
  manyStudies,
  ordinary,
  project,
  startArrangedApi,
} from './arranged-api.ts'
import { enterKey, hurried, isThere, launch, needs, openConsole, openPage, takePicture } from './chromium.ts'

describe.skipIf(!isThere)(`the console in trouble ${needs}`, () => {
  let browser: Browser
  let api: ArrangedApi
  beforeAll(async () => {
    browser = await launch()
    api = await startArrangedApi({})
  })
  beforeEach(() => {
    api.answers = ordinary()
  })
  afterAll(async () => {
    await browser.close()
    await api.stop()
  })

  const open = (at: string) => openConsole(browser, { api: api.url, key, at, canHurry: true })
  const cut = { isCut: true }
  const busy = { status: 503, headers: { 'retry-after': '1' }, body: { detail: 'XNAT is busy.' } }

  it('says so when a key is not the right one, and keeps none', async () => {
    const { page, faults } = await openPage(browser)
    await page.goto(api.url)
    await enterKey(page, 'wrong')
    await page.getByRole('alert').getByText('Invalid trust-internal service key.').waitFor()
    expect(await page.evaluate(() => ({ ...sessionStorage }))).toEqual({})
    await enterKey(page, key)
    await page.getByText('Heart study').waitFor()
    expect(faults).toEqual([])
  })

  it('keeps the key in the session of the tab, and nothing anywhere else', async () => {
    const { page } = await open('')
    await page.getByText('Heart study').waitFor()
    const kept = await page.evaluate(async () => ({
      session: { ...sessionStorage },
      local: { ...localStorage },
      cookies: document.cookie,
      databases: await indexedDB.databases(),
      caches: await caches.keys(),
    }))
    expect(kept).toEqual({ session: { 'service-key': key }, local: {}, cookies: '', databases: [], caches: [] })
    expect(page.url()).not.toContain(key)

    await page.reload()
    await page.getByText('Heart study').waitFor()
    const other = await page.context().newPage()
    await other.goto(api.url)
    await other.getByLabel('Service key').waitFor()

    await page.getByRole('button', { name: 'Forget the key' }).click()
    await page.getByLabel('Service key').waitFor()
    expect(await page.evaluate(() => ({ ...sessionStorage }))).toEqual({})
    expect(await page.getByText('Heart study').count()).toBe(0)
  })

  it('asks for the key again when it is no longer taken', async () => {
    const { page } = await open('')
    await page.getByText('Heart study').waitFor()
    api.answers['GET /projects'] = { status: 401, body: { detail: 'Invalid trust-internal service key.' } }
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByLabel('Service key').waitFor()
    await page.getByText('Invalid trust-internal service key.').waitFor()
    expect(await page.evaluate(() => ({ ...sessionStorage }))).toEqual({})
  })

  it('says that the API cannot be reached, and goes on by itself when it can', async () => {
    const { page } = await open('#/projects/P2')
    await page.getByText('No cohort yet').waitFor()
    api.answers = Object.fromEntries(Object.keys(ordinary()).map((route) => [route, cut]))
    await page.goto(`${api.url}/#/projects/P1`)
    await page.getByRole('alert').getByText('The API cannot be reached.').waitFor()
    await takePicture(page, 'API away')
    api.answers = ordinary()
    await hurried(page, page.getByText('ACC000000').waitFor())
  })

  it('keeps what it knows on the screen while the API is in trouble, and says from when it is', async () => {
    const { page } = await open('#/projects/P1')
    await page.getByText('ACC000000').waitFor()
    api.answers['GET /retrieval/import_status/P1'] = busy
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByText(/XNAT is busy\. Shown is what was heard at \d\d:\d\d:\d\d\./).waitFor()
    await page.getByText('Not up to date').waitFor()
    expect(await page.getByText('ACC000000').count()).toBe(1)
    await takePicture(page, 'XNAT busy')

    api.answers['GET /retrieval/import_status/P1'] = importStatus(manyStudies(3))
    await hurried(page, page.getByText('3 studies', { exact: true }).waitFor())
    expect(await page.getByText('Not up to date').count()).toBe(0)
  })

  it('takes a page that stands in front of the API for no answer', async () => {
    api.answers['GET /projects'] = { status: 200, headers: { 'content-type': 'text/html' }, body: undefined }
    const { page } = await open('')
    await page.getByRole('alert').getByText('The API answers 200, and not as it should.').waitFor()
  })

  it('tells which of API, XNAT and PACS it is', async () => {
    const { page } = await open('#/health')
    const told = (text: string) => page.getByText(text).waitFor()
    await told("PACS 1 answers XNAT's ping.")
    const again = page.getByRole('main').getByRole('button', { name: 'Ask again' })

    api.answers['GET /imaging/ping_pacs'] = () => {
      const { body } = healthy['GET /imaging/ping_pacs'] as { body: object }
      return { body: { ...body, successful: false } }
    }
    await again.click()
    await told("PACS 1 does not answer XNAT's ping.")

    api.answers['GET /imaging/ping_pacs'] = busy
    await again.click()
    await page.locator('dd', { hasText: 'Answers.' }).nth(0).waitFor()

    api.answers['GET /projects'] = busy
    await again.click()
    await page.locator('dd', { hasText: 'XNAT is busy.' }).waitFor()

    api.answers['GET /health'] = cut
    await again.click()
    await told('The API cannot be reached.')
    expect(await page.locator('dd', { hasText: 'Unknown' }).count()).toBe(2)
  })

  it('has a word for what is not there yet', async () => {
    api.answers['GET /projects'] = { body: [] }
    api.answers['GET /deliveries'] = { body: { deliveries: [] } }
    api.answers['GET /dead-letters'] = {
      body: { queues: [{ queue: 'uploads', messages: 0, seen: 0, codes: [] }] },
    }
    const { page } = await open('')
    await page.getByText('No projects yet').waitFor()
    await page.getByRole('link', { name: 'Deliveries' }).click()
    await page.getByText('No delivery ended in the last 24 hours').waitFor()
    await page.getByRole('link', { name: 'Dead letters' }).click()
    await page.getByText('Nothing waits here.').waitFor()
  })

  it('says that it is loading while it is', async () => {
    api.answers['GET /projects'] = { afterMs: 1_500, body: [project('P1', 'Heart study')] }
    const { page } = await open('')
    await page.getByText('Loading …').waitFor()
    await page.getByText('Heart study').waitFor()
  })

  it('shows what looks like markup as the text that it is', async () => {
    const hostile = '<img src=x onerror="window.isHarmed = true">'
    const [study] = manyStudies(1)
    api.answers['GET /projects'] = { body: [project('P1', hostile)] }
    api.answers['GET /projects/P1'] = { body: project('P1', hostile) }
    api.answers['GET /projects/P1/provisioning'] = {
      body: { project_id: 'P1', aspects: [{ aspect: hostile, state: 'changed', detail: hostile }] },
    }
    api.answers['GET /retrieval/import_status/P1'] = importStatus([
      { ...study!, accession_number: hostile, reason: hostile },
    ])
    const { page, faults } = await open('')
    await page.getByRole('link', { name: hostile }).click()
    await page.getByRole('grid').getByText(hostile).nth(1).waitFor()
    await page.getByText('1 of 1 not as wanted').click()
    await page.getByRole('heading', { name: hostile }).waitFor()
    expect(await page.locator('img[src=x]').count()).toBe(0)
    expect(await page.evaluate('window.isHarmed')).toBeUndefined()
    expect(faults).toEqual([])
  })

  it('could not make markup of a text if it tried', async () => {
    const { page } = await open('')
    const attempt = page.evaluate(() => {
      document.body.innerHTML = '<p>harm</p>'
    })
    await expect(attempt).rejects.toThrow('TrustedHTML')
  })

  it('looks rarely at what does not move, and not at all while nobody sees it', async () => {
    api.answers['GET /retrieval/import_status/P1'] = importStatus(manyStudies(1))
    const { page } = await openPage(browser)
    await page.clock.install()
    await page.goto(`${api.url}/#/projects/P1`)
    await enterKey(page, key)
    await page.getByText('ACC000000').waitFor()
    const looks = () => api.asked.filter(({ path }) => path === '/retrieval/import_status/P1').length
    const looksWithin = async (ms: number, stepMs = 5_000) => {
      const before = looks()
      for (let passed = 0; passed < ms; passed += stepMs) {
        await page.clock.fastForward(stepMs)
        await page.waitForTimeout(30)
      }
      return looks() - before
    }

    const often = await looksWithin(60_000)
    const rarely = await looksWithin(60_000)
    expect(often).toBeGreaterThanOrEqual(2)
    expect(rarely).toBeLessThan(often)

    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })
    })
    await page.clock.fastForward(120_000)
    expect(await looksWithin(600_000, 60_000)).toBe(0)
    const before = looks()
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => false })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    await expect.poll(looks).toBe(before + 1)
  })
})
