import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { QueueName, Redrive } from './answers.ts'
import { redrive } from './api.ts'
import { count, counted } from './format.ts'

export interface Choice {
  queue: QueueName
  /** Undefined: all. */
  codes: string[] | undefined
}

type Step =
  | { kind: 'counting' }
  | { kind: 'counted'; would: Redrive }
  | { kind: 'moving'; moved: number }
  | { kind: 'done'; moved: number; isComplete: boolean }
  | { kind: 'failed'; message: string; moved: number }

/** Counts first what would be handed in again, and does it when told to. */
export function RedriveDialog({ choice, onClose }: { choice: Choice; onClose: (hasMoved: boolean) => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const step = useSignal<Step>({ kind: 'counting' })
  useEffect(() => {
    dialog.current?.showModal()
    void countLetters(choice, step)
  }, [])
  const close = () => onClose('moved' in step.value && step.value.moved > 0)
  const would = step.value.kind === 'counted' ? step.value.would : undefined
  return (
    <dialog
      ref={dialog}
      aria-labelledby="redrive-title"
      onCancel={(event) => {
        // What is being moved goes on; who looks away would not learn how it ended.
        if (step.value.kind === 'moving') event.preventDefault()
      }}
      onClose={close}
    >
      <h2 id="redrive-title">Hand in again</h2>
      <p>
        Queue <b>{choice.queue}</b>, {choice.codes === undefined ? 'all codes' : <code>{choice.codes.join(', ')}</code>}
      </p>
      <div class="step" role="status">
        <StepText step={step.value} />
      </div>
      <div class="buttons">
        {would !== undefined && would.messages > 0 && (
          <button type="button" class="primary" onClick={() => void moveAll(choice, would, step)}>
            Hand in {count(would.messages)}
          </button>
        )}
        <button type="button" onClick={() => dialog.current?.close()} disabled={step.value.kind === 'moving'}>
          {step.value.kind === 'done' || step.value.kind === 'failed' ? 'Close' : 'Cancel'}
        </button>
      </div>
    </dialog>
  )
}

function StepText({ step }: { step: Step }) {
  switch (step.kind) {
    case 'counting':
      return <p>Counting …</p>
    case 'counted':
      return <Counted would={step.would} />
    case 'moving':
      return <p>{count(step.moved)} handed in …</p>
    case 'done':
      return (
        <p>
          <b>{counted(step.moved, 'letter')}</b> handed in again.
          {step.isComplete ? '' : ' There are more, which were not seen: do it again.'}
        </p>
      )
    case 'failed':
      return (
        <p class="problem">
          {step.message} {step.moved > 0 && `${count(step.moved)} were handed in before.`}
        </p>
      )
  }
}

const Counted = ({ would: { messages, codes, isComplete } }: { would: Redrive }) => (
  <>
    <p>
      <b>{counted(messages, 'letter')}</b> would be handed in again.
      {isComplete ? '' : ' There are more, which were not seen.'}
    </p>
    <ul>
      {codes.map(({ code, messages: some }) => (
        <li key={code}>
          <code>{code}</code> {count(some)}
        </li>
      ))}
    </ul>
  </>
)

const request = ({ queue, codes }: Choice) => ({ queue, ...(codes !== undefined && { codes }) })

function countLetters(choice: Choice, step: Signal<Step>): Promise<void> {
  return orFailed(step, async () => {
    const { value: would } = await redrive({ ...request(choice), dryRun: true })
    step.value = { kind: 'counted', would }
  })
}

/** One request moves what it can in its time; others go on, with those alone that lay there when they were counted. */
function moveAll(choice: Choice, { before }: Redrive, step: Signal<Step>): Promise<void> {
  return orFailed(step, async () => {
    for (let moved = 0; ; ) {
      step.value = { kind: 'moving', moved }
      const { value: turn } = await redrive({ ...request(choice), dryRun: false, before })
      moved += turn.messages
      if (turn.isComplete || turn.messages === 0) {
        step.value = { kind: 'done', moved, isComplete: turn.isComplete }
        return
      }
    }
  })
}

async function orFailed(step: Signal<Step>, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const moved = 'moved' in step.value ? step.value.moved : 0
    step.value = { kind: 'failed', message: error.message, moved }
  }
}
