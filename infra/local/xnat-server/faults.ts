import * as z from 'zod'

const kinds = [
  'status',
  'hang',
  'slow',
  'throttle',
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
  /** For `slow`: before the answer. For `throttle`: before each 64 KiB or so of the body are taken. 1000 unless given. */
  delayMs?: number
  /** How many matching requests it hits; 1 unless given. */
  times?: number
  /** Hits only each so-manieth of the matching requests: a session that ends every 50 requests. */
  every?: number
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
    every: z.number().int().positive().optional(),
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
  #pending: { fault: Fault; left: number; seen: number }[] = []

  next(fault: Fault): void {
    this.#pending.push({ fault, left: fault.times ?? 1, seen: 0 })
  }

  clear(): void {
    this.#pending = []
  }

  /** The fault for this request, used up by asking. */
  take(method: string, path: string): Fault | undefined {
    const hit = this.#pending.find((pending) => {
      if (!fits(pending.fault, method, path)) return false
      pending.seen += 1
      return pending.seen % (pending.fault.every ?? 1) === 0
    })
    if (hit === undefined) return undefined
    hit.left -= 1
    if (hit.left === 0) this.#pending = this.#pending.filter((pending) => pending !== hit)
    return hit.fault
  }
}

function fits({ when }: Fault, method: string, path: string): boolean {
  return (when?.method === undefined || when.method === method) && (when?.path === undefined || when.path.test(path))
}

type Figures = Pick<Fault, 'status' | 'delayMs' | 'times' | 'every'>

function definedOnly({ status, delayMs, times, every }: { [name in keyof Figures]: number | undefined }): Figures {
  return {
    ...(status !== undefined && { status }),
    ...(delayMs !== undefined && { delayMs }),
    ...(times !== undefined && { times }),
    ...(every !== undefined && { every }),
  }
}
