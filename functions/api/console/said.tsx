// What just came of something that the operator did: shown for a while, and read out.
import { signal } from '@preact/signals'

const said = signal<{ text: string; isFailure: boolean } | undefined>(undefined)
let timer: ReturnType<typeof setTimeout> | undefined

const shownMs = 8_000

export function say(text: string, { isFailure = false } = {}): void {
  said.value = { text, isFailure }
  clearTimeout(timer)
  timer = setTimeout(() => {
    said.value = undefined
  }, shownMs)
}

/** Does what the operator asked for, and says so when it fails. */
export async function attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    say(error.message, { isFailure: true })
    return undefined
  }
}

export function Said() {
  const { text = '', isFailure = false } = said.value ?? {}
  return (
    <div class={`said${text === '' ? '' : ' shown'}${isFailure ? ' failure' : ''}`} role="status">
      {text}
    </div>
  )
}
