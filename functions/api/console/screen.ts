// What the screen is like, as far as more than style sheets have to know it.
import { type ReadonlySignal, signal } from '@preact/signals'

function matches(query: string): ReadonlySignal<boolean> {
  const media = matchMedia(query)
  const isMatching = signal(media.matches)
  media.addEventListener('change', () => {
    isMatching.value = media.matches
  })
  return isMatching
}

/** As `page.css` has it. */
export const isNarrow = matches('(max-width: 44rem)')
export const isDark = matches('(prefers-color-scheme: dark)')

/** The time, moved on now and then: what is said relative to it stays true. */
export const now = signal(new Date())
setInterval(() => {
  if (!document.hidden) now.value = new Date()
}, 10_000)
