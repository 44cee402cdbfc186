// The key that the operator gave. It is kept for this tab and for as long as the tab lives, nowhere else.
import { signal } from '@preact/signals'

const storageName = 'service-key'

/** Undefined until one was given that the API took. */
export const serviceKey = signal(sessionStorage.getItem(storageName) ?? undefined)

/** Why the key is asked for again. */
export const refusal = signal<string | undefined>(undefined)

export function keepKey(key: string): void {
  sessionStorage.setItem(storageName, key)
  refusal.value = undefined
  serviceKey.value = key
}

export function forgetKey(why?: string): void {
  sessionStorage.removeItem(storageName)
  refusal.value = why
  serviceKey.value = undefined
}
