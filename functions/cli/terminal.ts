// Where a command says things: results on standard output, all else on standard error.
import { createInterface } from 'node:readline/promises'

export interface Streams {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream & { isTTY?: boolean }
}

export interface Terminal {
  /** A result. */
  print(text: string): void
  /** What is worth knowing beside the result. */
  tell(text: string): void
  /** How far the work came: one line that is written over on a terminal, and nothing where nobody looks on. */
  progress(text: string): void
  /** Whether progress is shown. */
  isWatched: boolean
  /** Whether somebody is there to be asked. */
  isInteractive: boolean
  /** Asks for a yes; anything else is a no. */
  confirm(question: string, signal: AbortSignal): Promise<boolean>
}

export function openTerminal({ stdin, stdout, stderr }: Streams): Terminal {
  const isWatched = stderr.isTTY === true
  const isInteractive = stdin.isTTY === true && isWatched
  let isLineOpen = false
  const clearLine = () => {
    if (isLineOpen) stderr.write('\r\u001b[2K')
    isLineOpen = false
  }
  return {
    isWatched,
    isInteractive,
    print: (text) => {
      clearLine()
      stdout.write(`${printable(text)}\n`)
    },
    tell: (text) => {
      clearLine()
      stderr.write(`${printable(text)}\n`)
    },
    progress: (text) => {
      if (!isWatched) return
      clearLine()
      stderr.write(printable(text))
      isLineOpen = true
    },
    async confirm(question, signal) {
      clearLine()
      // Without raw mode, in which Ctrl-C would be a key like any other.
      const asking = createInterface({ input: stdin, output: stderr, terminal: false })
      try {
        return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `, { signal })).trim())
      } finally {
        asking.close()
      }
    },
  }
}

/** Names that people gave to objects must not steer the terminal. */
const printable = (text: string) => text.replaceAll(/[^\P{Cc}\n\t]/gu, '\ufffd')
