// 10,000 accession numbers on the screen, and how long the page takes to answer an operator's hand.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ArrangedApi, importStatus, key, manyStudies, ordinary, startArrangedApi } from './arranged-api.ts'
import { isThere, launch, needs, openConsole } from './chromium.ts'

const studies = 10_000

interface Interaction {
  /** From the hand's move to the next picture; in steps of 8 ms. */
  wholeMs: number
  scriptMs: number
}

describe.skipIf(!isThere)(`a cohort of ${studies} studies ${needs}`, () => {
  let browser: Browser
  let api: ArrangedApi
  beforeAll(async () => {
    browser = await launch()
    api = await startArrangedApi({
      ...ordinary(),
      'GET /retrieval/import_status/P1': importStatus(manyStudies(studies)),
    })
  })
  afterAll(async () => {
    await browser.close()
    await api.stop()
  })

  const open = () => openConsole(browser, { api: api.url, key, at: '#/projects/P1' })
  const rows = (page: Page) => page.getByRole('grid', { name: 'Studies' }).getByRole('row')

  it('keeps few rows in the document, and reaches the last by key and by scrolling', async () => {
    const { page, faults } = await open()
    const grid = page.getByRole('grid', { name: 'Studies' })
    await grid.getByText('ACC000000').waitFor()
    expect(await grid.getAttribute('aria-rowcount')).toBe('10001')
    expect(await rows(page).count()).toBeLessThan(80)

    await grid.focus()
    await page.keyboard.press('End')
    await grid.getByText('ACC009999').waitFor()
    expect(await page.locator('tr.active').getAttribute('aria-rowindex')).toBe('10001')
    await page.locator('.table-frame').evaluate((frame) => frame.scrollTo(0, 0))
    await grid.getByText('ACC000000').waitFor()
    expect(faults).toEqual([])
  })

  it('selects, filters and sorts all of them, not those in sight alone', async () => {
    const { page } = await open()
    await page.getByText('10,000 studies', { exact: true }).waitFor()

    await page.getByRole('button', { name: 'Failed 1,000' }).click()
    await page.getByText('1,000 of 10,000 studies').waitFor()
    await page.getByLabel('Select all that are shown').check()
    await page.getByText('1,000 selected').waitFor()
    await page.getByLabel('Find by accession number').fill('009994')
    await page.getByText('1 of 10,000 studies').waitFor()
    expect(await page.url()).toContain('state=failed')
    expect(await page.url()).not.toContain('009994')

    await page.getByLabel('Find by accession number').fill('')
    await page.getByRole('button', { name: 'Accession number' }).click()
    await rows(page).nth(1).getByText('ACC009994').waitFor()
  })

  it('answers the hand at once', async () => {
    const { page } = await open()
    await page.getByText('10,000 studies', { exact: true }).waitFor()
    await page.evaluate(() => {
      const interactions: Interaction[] = []
      Object.assign(window, { interactions })
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { interactionId, duration, processingStart, processingEnd } = entry as PerformanceEventTiming
          // What is no click, key or tap has no id.
          if (interactionId > 0) interactions.push({ wholeMs: duration, scriptMs: processingEnd - processingStart })
        }
      })
      observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
    })

    await page.getByLabel('Find by accession number').pressSequentially('00012')
    await page.getByLabel('Find by accession number').fill('')
    await page.getByRole('button', { name: 'Failed 1,000' }).click()
    await page.getByRole('button', { name: 'Failed 1,000' }).click()
    await page.getByRole('button', { name: 'State' }).click()
    await page.getByRole('button', { name: 'Next try' }).click()
    await page.getByLabel('Select all that are shown').check()
    await page.getByRole('grid', { name: 'Studies' }).focus()
    for (const name of ['End', 'PageUp', 'Space', 'Shift+ArrowUp', 'Home', 'Escape']) await page.keyboard.press(name)
    await page.mouse.move(600, 600)
    for (let turn = 0; turn < 20; turn += 1) await page.mouse.wheel(0, 900)
    // An entry is given out with the frame after its own.
    await page.waitForTimeout(300)

    const interactions: Interaction[] = await page.evaluate('interactions')
    const whole = interactions.map(({ wholeMs }) => wholeMs).toSorted((one, other) => one - other)
    const slowest = Math.max(...whole)
    const script = Math.max(...interactions.map(({ scriptMs }) => scriptMs))
    const median = whole[Math.floor(whole.length / 2)]
    // biome-ignore lint/suspicious/noConsole: the figures are for whoever reads the run.
    console.info(
      `10,000 accession numbers: the slowest interaction took ${slowest} ms to the next picture, the median ${median} ms; ` +
        `the page itself worked ${Math.ceil(script)} ms of one at most`,
    )
    expect(whole.length).toBeGreaterThan(10)
    expect(slowest).toBeLessThan(2_000)
  })
})
