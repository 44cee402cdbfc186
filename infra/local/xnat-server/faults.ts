import * as z from 'zod'

const kinds = [
  'status',
  'hang',
  'slow',
  'cut-before',
  'cut-during-request',
  'cut-during-reply',
  '500-after-write',
  'login-page',
  'redirect-to-login',
  'unauthorized',
  'truncate-store',
] as const
export type FaultKind = (typeof kinds)[number]

export interface Fault {
  when?: { method?: string; path?: RegExp }
  kind: FaultKind
  /** For `status`; 503 unless given. */
  status?: number
  /** For `slow`; 1000 unless given. */
  delayMs?: number
  /** How many matching requests it hits; 1 unless given. */
  times?: number
}

/** A fault as a script in another process sends it: the path is the source of a regular expression. */
export const FaultOrder = z
  .strictObject({
    when: z
      .strictObject({
        method: z.string().optional(),
        path: z.string().refine(isPattern, 'not a regular expression').optional(),
      })
      .optional(),
    kind: z.enum(kinds),
    status: z.number().int().min(400).max(599).optional(),
    delayMs: z.number().nonnegative().optional(),
    times: z.number().int().positive().optional(),
  })
  .transform(
    ({ when, kind, ...rest }): Fault => ({
      kind,
      ...definedOnly(rest),
      when: {
        ...(when?.method !== undefined && { method: when.method }),
        ...(when?.path !== undefined && { path: new RegExp(when.path) }),
      },
    }),
  )

function isPattern(source: string): boolean {
  try {
    new RegExp(source)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** Arranged misbehaviour: each fault hits the next requests that fit it, oldest fault first, one fault per request. */
export class Faults {
  #pending: { fault: Fault; left: number }[] = []

  next(fault: Fault): void {
    this.#pending.push({ fault, left: fault.times ?? 1 })
  }

  clear(): void {
    this.#pending = []
  }

  /** The fault for this request, used up by asking. */
  take(method: string, path: string): Fault | undefined {
    const hit = this.#pending.find(({ fault }) => fits(fault, method, path))
    if (hit === undefined) return undefined
    hit.left -= 1
    if (hit.left === 0) this.#pending = this.#pending.filter((pending) => pending !== hit)
    return hit.fault
  }
}

function fits({ when }: Fault, method: string, path: string): boolean {
  return (when?.method === undefined || when.method === method) && (when?.path === undefined || when.path.test(path))
}

function definedOnly(order: { status?: number | undefined; delayMs?: number | undefined; times?: number | undefined }) {
  return {
    ...(order.status !== undefined && { status: order.status }),
    ...(order.delayMs !== undefined && { delayMs: order.delayMs }),
    ...(order.times !== undefined && { times: order.times }),
  }
}
