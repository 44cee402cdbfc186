import { type Resource, resourcesOf, type Template } from './template.ts'

/** For each bucket that has no policy, one that refuses whatever does not come over TLS. */
export function refusePlainHttp(template: Template): Record<string, Resource> {
  const policies = resourcesOf(template, 'AWS::S3::BucketPolicy').map(([, { Properties }]) => Properties['Bucket'])
  const governed = new Set(policies.map((bucket) => JSON.stringify(bucket)))
  const buckets = resourcesOf(template, 'AWS::S3::Bucket').filter(([id]) => !governed.has(JSON.stringify({ Ref: id })))
  return Object.fromEntries(
    buckets.map(([id]) => {
      const arn = { 'Fn::GetAtt': [id, 'Arn'] }
      const statement = {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [arn, { 'Fn::Sub': `\${${id}.Arn}/*` }],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }
      const PolicyDocument = { Version: '2012-10-17', Statement: [statement] }
      return [`${id}Policy`, { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: id }, PolicyDocument } }]
    }),
  )
}
