import type { FunctionFailure } from './environment-protocol.ts'

/** An invocation that brought no result. `errorType` is Lambda's word for it, or the name of the error thrown. */
export class InvocationError extends Error {
  readonly errorType: string
  readonly trace: readonly string[]

  constructor(failure: FunctionFailure) {
    super(failure.errorMessage)
    this.name = 'InvocationError'
    this.errorType = failure.errorType
    this.trace = failure.trace
  }
}
