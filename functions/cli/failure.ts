/** What the command line ends with. Scripts rely on it: a number keeps its meaning. */
export const exitCodes = {
  done: 0,
  /** Refused, or failed in a way that trying again will not mend. */
  failed: 1,
  /** The command, its options or its profile are not right; nothing was asked of the API. */
  usage: 2,
  /** Done in part: the same command again goes on. */
  incomplete: 3,
  /** The API is busy or cannot be reached: later it may do. */
  unavailable: 4,
  /** The API refused the service key. */
  keyRefused: 5,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends the command with a sentence for its user and an exit code for scripts. */
export class Failure extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode, options?: { cause?: unknown }) {
    super(message, options)
    this.exitCode = exitCode
  }
}

export const usageFailure = (message: string) => new Failure(message, exitCodes.usage)
