import type { DeploymentSettings } from './settings.ts'
import type { Resource, Template } from './template.ts'

/** Monitors have no token, and it tells nothing but that the API answers. */
const openRoutes: ReadonlySet<unknown> = new Set(['GET /health', 'GET /health/'])

/**
 * Has API Gateway turn away whoever cannot show a token (`jwt`) or sign the request (`iam`), before a function is
 * called. The service key is asked for all the same.
 */
export function authorizeRoutes(template: Template, authorizer: DeploymentSettings['authorizer']): Template {
  if (authorizer.kind === 'none') return template
  const authorization: Resource['Properties'] =
    authorizer.kind === 'iam'
      ? { AuthorizationType: 'AWS_IAM' }
      : { AuthorizationType: 'JWT', AuthorizerId: { Ref: 'HttpApiAuthorizer' } }
  const guarded = ([id, resource]: [string, Resource]): [string, Resource] => {
    const isShut = resource.Type === 'AWS::ApiGatewayV2::Route' && !openRoutes.has(resource.Properties['RouteKey'])
    return [id, isShut ? { ...resource, Properties: { ...resource.Properties, ...authorization } } : resource]
  }
  const Resources = Object.fromEntries(Object.entries(template.Resources).map(guarded))
  return { ...template, Resources: { ...Resources, ...authorizerResource(authorizer) } }
}

function authorizerResource(authorizer: DeploymentSettings['authorizer']): Record<string, Resource> {
  if (authorizer.kind !== 'jwt') return {}
  const { issuer, audience } = authorizer
  const Properties = {
    ApiId: { Ref: 'HttpApi' },
    Name: 'token',
    AuthorizerType: 'JWT',
    IdentitySource: ['$request.header.Authorization'],
    JwtConfiguration: { Issuer: issuer, Audience: audience },
  }
  return { HttpApiAuthorizer: { Type: 'AWS::ApiGatewayV2::Authorizer', Properties } }
}
