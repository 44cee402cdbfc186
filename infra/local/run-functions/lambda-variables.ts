import { LOCAL_ACCOUNT_ID } from './resolve-resources.ts'
import type { LocalFunction } from './resolve-service.ts'

// What a process needs from the machine it runs on. All else in the runner's environment stays out, because on AWS
// it would not be there either.
const MACHINE_VARIABLES = ['PATH', 'HOME', 'TMPDIR', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE']

/** The variables that Lambda itself sets, and keys that open nothing. */
export function lambdaVariables(fn: LocalFunction, region: string): Record<string, string> {
  return {
    ...machineVariables(),
    TZ: 'UTC',
    LANG: 'en_US.UTF-8',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: fn.deployedName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memorySizeMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName(fn),
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName(),
    _HANDLER: `dist/${fn.module}/index.${fn.exportName}`,
  }
}

export function functionArn(fn: LocalFunction, region: string): string {
  return `arn:aws:lambda:${region}:${LOCAL_ACCOUNT_ID}:function:${fn.deployedName}`
}

export function logGroupName(fn: LocalFunction): string {
  return `/aws/lambda/${fn.deployedName}`
}

export function logStreamName(): string {
  return `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]local`
}

function machineVariables(): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const name of MACHINE_VARIABLES) {
    const value = process.env[name]
    if (value !== undefined) variables[name] = value
  }
  return variables
}
