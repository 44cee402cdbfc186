import { AppError } from './errors.ts'

const levels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]

/**
 * The only fields that a log line can carry. Each holds an id made by us or by AWS, a count, a time or a code.
 * What people chose or patients have (labels, accession numbers, file names, e-mails, queries) has no place here.
 */
const allowedFields = [
  'requestId', 'functionName', 'route', 'method', 'status', 'outcome', 'code', 'retry', 'errorName', 'stack',
  'deliveryId', 'uploadId', 'downloadId', 'messageId', 'orders', 'messages', 'records', 'files', 'bytes', 'unchanged',
  'superseded', 'refused', 'attempt', 'ms', 'pathTemplate', 'projectId', 'subjectId', 'experimentId', 'eventName',
  'studies', 'requested', 'waiting', 'projects',
] as const // biome-ignore format: a list to read at a glance
type Field = (typeof allowedFields)[number]
export type LogFields = Partial<Record<Field, string | number | boolean | undefined>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger whose every line carries these fields too. */
  with(fields: LogFields): Logger
}

/**
 * One JSON line per call. The message is a constant that can be searched for; the facts are fields.
 * Fields that are not on the list are left out, also when the types were circumvented.
 */
export function createLogger(options: { level: LogLevel; write?: (line: string) => void; now?: () => Date }): Logger {
  const write = options.write ?? ((line) => process.stdout.write(line))
  const now = options.now ?? (() => new Date())
  const lowest = levels.indexOf(options.level)

  const bind = (bound: LogFields): Logger => {
    const log = (level: LogLevel) => (message: string, fields?: LogFields) => {
      if (levels.indexOf(level) < lowest) return
      write(`${JSON.stringify({ time: now().toISOString(), level, message, ...pick({ ...bound, ...fields }) })}\n`)
    }
    return {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      with: (fields) => bind({ ...bound, ...fields }),
    }
  }
  return bind({})
}

/** What may be said of an error in a log. Messages of foreign errors are left out: they quote paths and payloads. */
export function errorFields(error: unknown): LogFields {
  if (error instanceof AppError) {
    return { code: error.code, retry: error.retry, errorName: error.name, ...error.context }
  }
  if (error instanceof Error) {
    // The name that an error gives itself may be a server's word: SDKs take it from the answer.
    const errorName = error instanceof DOMException ? error.name : error.constructor.name
    return { code: 'UNEXPECTED', errorName, stack: framesOf(error) }
  }
  return { code: 'UNEXPECTED', errorName: typeof error }
}

/** Where an error comes from. V8 writes its message before that, which may hold lines that look like frames. */
function framesOf({ stack = '', message }: Error): string | undefined {
  const start = stack.indexOf(message)
  // The message was changed since: where the old one ends cannot be told.
  if (start < 0) return undefined
  const lines = stack.slice(start + message.length).split('\n')
  return lines
    .filter((line) => line.startsWith('    at '))
    .slice(0, 8)
    .join('\n')
}

function pick(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    allowedFields.flatMap((name) => {
      const value = fields[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
