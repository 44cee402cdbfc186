// The whole way of a metric: what the functions write in the local stack, what infra/README.md says of it, and what the
// alarms and the dashboard of the packaged template look for.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import * as z from 'zod'
import { functionsOf, resourcesOf, type Template } from '../../infra/deployment/template.ts'
import { type Stack, startStack } from '../../infra/local/stack.ts'
import { studyStates } from '../../lib/imports/study-state.ts'
import { parseJson } from '../../lib/json.ts'
import { type PackagedService, packagedService } from '../support/packaged-service.ts'

const namespace = 'xnat-conduit/dev'
/** Studies that the stand-in's PACS has. */
const cohort = 12

// CloudWatch user guide, "Specification: Embedded metric format".
const Line = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.tuple([
      z.object({
        Namespace: z.literal(namespace),
        Dimensions: z.tuple([z.array(z.string())]),
        Metrics: z.array(z.object({ Name: z.string(), Unit: z.string() })),
      }),
    ]),
  }),
})

interface Measured {
  /** As in serverless.yml. */
  by: string
  name: string
  unit: string
  dimensions: Record<string, string>
  values: number[]
}

let service: PackagedService
let template: Template
let stack: Stack
const measured: Measured[] = []

beforeAll(async () => {
  service = await packagedService()
  template = await service.template()
  stack = await startStack({
    service: inject('service'),
    log: (by, line) => measured.push(...measuredIn(by, line)),
  })
  await work()
}, 180_000)
afterAll(async () => {
  await stack.stop()
  await service.remove()
})

function measuredIn(by: string, line: string): Measured[] {
  const { data } = Line.safeParse(parseJson(line))
  if (data === undefined) return []
  const [{ Dimensions, Metrics }] = data._aws.CloudWatchMetrics
  const [names] = Dimensions
  const dimensions = Object.fromEntries(names.map((name) => [name, z.string().parse(data[name])]))
  return Metrics.map(({ Name: name, Unit: unit }) => {
    const values = z.array(z.number()).max(100).parse(data[name])
    return { by, name, unit, dimensions, values }
  })
}

const soon = { timeout: 60_000, interval: 100 }

const totalOf = (by: string, name: string, dimensions: Record<string, string> = {}) =>
  measured
    .filter((one) => one.by === by && one.name === name)
    .filter((one) => Object.entries(dimensions).every(([key, value]) => one.dimensions[key] === value))
    .flatMap(({ values }) => values)
    .reduce((sum, value) => sum + value, 0)

/** A cohort from the PACS, a delivery that goes well and one that cannot, a sweep, and XNAT in trouble. */
async function work(): Promise<void> {
  const { api, serviceKey, s3: place, xnat } = stack.description
  const ask = async (method: string, path: string, body?: unknown) => {
    const headers = { [serviceKey.header]: serviceKey.key, 'content-type': 'application/json' }
    return (
      await fetch(api + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    ).text()
  }
  const failNext = (fault: object) =>
    fetch(`${xnat.url}/__stand-in/faults`, { method: 'POST', body: JSON.stringify(fault) })
  const { endpoint, region, buckets, ...credentials } = place
  const s3 = new S3Client({ endpoint, region, credentials })
  const put = (key: string) => s3.send(new PutObjectCommand({ Bucket: buckets['incoming'], Key: key, Body: 'content' }))

  const hubProjectId = '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b'
  const created = await ask('POST', '/projects/create-project-from-central-hub-project', {
    project_id: hubProjectId,
    trust_id: hubProjectId,
    project_name: 'Measured',
    query: 'SELECT accession_id FROM omop.image_occurrence',
  })
  const { ID } = z.object({ ID: z.string() }).parse(JSON.parse(created))
  await put(`projects/${ID}/resources/NOTES/files/a.txt`)
  await put(`projects/${ID}/subjects/S1/experiments/NOWHERE/scans/1/resources/DICOM/files/1.dcm`)
  s3.destroy()
  await vi.waitFor(() => {
    expect(totalOf('deliverFiles', 'FilesVerified')).toBe(1)
    expect(totalOf('deliverFiles', 'DeadLetters')).toBe(1)
    expect(totalOf('importStudies', 'PacsFinds')).toBe(cohort)
  }, soon)
  await stack.functions.invokeNow('sweepImports')

  await failNext({ when: { method: 'POST', path: '^/data/JSESSION' }, kind: 'status', status: 401 })
  await ask('GET', '/users')
  await failNext({ when: { path: '^/data/projects' }, kind: 'status', status: 503, times: 10 })
  await ask('GET', '/projects')
  await vi.waitFor(() => expect(totalOf('projects', 'RequestsFailed')).toBe(1), soon)
}

describe('what is measured', () => {
  it('of deliveries: files and bytes that were sent and proved, and what failed, by code', () => {
    const ofDelivery = (name: string) => totalOf('deliverFiles', name)
    expect(['FilesDelivered', 'FilesVerified', 'FilesHealed', 'BytesDelivered'].map(ofDelivery)).toEqual([1, 1, 0, 7])
    const failure = { Function: 'xnat-conduit-dev-deliverFiles', Code: 'EXPERIMENT_NOT_FOUND' }
    expect(totalOf('deliverFiles', 'MessagesFailed', failure)).toBe(1)
    expect(totalOf('deliverFiles', 'DeadLetters', failure)).toBe(1)
  })

  it('of imports: where the studies of a cohort stand, what was asked of the PACS, and what DQR holds', () => {
    const looks = totalOf('importCohort', 'Studies') / cohort
    expect(looks).toBeGreaterThan(0)
    expect(Number.isInteger(looks)).toBe(true)
    const states = measured.filter(({ name }) => name === 'Studies').map(({ dimensions }) => dimensions['State'])
    expect(states.filter((state) => !studyStates.some((known) => known === state))).toEqual([])
    expect(totalOf('importCohort', 'StudiesRequested')).toBe(cohort)
    expect(totalOf('importStudies', 'PacsFinds')).toBe(cohort)
    expect(measured.some(({ by, name }) => by === 'importCohort' && name === 'DqrOutstanding')).toBe(true)
  })

  it('of sweeps: how many projects, and how late', () => {
    expect(totalOf('sweepImports', 'ProjectsSwept')).toBe(1)
    const lags = measured.filter(({ by, name }) => by === 'sweepImports' && name === 'SweepLag')
    expect(lags).toMatchObject([{ unit: 'Milliseconds', values: [expect.any(Number)] }])
  })

  it('of XNAT: requests and their time, and when it fails or refuses the account', () => {
    expect(totalOf('users', 'XnatSignInsRefused')).toBe(1)
    expect(totalOf('users', 'XnatUnreachable')).toBe(0)
    expect(totalOf('projects', 'XnatUnreachable')).toBeGreaterThan(1)
    expect(totalOf('projects', 'XnatRetries')).toBe(totalOf('projects', 'XnatUnreachable') - 1)
    expect(totalOf('projects', 'RequestsFailed', { Code: 'XNAT_BUSY' })).toBe(1)
    expect(totalOf('projects', 'XnatRequests')).toBeGreaterThan(totalOf('projects', 'XnatSignIns'))
  })

  it('is what infra/README.md says, each with its unit and its dimensions', () => {
    const runbook = readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8')
    const rows = [...runbook.matchAll(/^\| `(\w+)` \| (\w+) \| ([\w, ]+|-) \|/gm)]
    const written = new Set(measured.map(({ name, unit, dimensions }) => row(name, unit, Object.keys(dimensions))))
    expect(
      rows.map(([, name = '', unit = '', by = '']) => row(name, unit, by === '-' ? [] : by.split(', '))).toSorted(),
    ).toEqual([...written].toSorted())
  })
})

const row = (name: string, unit: string, dimensions: readonly string[]) =>
  `${name} in ${unit} by ${dimensions.toSorted().join(', ')}`
const kind = (name: string, dimensions: readonly string[]) => `${name} by ${dimensions.toSorted().join(', ')}`
const written = () => new Set(measured.map(({ name, dimensions }) => kind(name, Object.keys(dimensions))))

const Alarm = z.looseObject({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.json() })).default([]),
})

describe('what is looked for', () => {
  it('by alarms is written, under the names that functions have', () => {
    const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => Alarm.parse(Properties))
      .filter(({ Namespace }) => Namespace === namespace)
    expect(alarms.length).toBeGreaterThan(3)
    for (const { MetricName, Dimensions } of alarms) {
      expect(written()).toContain(
        kind(
          MetricName,
          Dimensions.map(({ Name }) => Name),
        ),
      )
    }
    const functions = alarms.flatMap(({ Dimensions }) => Dimensions.filter(({ Name }) => Name === 'Function'))
    const names = functionsOf(template).map(({ name }) => name)
    expect(functions.map(({ Value }) => Value).filter((name) => !names.includes(String(name)))).toEqual([])
  })

  it('by the dashboard is written, and all that is written is on it', () => {
    const [, dashboard] = resourcesOf(template, 'AWS::CloudWatch::Dashboard')[0] ?? []
    const { DashboardBody } = z
      .object({ DashboardBody: z.object({ 'Fn::Sub': z.string() }) })
      .parse(dashboard?.Properties)
    const Metric = z.union([z.tuple([z.object({ expression: z.string() })]), z.tuple([z.string()], z.json())])
    const Widget = z.object({ properties: z.looseObject({ metrics: z.array(Metric).default([]) }) })
    const { widgets } = z.object({ widgets: z.array(Widget) }).parse(JSON.parse(DashboardBody['Fn::Sub']))
    const shown = widgets
      .flatMap(({ properties }) => properties.metrics)
      .flatMap(([first, name]) => {
        if (first === namespace) return [kind(String(name), [])]
        if (typeof first === 'string') return []
        const [, within, dimensions = '', metric = ''] =
          /^SEARCH\('\{"([^"]+)",([\w,]+)\} MetricName="(\w+)"'/.exec(first.expression) ?? []
        expect(within).toBe(namespace)
        return [kind(metric, dimensions.split(','))]
      })
    expect([...new Set(shown)].toSorted()).toEqual([...written()].toSorted())
  })
})
