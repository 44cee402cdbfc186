// The console in a real browser: Debian's Chromium, as an operator would have it open.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

const executablePath = '/usr/bin/chromium'

export const isThere = existsSync(executablePath)
export const needs = `(skipped without ${executablePath})`

/** Where pictures go that people may look at after a run. */
const pictures = join(import.meta.dirname, '../../.local/screenshots')

export const launch = (): Promise<Browser> =>
  // Chromium's own sandbox needs what containers do not give.
  chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })

export interface OpenPage {
  page: Page
  /** What the page's script failed at, and what its own policy forbade. */
  faults: string[]
}

/** A page of its own, with nothing kept from others; it ends with the test, and is pictured when that fails. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await takePicture(page, `FAILED ${task.name}`)
    await context.close()
  })
  page.setDefaultTimeout(15_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
  })
  return { page, faults }
}

interface ConsolePlace {
  api: string
  key: string
  at?: string
  /** The page's clock is one that `hurried` can move. */
  canHurry?: boolean
}

/** Opens the console at a place such as `#/deliveries`, with the key. */
export async function openConsole(
  browser: Browser,
  { api, key, at = '', canHurry = false }: ConsolePlace,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const opened = await openPage(browser, options)
  if (canHurry) await opened.page.clock.install()
  await opened.page.goto(`${api}/${at}`)
  await enterKey(opened.page, key)
  await opened.page.getByRole('navigation', { name: 'Areas' }).waitFor()
  return opened
}

export async function enterKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('Service key').fill(key)
  await page.getByRole('button', { name: 'Open the console' }).click()
}

/** Waits with the page's clock running ahead: it takes its next look by itself, and nobody waits for its rest. */
export async function hurried<T>(page: Page, waiting: Promise<T>): Promise<T> {
  let isOver = false
  const ended = waiting.finally(() => {
    isOver = true
  })
  // Met where it is awaited.
  ended.catch(() => undefined)
  while (!isOver) {
    await page.clock.fastForward(2_000)
    await sleep(200)
  }
  return ended
}

export async function takePicture(page: Page, name: string): Promise<void> {
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}

/** What axe holds against the page, one line each: what is serious or critical, and where. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Through the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run(document)')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

/** How far the page is wider than the screen. */
export const sidewaysScroll = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
