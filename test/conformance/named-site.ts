// For cases about received sessions: what XNAT answers says {AUTO}, {MANUAL} and {P1} where it has the IDs of projects.
import { type Answer, answerOf } from '../support/plain-http.ts'
import { siteOf, withTarget } from './facts.ts'
import type { SendOptions, Site } from './site.ts'

export class NamedSite {
  readonly plain: Site

  constructor(plain: Site) {
    this.plain = plain
  }

  async send(what: string, options?: SendOptions): Promise<Answer> {
    const answer = await this.plain.send(what, options)
    // What arrives unassigned does not go with a project.
    if (what.startsWith('POST /data/services/import')) {
      for (const url of answer.text.match(/\/data\/prearchive\/\S+/g) ?? []) this.plain.leaves(url)
    }
    const { location } = answer.headers
    const headers = location === undefined ? answer.headers : { ...answer.headers, location: this.#named(location) }
    return { ...answerOf(answer.status, headers, Buffer.from(this.#named(answer.text))), bytes: answer.bytes }
  }

  #named(text: string): string {
    return ['P1', 'AUTO', 'MANUAL'].reduce((said, name) => said.replaceAll(this.plain.name(name), `{${name}}`), text)
  }
}

/** Each case has two more projects: {AUTO} archives by itself, as projects do by default; {MANUAL} does not. */
export const test = withTarget.extend('site', async ({ target, users }, { onCleanup }) => {
  const site = await siteOf(target, users, onCleanup)
  site.keep('AUTO', site.name('P2'))
  site.keep('MANUAL', site.name('P3'))
  await site.addProject('AUTO')
  await site.addProject('MANUAL')
  await site.send('PUT /data/projects/{MANUAL}/prearchive_code/0')
  return new NamedSite(site)
})
