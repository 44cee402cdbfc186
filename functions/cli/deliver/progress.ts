// How far a delivery has come: a bar where somebody looks on, now and then a line where nobody does.
import type { Terminal } from '../terminal.ts'

export interface Progress {
  /** `share` of this step is done, from 0 to 1. */
  show(step: string, share: number, text: string): void
}

const barWidth = 24
/** How often a bar is drawn, and a line written. */
const everyMs = { bar: 100, line: 10_000 }

export function showProgress(terminal: Terminal, now: () => number = Date.now): Progress {
  let last = { step: '', text: '', atMs: 0 }
  return {
    show(step, share, text) {
      const isNew = step !== last.step || (share >= 1 && text !== last.text)
      const pauseMs = terminal.isWatched ? everyMs.bar : everyMs.line
      if (!isNew && now() - last.atMs < pauseMs) return
      last = { step, text, atMs: now() }
      if (terminal.isWatched) terminal.progress(`${step.padEnd(9)} [${bar(share)}] ${text}`)
      else terminal.tell(`${step}: ${text}`)
    },
  }
}

const bar = (share: number) => '#'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '-')

const units = ['B', 'kB', 'MB', 'GB', 'TB']

/** Three digits are enough to see it grow. */
export function readableBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  const value = bytes / 1000 ** power
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`
}
