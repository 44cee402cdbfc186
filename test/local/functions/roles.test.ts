import { expect, it, onTestFinished } from 'vitest'
import { runFunctions } from '../../../infra/local/run-functions/run-functions.ts'
import { FIXTURE_SERVICE, functionModel, REGION, serviceModel } from './function-models.ts'

const arn = (rest: string) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:${rest}` })
const role = {
  logicalId: 'AskRole',
  properties: {
    Policies: [
      {
        PolicyDocument: {
          Statement: [
            { Effect: 'Allow', Action: ['logs:PutLogEvents'], Resource: { 'Fn::GetAtt': ['AskLogGroup', 'Arn'] } },
            { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: arn('s3:::state/ledgers/*') },
            { Effect: 'Allow', Action: 's3:ListBucket', Resource: [arn('s3:::state')] },
            { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arn(`sqs:${REGION}:\${AWS::AccountId}:imports`) },
            {
              Effect: 'Allow',
              Action: 'secretsmanager:GetSecretValue',
              Resource: arn(`secretsmanager:${REGION}:\${AWS::AccountId}:secret:prod/xnat-??????`),
            },
          ],
        },
      },
    ],
  },
}

it('a function may ask of AWS what its role allows, and nothing else', async () => {
  const lines: string[] = []
  const service = { ...serviceModel([functionModel('ask-aws', { role: 'AskRole' })]), roles: [role] }
  const functions = await runFunctions({
    service,
    projectDir: FIXTURE_SERVICE,
    sqs: { url: 'http://127.0.0.1:9', region: REGION },
    log: (_, line) => lines.push(line),
  })
  onTestFinished(() => functions.stop())
  const rows: [command: string, target: string, outcome: 'sent' | 'refused'][] = [
    ['read', 'ledgers/P1.json', 'sent'],
    ['read', 'cohorts/P1.json', 'refused'],
    ['read', 'ledgers', 'refused'],
    ['writeTagged', 'ledgers/P1.json', 'refused'],
    ['list', 'state', 'sent'],
    ['list', 'states', 'refused'],
    ['send', 'imports', 'sent'],
    ['send', 'imports2', 'refused'],
    ['secret', 'prod/xnat', 'sent'],
    ['secret', 'prod/xnat-2', 'refused'],
  ]

  const outcomes = await functions.invoke(
    'ask-aws',
    rows.map(([command, target]) => [command, target]),
  )

  expect(outcomes).toEqual(rows.map(([, , outcome]) => outcome))
  expect(lines).toContain(
    "AccessDenied: the function's role does not allow s3:GetObject on arn:aws:s3:::state/cohorts/P1.json",
  )
  expect(functions.unusedRights()).toEqual({ 'ask-aws': ['s3:PutObject arn:aws:s3:::state/ledgers/*'] })
}, 60_000)
