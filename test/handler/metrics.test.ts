import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { DeliveryError, StorageError, XnatError } from '../../lib/errors.ts'
import { apiHandler, queueHandler, route, scheduleHandler } from '../../lib/handler.ts'
import { createMetrics, type Dimensions, type MetricName } from '../../lib/metrics.ts'
import { measureRequest } from '../../lib/xnat-metrics.ts'
import { httpEvent, lambdaContext, sqsEvent } from '../support/events.ts'
import { testWired } from '../support/wired.ts'

function collector() {
  const lines: string[] = []
  const metrics = createMetrics({
    namespace: 'test',
    write: (line) => lines.push(line),
    now: () => new Date(1_700_000_000_000),
  })
  return { metrics, written: () => lines.map((line) => JSON.parse(line)) }
}

describe('a metric', () => {
  it("is a line in CloudWatch's embedded format", () => {
    const { metrics, written } = collector()
    metrics.add('FilesDelivered', 3)
    metrics.add('BytesDelivered', 500)
    metrics.flush()

    expect(written()).toEqual([
      {
        _aws: {
          Timestamp: 1_700_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: 'test',
              Dimensions: [[]],
              Metrics: [
                { Name: 'FilesDelivered', Unit: 'Count' },
                { Name: 'BytesDelivered', Unit: 'Bytes' },
              ],
            },
          ],
        },
        FilesDelivered: [3],
        BytesDelivered: [500],
      },
    ])
  })

  it('is added up until it is written, for each set of dimensions, and written once', () => {
    const { metrics, written } = collector()
    for (const Code of ['A', 'B', 'A']) metrics.add('MessagesFailed', 1, { Function: 'f', Code })
    metrics.flush()
    metrics.flush()

    expect(written()).toMatchObject([
      { Function: 'f', Code: 'A', MessagesFailed: [2] },
      { Function: 'f', Code: 'B', MessagesFailed: [1] },
    ])
  })

  it('keeps every value of a latency, a hundred to a line, as CloudWatch takes them', () => {
    const { metrics, written } = collector()
    for (let ms = 0; ms < 250; ms += 1) {
      metrics.add('XnatLatency', ms)
      metrics.add('XnatRequests', 1)
    }
    metrics.flush()

    expect(written().map((line) => line.XnatLatency.length)).toEqual([100, 100, 50])
    expect(written().flatMap((line) => line.XnatRequests ?? [])).toEqual([250])
    expect(written()[2]._aws.CloudWatchMetrics[0].Metrics).toEqual([{ Name: 'XnatLatency', Unit: 'Milliseconds' }])
  })

  it('has a name and dimensions of the list, whatever the types were made to believe', () => {
    const { metrics, written } = collector()
    const smuggled: { name: MetricName; dimensions: Dimensions } = JSON.parse(
      '{"name":"SMITH^JOHN","dimensions":{"Code":"A","ProjectId":"P1","patient":"SMITH"}}',
    )
    metrics.add(smuggled.name, 1)
    metrics.add('DeadLetters', 1, smuggled.dimensions)
    metrics.flush()

    expect(written()).toMatchObject([{ Code: 'A', DeadLetters: [1] }])
    expect(JSON.stringify(written())).not.toMatch(/SMITH|P1/)
  })
})

describe('an exchange with XNAT', () => {
  const measured = (record: Partial<Parameters<typeof measureRequest>[1]>) => {
    const { metrics, written } = collector()
    measureRequest(metrics, {
      method: 'GET',
      pathTemplate: '/data/projects',
      status: 200,
      durationMs: 12.4,
      attempt: 1,
      ...record,
    })
    metrics.flush()
    const [{ _aws, ...values }] = written()
    return values
  }

  it.each([
    ['counts with its latency', {}, { XnatRequests: [1], XnatUnreachable: [0], XnatLatency: [12] }],
    ['counts as a retry from the second try on', { attempt: 2 }, { XnatRetries: [1] }],
    ['counts as unreachable when no answer came', { status: undefined }, { XnatUnreachable: [1] }],
    ['counts as unreachable when a proxy answers for it', { status: 503 }, { XnatUnreachable: [1] }],
    ['is no outage when XNAT has a fault of its own', { status: 500 }, { XnatUnreachable: [0] }],
    ['counts as a sign-in', { method: 'POST', pathTemplate: '/data/JSESSION' } as const, { XnatSignIns: [1] }],
    [
      'counts as a sign-in that was refused',
      { method: 'POST', pathTemplate: '/data/JSESSION', status: 401 } as const,
      { XnatSignIns: [1], XnatSignInsRefused: [1], XnatUnreachable: [0] },
    ],
    ['counts as a C-FIND', { method: 'POST', pathTemplate: '/xapi/dqr/query/studies' } as const, { PacsFinds: [1] }],
  ])('%s', (_, record, expected) => {
    expect(measured(record)).toMatchObject(expected)
  })
})

describe('what an invocation measured', () => {
  const values = ({ measured }: ReturnType<typeof testWired>) => measured.map(({ _aws, ...rest }) => rest)

  it('is written when it ends, also when it failed', async () => {
    const wired = testWired()
    const handler = scheduleHandler(
      async (_, { metrics }) => {
        metrics.add('ProjectsSwept', 2)
        throw new Error('then it failed')
      },
      () => wired,
    )
    await expect(handler({ time: '2026-01-01T00:00:00Z' }, lambdaContext())).rejects.toThrow('UNEXPECTED')

    expect(values(wired)).toEqual([{ ProjectsSwept: [2] }])
  })

  it('tells failed messages and dead letters by code', async () => {
    const wired = testWired()
    const errors = new Map<string, Error>([
      ['never', new DeliveryError('no', { code: 'EXPERIMENT_NOT_FOUND' })],
      ['later', new StorageError('busy', { code: 'STORAGE_BUSY' })],
    ])
    const handler = queueHandler(
      {
        message: z.string(),
        source: ({ deliveries }) => deliveries,
        work: async (word) => {
          const error = errors.get(word)
          if (error !== undefined) throw error
        },
      },
      () => wired,
    )
    await handler(sqsEvent(['"never"', '"later"', '"fine"']), lambdaContext())

    expect(values(wired)).toEqual([
      { Function: 'test', Code: 'EXPERIMENT_NOT_FOUND', MessagesFailed: [1], DeadLetters: [1] },
      { Function: 'test', Code: 'STORAGE_BUSY', MessagesFailed: [1] },
    ])
  })

  it("tells requests that failed by our fault or XNAT's by code, and no others", async () => {
    const wired = testWired()
    const failing = (path: string, code: 'XNAT_NOT_FOUND' | 'XNAT_UNREACHABLE') =>
      route({
        method: 'GET',
        path,
        operationId: path,
        summary: path,
        isOpen: true,
        request: z.object({}),
        answer: z.object({}),
        run: async () => {
          throw new XnatError({ code, method: 'GET', pathTemplate: '/data' })
        },
      })
    const handler = apiHandler([failing('/a', 'XNAT_NOT_FOUND'), failing('/b', 'XNAT_UNREACHABLE')], () => wired)
    for (const path of ['/a', '/b']) await handler(httpEvent({ path }), lambdaContext())

    expect(values(wired)).toEqual([{ Function: 'test', Code: 'XNAT_UNREACHABLE', RequestsFailed: [1] }])
  })
})
