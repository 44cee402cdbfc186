/** Answers to equal questions: asked at the same time they share one, and for a while the last one is given again. */
export interface SharedAnswers<Answer> {
  /** What `ask` gives, now or a moment ago. A failure is shared by those who wait for it, and not kept. */
  get(question: string, ask: () => Promise<Answer>): Promise<Answer>
}

interface Kept<Answer> {
  answer: Promise<Answer>
  /** Absent while it is being worked out. */
  until?: number
}

/** Keeps answers for `keptMs` milliseconds, and at most `most` of them, the newest. */
export function sharedAnswers<Answer>(keptMs: number, most = 200): SharedAnswers<Answer> {
  const kept = new Map<string, Kept<Answer>>()
  return {
    get(question, ask) {
      const known = kept.get(question)
      if (known !== undefined && (known.until === undefined || performance.now() < known.until)) return known.answer
      const fresh: Kept<Answer> = { answer: ask() }
      kept.delete(question)
      kept.set(question, fresh)
      const [oldest] = kept.keys()
      if (kept.size > most && oldest !== undefined) kept.delete(oldest)
      const forget = () => {
        if (kept.get(question) === fresh) kept.delete(question)
      }
      fresh.answer.then(() => {
        fresh.until = performance.now() + keptMs
        if (keptMs === 0) forget()
      }, forget)
      return fresh.answer
    },
  }
}
