// What wakes somebody. infra/README.md says of each what it means and what to do.
import type { DeploymentSettings } from './settings.ts'
import { functionsOf, queuesOf, type Resource, type Template } from './template.ts'

type Properties = Resource['Properties']

interface Watch {
  /** For whoever is woken; it ends in the runbook's heading. */
  says: string
  namespace: string
  metric: string
  dimensions?: Record<string, Properties[string]>
  statistic: 'Sum' | 'Maximum' | 'SampleCount'
  /** `above` the limit, or `below` it. */
  is: 'above' | 'below'
  limit: number
  periodSeconds: number
  /** How many periods in a row. 1 when left out. */
  periods?: number
  /** Whether nothing measured is a fault too. */
  missingIsFault?: boolean
}

const minutes = 60

/** The alarms, the topic that they are told to, and whoever hears of it. */
export function alarms(template: Template, settings: DeploymentSettings): Record<string, Resource> {
  const { metricsNamespace: namespace, alarmEmail } = settings
  const watches = {
    ...queueWatches(template, settings),
    ...functionWatches(template, settings),
    ...workWatches(settings),
  }
  const subscription = alarmEmail === undefined ? [] : [{ Protocol: 'email', Endpoint: alarmEmail }]
  return {
    AlarmsTopic: {
      Type: 'AWS::SNS::Topic',
      Properties: { DisplayName: namespace, ...(subscription.length > 0 && { Subscription: subscription }) },
    },
    ...Object.fromEntries(
      Object.entries(watches).map(([id, watch]) => [`${id}Alarm`, alarm(`${namespace}/${id}`, watch)]),
    ),
  }
}

function queueWatches(template: Template, { queueAgeLimit }: DeploymentSettings): Record<string, Watch> {
  const watches = queuesOf(template).map(({ logicalId, isDeadLetters }): [string, Watch] => {
    const queue: Pick<Watch, 'namespace' | 'dimensions' | 'statistic' | 'is' | 'periodSeconds'> = {
      namespace: 'AWS/SQS',
      dimensions: { QueueName: { 'Fn::GetAtt': [logicalId, 'QueueName'] } },
      statistic: 'Maximum',
      is: 'above',
      periodSeconds: 5 * minutes,
    }
    if (isDeadLetters) {
      const says = 'Work was given up. Runbook: dead letters'
      return [`${logicalId}NotEmpty`, { ...queue, says, metric: 'ApproximateNumberOfMessagesVisible', limit: 0 }]
    }
    const says = 'A message has waited too long. Runbook: age of a queue'
    return [`${logicalId}Old`, { ...queue, says, metric: 'ApproximateAgeOfOldestMessage', limit: queueAgeLimit }]
  })
  return Object.fromEntries(watches)
}

function functionWatches(
  template: Template,
  { metricsNamespace, unverifiedLimit }: DeploymentSettings,
): Record<string, Watch> {
  const watches = functionsOf(template).flatMap(({ id, name }): [string, Watch][] => {
    const lambda = {
      namespace: 'AWS/Lambda',
      dimensions: { FunctionName: name },
      statistic: 'Sum',
      is: 'above',
      limit: 0,
      periodSeconds: 5 * minutes,
      periods: 3,
    } as const
    const unverified: Watch = {
      says: 'XNAT took files and does not list them as they were sent. Runbook: unverified',
      namespace: metricsNamespace,
      metric: 'MessagesFailed',
      dimensions: { Function: name, Code: 'NOT_VERIFIED' },
      statistic: 'Sum',
      is: 'above',
      limit: unverifiedLimit,
      periodSeconds: 60 * minutes,
    }
    return [
      ...(id === 'DeliverFiles' ? [['Unverified', unverified] satisfies [string, Watch]] : []),
      [`${id}Throttled`, { ...lambda, says: 'AWS holds invocations back. Runbook: throttles', metric: 'Throttles' }],
      [
        `${id}Dying`,
        { ...lambda, says: 'Invocations end without an answer. Runbook: dying functions', metric: 'Errors' },
      ],
    ]
  })
  return Object.fromEntries(watches)
}

function workWatches(settings: DeploymentSettings): Record<string, Watch> {
  const { metricsNamespace: namespace, stalledLimit } = settings
  return {
    XnatUnreachable: {
      says: 'XNAT does not answer. Runbook: XNAT unreachable',
      namespace,
      metric: 'XnatUnreachable',
      statistic: 'Sum',
      is: 'above',
      limit: 4,
      periodSeconds: 5 * minutes,
      periods: 3,
    },
    XnatSignInRefused: {
      says: 'XNAT refuses the service account. Runbook: sign-in refused',
      namespace,
      metric: 'XnatSignInsRefused',
      statistic: 'Sum',
      is: 'above',
      limit: 0,
      periodSeconds: 5 * minutes,
      periods: 2,
    },
    Stalled: {
      says: 'Studies of a project do not move. Runbook: stalled studies',
      namespace,
      metric: 'Studies',
      dimensions: { State: 'stalled' },
      statistic: 'Maximum',
      is: 'above',
      limit: stalledLimit,
      periodSeconds: 15 * minutes,
      periods: 2,
    },
    SweepNotRun: {
      says: 'No sweep has ended for a quarter of an hour. Runbook: sweep not run',
      namespace,
      metric: 'ProjectsSwept',
      statistic: 'SampleCount',
      is: 'below',
      limit: 1,
      periodSeconds: 15 * minutes,
      missingIsFault: true,
    },
    ApiFailing: {
      says: 'The API answers with 500 or more. Runbook: API failing',
      namespace: 'AWS/ApiGateway',
      metric: '5xx',
      dimensions: { ApiId: { Ref: 'HttpApi' } },
      statistic: 'Sum',
      is: 'above',
      limit: 4,
      periodSeconds: 5 * minutes,
      periods: 2,
    },
  }
}

function alarm(name: string, watch: Watch): Resource {
  const topic = { Ref: 'AlarmsTopic' }
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: name,
      AlarmDescription: watch.says,
      Namespace: watch.namespace,
      MetricName: watch.metric,
      ...(watch.dimensions && {
        Dimensions: Object.entries(watch.dimensions).map(([Name, Value]) => ({ Name, Value })),
      }),
      Statistic: watch.statistic,
      ComparisonOperator: watch.is === 'above' ? 'GreaterThanThreshold' : 'LessThanThreshold',
      Threshold: watch.limit,
      Period: watch.periodSeconds,
      EvaluationPeriods: watch.periods ?? 1,
      TreatMissingData: watch.missingIsFault === true ? 'breaching' : 'notBreaching',
      AlarmActions: [topic],
      OKActions: [topic],
    },
  }
}
