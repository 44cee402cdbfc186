// JSON in the middle of sentences: bodies of requests are sent or parsed as their receivers do, values as their readers do.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import { startCohortServer } from '../../infra/local/cohort-server.ts'
import { startXnat } from '../../infra/local/xnat-server/server.ts'
import { errorSchema } from '../../lib/openapi.ts'
import { StoredEnvelopeKeys, StoredServiceKeys, XnatAccount } from '../../lib/secrets.ts'
import { documented } from '../support/api-requests.ts'
import { conduit } from '../support/command-line.ts'
import { type Code, placeOf, readmes } from './documents.ts'
import { ask } from './started-stack.ts'

interface Json extends Code {
  /** The request that is named before it in the same sentence or row: `POST /dead-letters/redrive`. */
  request: string | undefined
  value: Record<string, unknown>
}

/** A part of an object, such as `"dryRun": false`, belongs into the one before it. */
const isPart = ({ text }: Code) => text.startsWith('"')

const jsons: Json[] = readmes.flatMap(({ codes }) => {
  const requestOf = (code: Code) =>
    codes.findLast(
      (each) =>
        each.line <= code.line &&
        code.line - each.line < 3 &&
        /^[A-Z]+ \//.test(each.text) &&
        codes.indexOf(each) < codes.indexOf(code),
    )
  const found = codes.filter(({ text }) => /^(?:\{\s*)?"\w+": /.test(text))
  return found.map((code) => ({ ...code, request: requestOf(code)?.text, value: parsed(code) }))
})

/** With something in place of what is left out. */
function parsed({ text }: Code): Record<string, unknown> {
  const whole = text.replaceAll('[...]', '["A1"]').replaceAll(/(?<!")\.\.\.(?!")/g, '"..."')
  return JSON.parse(whole.startsWith('{') ? whole : `{${whole}}`)
}

interface JsonWay {
  what: string
  holds(json: Json): boolean
  check(json: Json): Promise<void> | void
}

/** The whole body that a part belongs to; of a cohort, a part takes the place of its numbers. */
function bodyOf(json: Json): Record<string, unknown> {
  if (!isPart(json)) return json.value
  const whole = jsons.findLast((each) => each.request === json.request && !isPart(each) && each.line <= json.line)
  const { accessionIds: _numbers, ...rest } = whole?.value ?? {}
  return { ...rest, ...json.value }
}

const ways: readonly JsonWay[] = [
  {
    what: 'what the stand-in XNAT is told',
    holds: ({ readme, request }) => readme.includes('xnat-server') && request !== undefined,
    async check(json) {
      const xnat = await startXnat()
      onTestFinished(() => xnat.stop())
      await ask(xnat.url, 'POST /__stand-in/pacs/studies', {}, { accessionNumber: 'A1' })
      const body = bodyOf(json)
      await ask(
        xnat.url,
        json.request ?? '',
        {},
        'path' in body && json.request?.includes('folder') ? { path: await emptyFolder() } : body,
      )
    },
  },
  {
    what: 'what the stand-in for the data-access-api is told',
    holds: ({ readme, request }) => readme === 'README.md' && request?.includes('/__stand-in/') === true,
    async check(json) {
      const serviceKey = { header: 'X-Key', key: 'fake-key' }
      const server = await startCohortServer({ serviceKey, envelopeKeys: {}, sampleCohort: () => [] })
      onTestFinished(() => server.stop())
      await ask(server.url, json.request ?? '', {}, bodyOf(json))
    },
  },
  {
    what: 'the body of a request to the API',
    holds: ({ request, readme }) =>
      request !== undefined && !request.includes('/__stand-in/') && readme === 'README.md',
    check(json) {
      const plain = (route: string) => route.replaceAll(/\{\w+\}/g, '{}')
      const route = documented.find(({ method, path }) => plain(`${method} ${path}`) === plain(json.request ?? ''))
      const schema = route?.request.shape['body']
      if (schema === undefined) throw new Error(`${json.request} takes no body`)
      // What a schema does not know it leaves out.
      const understood = z
        .object({})
        .loose()
        .parse(schema.parse(bodyOf(json)))
      expect(Object.keys(understood)).toEqual(expect.arrayContaining(Object.keys(json.value)))
    },
  },
  {
    what: 'what is stored in Secrets Manager',
    holds: ({ request, value }) => request === undefined && ('user' in value || 'key' in value),
    check({ value }) {
      if ('user' in value) return void XnatAccount.parse(value)
      expect(StoredServiceKeys.parse(value)).toEqual(String(value['key']).split(' '))
      const key = Buffer.alloc(32).toString('base64')
      StoredEnvelopeKeys.parse({ ...value, key })
    },
  },
  {
    what: 'what an error answers',
    holds: ({ value }) => 'detail' in value,
    check: ({ value }) => void errorSchema(500).parse(value),
  },
  {
    what: 'a part of a profile of the command line',
    holds: ({ value }) => 'incoming' in value,
    async check({ value }) {
      const dir = await emptyFolder()
      const prod = { url: 'http://127.0.0.1:9', serviceKey: 'fake-key', ...value }
      await writeFile(join(dir, 'profiles.json'), JSON.stringify({ prod }), { mode: 0o600 })
      const said = await conduit(['doctor', '--profile', 'prod', '-o', 'json'], {
        env: { CONDUIT_PROFILES: join(dir, 'profiles.json') },
      })
      expect(said.stderr).toBe('')
    },
  },
]

async function emptyFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'readme-bodies-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return dir
}

describe('JSON in a sentence', () => {
  it('is held in one way each, and each way is of use', () => {
    const wrong = jsons.filter((json) => ways.filter((way) => way.holds(json)).length !== 1)
    expect(wrong.map((json) => `${placeOf(json)} ${json.text}`)).toEqual([])
    expect(ways.filter((way) => !jsons.some(way.holds)).map(({ what }) => what)).toEqual([])
  })

  for (const way of ways) {
    const held = jsons.filter(way.holds)
    it.each(held.map((json) => [placeOf(json), json.text, json] as const))(`${way.what}: %s %s`, (_, _text, json) =>
      way.check(json),
    )
  }
})
