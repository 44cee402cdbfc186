// Each view as people meet it: on wide and narrow screens, light and dark, with a mouse and without, with helping software.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ArrangedApi, deliveryId, key, ordinary, startArrangedApi } from './arranged-api.ts'
import {
  accessibilityFaults,
  isThere,
  launch,
  needs,
  openConsole,
  openPage,
  sidewaysScroll,
  takePicture,
} from './chromium.ts'

/** What says that a view has what it was waiting for. */
const views = [
  ['projects', '#/projects', (page: Page) => page.getByText('of 57 studies verified')],
  ['project', '#/projects/P1', (page: Page) => page.getByText('ACC000000')],
  ['deliveries', '#/deliveries', (page: Page) => page.getByText('40 receipts')],
  ['receipt', `#/deliveries/${deliveryId}`, (page: Page) => page.getByText('a/1.dcm')],
  ['dead letters', '#/dead-letters', (page: Page) => page.getByText('3 letters')],
  ['health', '#/health', (page: Page) => page.getByText("PACS 1 answers XNAT's ping.")],
  ['nowhere', '#/nowhere', (page: Page) => page.getByText('There is no such page.')],
] as const

describe.skipIf(!isThere)(`the console's views ${needs}`, () => {
  let browser: Browser
  let api: ArrangedApi
  beforeAll(async () => {
    browser = await launch()
    api = await startArrangedApi(ordinary())
  })
  afterAll(async () => {
    await browser.close()
    await api.stop()
  })

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it.each(views)('show %s in a way that everybody can use', async (name, at, settled) => {
      const { page, faults } = await openConsole(browser, { api: api.url, key, at }, { colorScheme })
      await settled(page).waitFor()
      expect(await accessibilityFaults(page)).toEqual([])
      expect(faults).toEqual([])
      await takePicture(page, `${name} ${colorScheme}`)
    })

    it('ask for the key in a way that everybody can use', async () => {
      const { page } = await openPage(browser, { colorScheme })
      await page.goto(api.url)
      await page.getByLabel('Service key').waitFor()
      expect(await accessibilityFaults(page)).toEqual([])
    })
  })

  it.each(views)('fit %s on a telephone', async (name, at, settled) => {
    const { page } = await openConsole(browser, { api: api.url, key, at }, { viewport: { width: 360, height: 740 } })
    await settled(page).waitFor()
    expect(await sidewaysScroll(page)).toBe(0)
    expect(await accessibilityFaults(page)).toEqual([])
    await takePicture(page, `${name} telephone`)
  })

  it('open what is not as wanted, and the dialog, in a way that everybody can use', async () => {
    const at = '#/projects/P1'
    const { page } = await openConsole(browser, { api: api.url, key, at }, { viewport: { width: 360, height: 740 } })
    await page.getByText('1 of 2 not as wanted').click()
    await page.getByText('it is not active').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(await sidewaysScroll(page)).toBe(0)

    api.answers['POST /dead-letters/redrive'] = { afterMs: 60_000 }
    await page.goto(`${api.url}/#/dead-letters`)
    await page.getByRole('button', { name: 'Hand in again: EXPERIMENT_NOT_FOUND' }).click()
    await page.getByRole('dialog', { name: 'Hand in again' }).getByText('Counting').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(await sidewaysScroll(page)).toBe(0)
  })

  it('do not move while more becomes known', async () => {
    const { page } = await openPage(browser)
    await page.goto(api.url)
    await page.evaluate(() => {
      const shifts: number[] = []
      Object.assign(window, { shifts })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value)
      }).observe({ type: 'layout-shift', buffered: true })
    })
    await page.getByLabel('Service key').fill(key)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await views[0][2](page).waitFor()
    for (const [, at, settled] of views.slice(1)) {
      await page.goto(`${api.url}/${at}`)
      await settled(page).waitFor()
    }
    const shifts: number[] = await page.evaluate('shifts')
    // As web.dev has it: up to 0.1 a page counts as good. This is the sum over all views, with the way from one to the next.
    expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.1)
  })

  it('are gone through by keyboard alone', async () => {
    const { page } = await openConsole(browser, { api: api.url, key, at: '#/projects' })
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
    const tabTo = async (text: string) => {
      for (let step = 0; step < 40 && !(await focused()).startsWith(text); step += 1) await page.keyboard.press('Tab')
      expect(await focused()).toMatch(new RegExp(`^${text}`))
    }
    await views[0][2](page).waitFor()
    await tabTo('Heart study')
    await page.keyboard.press('Enter')
    await page.getByText('ACC000000').waitFor()

    await tabTo('Failed')
    await page.keyboard.press('Enter')
    await page.getByText('6 of 57 studies').waitFor()
    const grid = page.getByRole('grid', { name: 'Studies' })
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press('Tab')
      if (await grid.evaluate((element) => element === document.activeElement)) break
    }
    await page.keyboard.press('Space')
    await page.keyboard.press('Shift+ArrowDown')
    await page.getByText('2 selected').waitFor()
    await page.keyboard.press('Escape')
    await page.getByText('None selected').waitFor()
  })
})
