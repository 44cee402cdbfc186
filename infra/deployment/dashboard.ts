import { functionsOf, queuesOf, type Resource, type Template } from './template.ts'

interface Widget {
  title: string
  /** In CloudWatch's own form: a metric with its dimensions, or an expression. */
  metrics: unknown[][]
  stat?: string
}

const wide = 12
const high = 6

/** One page that answers, from the top: is anything wrong, is work being done, and where does it wait. */
export function dashboard(
  template: Template,
  { namespace, alarms }: { namespace: string; alarms: string[] },
): Resource {
  const widgets = [...workWidgets(namespace), ...queueWidgets(template), ...functionWidgets(template)].map(
    ({ title, metrics, stat = 'Sum' }, index) => ({
      type: 'metric',
      x: (index % 2) * wide,
      y: high + Math.floor(index / 2) * high,
      width: wide,
      height: high,
      properties: { title, metrics, stat, period: 300, region: `\${AWS::Region}`, view: 'timeSeries' },
    }),
  )
  const arns = alarms.filter((id) => id.endsWith('Alarm')).map((id) => `\${${id}.Arn}`)
  const top = {
    type: 'alarm',
    x: 0,
    y: 0,
    width: 2 * wide,
    height: high,
    properties: { title: 'Alarms', alarms: arns, sortBy: 'stateUpdatedTimestamp' },
  }
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: {
      DashboardName: namespace.replaceAll('/', '-'),
      DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets: [top, ...widgets] }) },
    },
  }
}

function workWidgets(namespace: string): Widget[] {
  const plain = (...names: string[]) => names.map((name) => [namespace, name])
  const by = (metric: string, dimensions: string) => [
    [{ expression: `SEARCH('{"${namespace}",${dimensions}} MetricName="${metric}"', 'Sum')` }],
  ]
  return [
    { title: 'Files', metrics: plain('FilesDelivered', 'FilesVerified', 'FilesHealed') },
    { title: 'Bytes delivered', metrics: plain('BytesDelivered') },
    { title: 'Failed tries by code', metrics: by('MessagesFailed', 'Code,Function') },
    { title: 'Given up by code', metrics: by('DeadLetters', 'Code,Function') },
    { title: 'Failed requests by code', metrics: by('RequestsFailed', 'Code,Function') },
    {
      title: 'Studies by state, the most of one project',
      metrics: [[{ expression: `SEARCH('{"${namespace}",State} MetricName="Studies"', 'Maximum')` }]],
    },
    { title: 'Studies requested, and C-FINDs', metrics: plain('StudiesRequested', 'PacsFinds') },
    { title: "Requests in DQR's queue", metrics: plain('DqrOutstanding'), stat: 'Maximum' },
    {
      title: 'XNAT: until an answer begins (ms)',
      metrics: ['p50', 'p95', 'p99'].map((stat) => [namespace, 'XnatLatency', { stat }]),
    },
    {
      title: 'XNAT: requests',
      metrics: plain('XnatRequests', 'XnatRetries', 'XnatUnreachable', 'XnatSignIns', 'XnatSignInsRefused'),
    },
    { title: 'Sweep: lag (ms)', metrics: plain('SweepLag'), stat: 'Maximum' },
    { title: 'Sweep: projects', metrics: plain('ProjectsSwept'), stat: 'Maximum' },
  ]
}

function queueWidgets(template: Template): Widget[] {
  const queues = queuesOf(template)
  const sqs = (metric: string, isDeadLetters: boolean) =>
    queues
      .filter((queue) => queue.isDeadLetters === isDeadLetters)
      .map(({ name }) => ['AWS/SQS', metric, 'QueueName', name])
  return [
    { title: 'Waiting', metrics: sqs('ApproximateNumberOfMessagesVisible', false), stat: 'Maximum' },
    { title: 'Age of the oldest (s)', metrics: sqs('ApproximateAgeOfOldestMessage', false), stat: 'Maximum' },
    { title: 'Dead letters', metrics: sqs('ApproximateNumberOfMessagesVisible', true), stat: 'Maximum' },
  ]
}

function functionWidgets(template: Template): Widget[] {
  const lambda = (metric: string) =>
    functionsOf(template).map(({ name }) => ['AWS/Lambda', metric, 'FunctionName', name])
  const api = (metric: string, stat: string) => ['AWS/ApiGateway', metric, 'ApiId', `\${HttpApi}`, { stat }]
  return [
    { title: 'Duration (ms)', metrics: lambda('Duration'), stat: 'Maximum' },
    { title: 'Runs at a time', metrics: lambda('ConcurrentExecutions'), stat: 'Maximum' },
    { title: 'Ended without an answer', metrics: lambda('Errors') },
    { title: 'Held back by AWS', metrics: lambda('Throttles') },
    { title: 'API: requests', metrics: [api('Count', 'Sum'), api('4xx', 'Sum'), api('5xx', 'Sum')] },
    { title: 'API: time to answer (ms)', metrics: [api('Latency', 'p50'), api('Latency', 'p95')] },
  ]
}
