// A plugin of osls: completes the template with what follows from it, so that no function, queue or bucket that is added
// later goes without.
import * as z from 'zod'
import { alarms } from './alarms.ts'
import { authorizeRoutes } from './authorize-routes.ts'
import { dashboard } from './dashboard.ts'
import { readSettings } from './settings.ts'
import { readTemplate, type Template } from './template.ts'
import { refusePlainHttp } from './transport.ts'
import { placeInVpc } from './vpc.ts'

/** The template with all that a deployment with these settings needs besides. */
export function completed(template: Template, custom: unknown): Template {
  const settings = readSettings(custom)
  const inPlace = placeInVpc(authorizeRoutes(template, settings.authorizer), settings.vpc)
  const watched = alarms(inPlace, settings)
  return {
    ...inPlace,
    Resources: {
      ...inPlace.Resources,
      ...refusePlainHttp(inPlace),
      ...watched,
      Dashboard: dashboard(inPlace, { namespace: settings.metricsNamespace, alarms: Object.keys(watched) }),
    },
  }
}

const Serverless = z.object({
  service: z.looseObject({ custom: z.unknown(), provider: z.looseObject({}) }),
})

export default class Deployment {
  readonly hooks: Record<string, () => void>

  constructor(serverless: unknown) {
    const given = z.custom<z.infer<typeof Serverless>>((value) => Serverless.safeParse(value).success).parse(serverless)
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        const { custom, provider } = given.service
        const template = readTemplate(provider['compiledCloudFormationTemplate'])
        provider['compiledCloudFormationTemplate'] = completed(template, custom)
      },
    }
  }
}
