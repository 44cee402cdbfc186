// Numbers for CloudWatch in its embedded metric format: lines on stdout that CloudWatch Logs takes metrics from, without a
// call (CloudWatch user guide, "Specification: Embedded metric format").

/**
 * All that is measured; what is not on the list is left out. `sum`: what an invocation adds up; `each`: every value is kept, for percentiles and maxima.
 * Each pair of a metric and a value of its dimensions is billed as a metric, so there are few.
 */
const catalogue = {
  /** Files that were sent to XNAT and found in its catalog. */
  FilesDelivered: { unit: 'Count', keeps: 'sum' },
  /** Files that XNAT's catalog proves, those among them that were there before. */
  FilesVerified: { unit: 'Count', keeps: 'sum' },
  /** Files that XNAT did not list as they were sent at first, and did after they were sent again. */
  FilesHealed: { unit: 'Count', keeps: 'sum' },
  BytesDelivered: { unit: 'Bytes', keeps: 'sum' },
  /** Messages that were not done, by code; they are tried again, or are dead letters. */
  MessagesFailed: { unit: 'Count', keeps: 'sum' },
  /** Requests to the API that were answered with 500 or more, by code. */
  RequestsFailed: { unit: 'Count', keeps: 'sum' },
  /** Messages that were given up, by code. */
  DeadLetters: { unit: 'Count', keeps: 'sum' },
  XnatRequests: { unit: 'Count', keeps: 'sum' },
  /** Second and further tries of a request. */
  XnatRetries: { unit: 'Count', keeps: 'sum' },
  /** Requests without an answer, or with one that says XNAT cannot now (502, 503, 504). */
  XnatUnreachable: { unit: 'Count', keeps: 'sum' },
  /** Until XNAT's answer began. */
  XnatLatency: { unit: 'Milliseconds', keeps: 'each' },
  XnatSignIns: { unit: 'Count', keeps: 'sum' },
  /** Sign-ins that XNAT turned down: a wrong password, or too many sessions. */
  XnatSignInsRefused: { unit: 'Count', keeps: 'sum' },
  /** Queries of the PACS by way of DQR: one C-FIND each. */
  PacsFinds: { unit: 'Count', keeps: 'sum' },
  /** Studies of a project by state, each time that the project is looked at. */
  Studies: { unit: 'Count', keeps: 'each' },
  StudiesRequested: { unit: 'Count', keeps: 'sum' },
  /** Requests that DQR holds for all projects, when a planner asked. */
  DqrOutstanding: { unit: 'Count', keeps: 'each' },
  ProjectsSwept: { unit: 'Count', keeps: 'each' },
  /** From the time a sweep was due until it had put all projects before the planner. */
  SweepLag: { unit: 'Milliseconds', keeps: 'each' },
} as const satisfies Record<string, { unit: 'Count' | 'Bytes' | 'Milliseconds'; keeps: 'sum' | 'each' }>

export type MetricName = keyof typeof catalogue

/** By what a metric is told apart. Visible to operators: codes and names of our own, and no id of a project. */
export interface Dimensions {
  /** A function's name at AWS. */
  Function?: string
  /** An error's code. */
  Code?: string
  /** A study's state. */
  State?: string
}

export interface Metrics {
  add(name: MetricName, value: number, dimensions?: Dimensions): void
  /** Writes what was added since the last time, one line for each set of dimensions. */
  flush(): void
}

// CloudWatch: a metric may have as many values in one line.
const maxValues = 100

/** Collects in memory, so that an invocation with thousands of requests writes a few lines, when it ends. */
export function createMetrics(options: {
  namespace: string
  write?: (line: string) => void
  now?: () => Date
}): Metrics {
  const write = options.write ?? ((line) => process.stdout.write(line))
  const now = options.now ?? (() => new Date())
  const collected = new Map<string, { dimensions: Dimensions; values: Map<MetricName, number[]> }>()

  return {
    add(name, value, given = {}) {
      // Also when the types were circumvented.
      if (!Object.hasOwn(catalogue, name)) return
      const dimensions = pick(given)
      const key = JSON.stringify(Object.entries(dimensions).toSorted())
      const set = collected.get(key) ?? { dimensions, values: new Map<MetricName, number[]>() }
      collected.set(key, set)
      const values = set.values.get(name) ?? []
      set.values.set(name, catalogue[name].keeps === 'sum' ? [(values[0] ?? 0) + value] : [...values, value])
    },
    flush() {
      for (const { dimensions, values } of collected.values()) {
        for (const part of parts(values)) {
          const Metrics = [...part.keys()].map((Name) => ({ Name, Unit: catalogue[Name].unit }))
          const directive = { Namespace: options.namespace, Dimensions: [Object.keys(dimensions)], Metrics }
          const _aws = { Timestamp: now().getTime(), CloudWatchMetrics: [directive] }
          write(`${JSON.stringify({ _aws, ...dimensions, ...Object.fromEntries(part) })}\n`)
        }
      }
      collected.clear()
    },
  }
}

const allowedDimensions = ['Function', 'Code', 'State'] as const

function pick(given: Dimensions): Dimensions {
  return Object.fromEntries(
    allowedDimensions.flatMap((name) => {
      const value = given[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function* parts(values: ReadonlyMap<MetricName, readonly number[]>): Generator<Map<MetricName, readonly number[]>> {
  const longest = Math.max(...[...values.values()].map(({ length }) => length))
  for (let start = 0; start < longest; start += maxValues) {
    const part = [...values].map(([name, all]) => [name, all.slice(start, start + maxValues)] as const)
    yield new Map(part.filter(([, some]) => some.length > 0))
  }
}
