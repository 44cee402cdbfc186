export interface LoggedRequest {
  method: string
  /** As sent, query included. */
  path: string
  /** undefined while it is under way, or when the connection was cut without an answer. */
  status: number | undefined
  at: Date
  durationMs: number | undefined
}

/** Every request the stand-in received, its own control requests apart. */
export class RequestLog {
  readonly #requests: LoggedRequest[] = []

  start(method: string, path: string, at: Date): LoggedRequest {
    const request: LoggedRequest = { method, path, status: undefined, at, durationMs: undefined }
    this.#requests.push(request)
    return request
  }

  list(): readonly LoggedRequest[] {
    return this.#requests
  }

  count(method?: string): number {
    return this.#requests.filter((request) => method === undefined || request.method === method).length
  }

  clear(): void {
    this.#requests.length = 0
  }
}
