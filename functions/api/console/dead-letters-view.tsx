import { useSignal } from '@preact/signals'
import type { DeadLetters, QueueName } from './answers.ts'
import { listDeadLetters } from './api.ts'
import { codeAdvice } from './codes.ts'
import { count, counted, moment } from './format.ts'
import { Polled, Staleness } from './notice.tsx'
import { linkTo } from './places.ts'
import { usePoll } from './poll.ts'
import { ProjectLink } from './project-link.tsx'
import { type Choice, RedriveDialog } from './redrive-dialog.tsx'
import { now } from './screen.ts'

/** SQS shows letters only by handing them out, and hides them from others meanwhile: that is not to happen often. */
const pace = () => ({ leastMs: 60_000, mostMs: 600_000 })

const queueWords: Readonly<Record<QueueName, string>> = {
  uploads: 'What was put into the incoming bucket and could not be routed.',
  deliveries: 'Files that could not be delivered to XNAT.',
  imports: 'Projects whose imports could not be planned. The next sweep looks at them again.',
  studies: 'Studies that the PACS could not be asked for. The next sweep looks at them again.',
  exports: 'Downloads of studies from XNAT to the training clients that could not be done.',
}

export function DeadLettersView() {
  const poll = usePoll(listDeadLetters, { question: 'dead letters', pace })
  const choice = useSignal<Choice | undefined>(undefined)
  return (
    <section>
      <h1>Dead letters</h1>
      <p class="faint">What could not be done and waits for somebody. After the cure, hand it in again.</p>
      <Staleness poll={poll} />
      <Polled poll={poll}>
        {({ queues }) =>
          queues.map((queue) => (
            <Queue
              key={queue.queue}
              letters={queue}
              onRedrive={(codes) => {
                choice.value = { queue: queue.queue, codes }
              }}
            />
          ))
        }
      </Polled>
      {choice.value !== undefined && (
        <RedriveDialog
          choice={choice.value}
          onClose={(hasMoved) => {
            choice.value = undefined
            if (hasMoved) void poll.refresh()
          }}
        />
      )}
    </section>
  )
}

interface QueueProps {
  letters: DeadLetters
  onRedrive: (codes: string[] | undefined) => void
}

function Queue({ letters: { queue, messages, seen, codes }, onRedrive }: QueueProps) {
  return (
    <section class="queue" aria-label={`Queue ${queue}`}>
      <div class="title-line">
        <h2>
          {queue} <span class={messages === 0 ? 'faint' : 'problem'}>{count(messages)}</span>
        </h2>
        {codes.length > 1 && (
          <button type="button" onClick={() => onRedrive(undefined)}>
            Hand in all again …
          </button>
        )}
      </div>
      <p class="faint">
        {queueWords[queue]} {messages === 0 ? 'Nothing waits here.' : seen < messages && `Looked at: ${count(seen)}.`}
      </p>
      <ul class="codes">
        {codes.map((each) => (
          <Code key={each.code} {...each} onRedrive={() => onRedrive([each.code])} />
        ))}
      </ul>
    </section>
  )
}

type CodeProps = DeadLetters['codes'][number] & { onRedrive: () => void }

function Code({ code, messages, samples, onRedrive }: CodeProps) {
  return (
    <li>
      <div class="code-line">
        <code>{code}</code>
        <b>{counted(messages, 'letter')}</b>
        <button type="button" aria-label={`Hand in again: ${code}`} onClick={onRedrive}>
          Hand in again …
        </button>
      </div>
      <p class="faint">{codeAdvice(code)}</p>
      <ul class="samples">
        {samples.map(({ messageId, sentAt, projectId, deliveryId }) => (
          <li key={messageId}>
            <time dateTime={sentAt}>{moment(new Date(sentAt), now.value)}</time>{' '}
            {projectId !== undefined && <ProjectLink id={projectId} />}{' '}
            {deliveryId === undefined ? (
              <code>{messageId}</code>
            ) : (
              <a href={linkTo(['deliveries', deliveryId])}>receipt</a>
            )}
          </li>
        ))}
      </ul>
    </li>
  )
}
