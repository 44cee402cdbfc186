import type { DeploymentSettings } from './settings.ts'
import { functionsOf, type Resource, type Template } from './template.ts'

// Lambda makes and removes network interfaces under the function's role; EC2 takes no narrower resource for it.
const interfacePolicy = `arn:\${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole`

/** Puts every function into the subnets, from where it reaches a private XNAT. Without subnets nothing changes. */
export function placeInVpc(template: Template, { subnets, securityGroups }: DeploymentSettings['vpc']): Template {
  if (subnets.length === 0) return template
  const roles = new Set(functionsOf(template).map(({ role }) => role))
  const VpcConfig = { SubnetIds: subnets, SecurityGroupIds: securityGroups }
  const placed = (id: string, resource: Resource): Resource => {
    if (resource.Type === 'AWS::Lambda::Function') return withProperties(resource, { VpcConfig })
    if (!roles.has(id)) return resource
    return withProperties(resource, { ManagedPolicyArns: [{ 'Fn::Sub': interfacePolicy }] })
  }
  const Resources = Object.fromEntries(Object.entries(template.Resources).map(([id, each]) => [id, placed(id, each)]))
  return { ...template, Resources }
}

const withProperties = (resource: Resource, properties: Resource['Properties']): Resource => ({
  ...resource,
  Properties: { ...resource.Properties, ...properties },
})
