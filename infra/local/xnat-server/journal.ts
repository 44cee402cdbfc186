import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import * as z from 'zod'

const Change = z.object({ table: z.string(), key: z.string(), record: z.unknown().optional() })
export type Change = z.infer<typeof Change>

/** One line per change, appended before the change is acknowledged. A line torn by a crash is dropped. */
export class Journal {
  readonly #path: string
  #descriptor: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  read(): Change[] {
    if (!existsSync(this.#path)) return []
    const lines = readFileSync(this.#path, 'utf8').split('\n')
    // The part after the last newline is empty, or the torn end of a line that was never acknowledged.
    return lines.slice(0, -1).map((line) => Change.parse(JSON.parse(line)))
  }

  /** Replaces the history by the present state, then goes on appending. */
  rewrite(changes: Iterable<Change>): void {
    const next = `${this.#path}.next`
    const text = [...changes].map((change) => `${JSON.stringify(change)}\n`).join('')
    writeFileSync(next, text)
    renameSync(next, this.#path)
    this.#descriptor = openSync(this.#path, 'a')
  }

  append(change: Change): void {
    if (this.#descriptor === undefined) throw new Error('the journal is not open')
    writeSync(this.#descriptor, `${JSON.stringify(change)}\n`)
  }

  close(): void {
    if (this.#descriptor === undefined) return
    fsyncSync(this.#descriptor)
    closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
