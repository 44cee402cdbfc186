// What XNAT tells about work under way: lists of messages by transaction, and how each ended (StatusList.java,
// EventTrackingDataService.java). Kept in memory only.

interface StatusMessage {
  status: 'PROCESSING' | 'WARNING' | 'COMPLETED' | 'FAILED'
  msg: string
  terminal: boolean
}

interface Transaction {
  /** The login that may read its messages. */
  loginId: string
  username: string
  messages: StatusMessage[]
}

export class Tracking {
  readonly #transactions = new Map<string, Transaction>()

  start(id: string, { loginId, username }: Pick<Transaction, 'loginId' | 'username'>): void {
    this.#transactions.set(id, { loginId, username, messages: [] })
  }

  add(id: string, message: StatusMessage): void {
    this.#transactions.get(id)?.messages.push(message)
  }

  messages(id: string, loginId: string): StatusMessage[] {
    const found = this.#transactions.get(id)
    return found?.loginId === loginId ? found.messages : []
  }

  /** How it ended, for the user who began it; `succeeded` is null as long as it has not. */
  outcome(id: string, username: string): { succeeded: boolean | null; finalMessage: string | null } | undefined {
    const found = this.#transactions.get(id)
    if (found === undefined || found.username !== username) return undefined
    const last = found.messages.find(({ terminal }) => terminal)
    return { succeeded: last === undefined ? null : last.status === 'COMPLETED', finalMessage: last?.msg ?? null }
  }
}
