import { expect, it } from 'vitest'
import { templateFaults } from '../../infra/check-template.ts'
import { readTemplate } from '../../infra/deployment/template.ts'

const queue = { Type: 'AWS::SQS::Queue', Properties: {} }
const letters = { deadLetterTargetArn: { 'Fn::GetAtt': ['Letters', 'Arn'] }, maxReceiveCount: 3 }
const bucket = (properties: object) => ({ Type: 'AWS::S3::Bucket', Properties: properties })
const rule = (properties: object) => bucket({ LifecycleConfiguration: { Rules: [properties] } })
const faultsOf = (resources: object, rest: object = {}) =>
  templateFaults(readTemplate({ Resources: resources, ...rest }))

it('takes what CloudFormation takes', () => {
  const resources = {
    Letters: queue,
    Queue: {
      ...queue,
      DependsOn: 'Letters',
      Properties: { FifoQueue: 'true', VisibilityTimeout: '30', RedrivePolicy: letters },
    },
    Bucket: bucket({ BucketName: { 'Fn::Sub': `\${AWS::StackName}-\${Suffix}-\${Letters.QueueName}` } }),
    Rule: rule({ Status: 'Enabled', ExpirationInDays: 30 }),
  }
  const outputs = { Url: { Value: { Ref: 'Queue' } } }
  expect(faultsOf(resources, { Parameters: { Suffix: { Type: 'String' } }, Outputs: outputs })).toEqual([])
})

it.each([
  ['a type that is none', { A: { Type: 'AWS::SQS::Queues' } }, 'A: there is no type AWS::SQS::Queues'],
  [
    'a property that is none',
    { A: { ...queue, Properties: { VisibilityTimeOut: 30 } } },
    'A.VisibilityTimeOut: there is no such property',
  ],
  [
    'one deep inside',
    { A: rule({ Status: 'Enabled', Expires: 3 }) },
    'A.LifecycleConfiguration.Rules[0].Expires: there is no such property',
  ],
  ['one that is missing', { A: rule({ ExpirationInDays: 3 }) }, 'A.LifecycleConfiguration.Rules[0]: Status is missing'],
  ['one where a list is wanted', { A: bucket({ Tags: { Key: 'a', Value: 'b' } }) }, 'A.Tags: wants a list'],
  [
    'a list where one is wanted',
    { A: { ...queue, Properties: { QueueName: ['a'] } } },
    'A.QueueName: wants one string',
  ],
  [
    'a number that is none',
    { A: { ...queue, Properties: { VisibilityTimeout: '30s' } } },
    'A.VisibilityTimeout: wants a number',
  ],
  ['a choice that is none', { A: { ...queue, Properties: { FifoQueue: 'yes' } } }, 'A.FifoQueue: wants true or false'],
  ['a reference to nothing', { A: { ...queue, Properties: { QueueName: { Ref: 'Name' } } } }, 'A: there is no Name'],
  [
    'a reference to nothing in a text',
    { A: { ...queue, Properties: { QueueName: { 'Fn::Sub': `a-\${B.Arn}` } } } },
    'A: there is no B',
  ],
  [
    'an attribute that is none',
    { A: queue, B: { ...queue, Properties: { QueueName: { 'Fn::GetAtt': ['A', 'Name'] } } } },
    'B: a AWS::SQS::Queue such as A has no Name',
  ],
  ['waiting for nothing', { A: { ...queue, DependsOn: ['B'] } }, 'A: there is no B to wait for'],
  [
    'a circle',
    {
      A: { ...queue, Properties: { QueueName: { 'Fn::GetAtt': ['B', 'QueueName'] } } },
      B: { ...queue, DependsOn: 'A' },
    },
    'a circle: A -> B -> A',
  ],
])('finds %s', (_, resources, fault) => {
  expect(faultsOf(resources)).toEqual([fault])
})

it('finds an output that names nothing', () => {
  expect(faultsOf({ A: queue }, { Outputs: { Url: { Value: { Ref: 'B' } } } })).toEqual(['Url: there is no B'])
})
