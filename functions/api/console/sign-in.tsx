import { useSignal } from '@preact/signals'
import { tryKey } from './api.ts'
import { keepKey, refusal } from './service-key.ts'

/** Asks for the service key, and keeps it when the API takes it. */
export function SignIn() {
  const key = useSignal('')
  const problem = useSignal<string | undefined>(undefined)
  const isAsking = useSignal(false)

  const enter = async (event: Event) => {
    event.preventDefault()
    isAsking.value = true
    refusal.value = undefined
    problem.value = undefined
    try {
      await tryKey(key.value)
      keepKey(key.value)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      problem.value = error.message
    } finally {
      isAsking.value = false
    }
  }

  return (
    <main class="sign-in">
      <form onSubmit={enter}>
        <img src="/console/icon.svg" alt="" width="40" height="40" />
        <h1>xnat-conduit</h1>
        <label for="key">Service key</label>
        <input
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          value={key}
          aria-describedby="key-kept key-problem"
          onInput={(event) => {
            key.value = event.currentTarget.value
          }}
        />
        <button type="submit" class="primary" disabled={isAsking}>
          {isAsking.value ? 'Asking …' : 'Open the console'}
        </button>
        <p id="key-kept" class="faint">
          The key stays in this tab and is gone when you close it.
        </p>
        <p id="key-problem" class="problem" role="alert">
          {problem.value ?? refusal.value ?? ''}
        </p>
      </form>
    </main>
  )
}
