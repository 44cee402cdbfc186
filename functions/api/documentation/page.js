// Asks for the service key, reads /openapi.json with it, and shows what is there. All of it is inserted as text.

const keyHeader = document.querySelector('meta[name="key-header"]').content
const keyName = 'service-key'
const byId = (id) => document.getElementById(id)

byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  void enter(byId('key').value)
})
byId('forget').addEventListener('click', () => {
  sessionStorage.removeItem(keyName)
  location.reload()
})
const kept = sessionStorage.getItem(keyName)
if (kept !== null) void enter(kept)

async function enter(key) {
  say('Reading ...')
  try {
    const response = await fetch('/openapi.json', { headers: { [keyHeader]: key }, cache: 'no-store' })
    const body = await response.json()
    if (!response.ok) throw new Error(typeof body.detail === 'string' ? body.detail : `Status ${response.status}`)
    sessionStorage.setItem(keyName, key)
    byId('key').value = ''
    say('')
    show(body)
  } catch (error) {
    sessionStorage.removeItem(keyName)
    say(error instanceof Error ? error.message : String(error))
  }
}

function say(text) {
  byId('status').textContent = text
}

/** An element with attributes and children; a string among the children becomes text, never markup. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children.filter((child) => child !== undefined))
  return made
}

function show(api) {
  byId('key-form').hidden = true
  byId('footer').hidden = false
  byId('about').textContent = `${api.info.description} Version ${api.info.version}.`
  const sections = api.tags.map((tag) => ({ tag, operations: operationsOf(api, tag.name) }))
  byId('contents').replaceChildren(...sections.map(contentsOf))
  byId('contents').hidden = false
  byId('operations').replaceChildren(...sections.map((section) => sectionOf(api, section)))
  openLinked()
}

/** A link into the page opens what it leads to. */
function openLinked() {
  const linked = location.hash === '' ? null : byId(decodeURIComponent(location.hash.slice(1)))
  if (linked instanceof HTMLDetailsElement) linked.open = true
  linked?.scrollIntoView()
}
addEventListener('hashchange', openLinked)

function operationsOf(api, tagName) {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tagName))
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
}

const contentsOf = ({ tag, operations }) =>
  element(
    'div',
    {},
    element('h2', {}, tag.name),
    element(
      'ul',
      {},
      ...operations.map(({ path, method, operation }) =>
        element('li', {}, element('a', { href: `#${operation.operationId}` }, `${method} ${path}`)),
      ),
    ),
  )

const sectionOf = (api, { tag, operations }) =>
  element(
    'section',
    {},
    element('h2', {}, tag.name),
    element('p', {}, tag.description),
    ...operations.map((operation) => operationOf(api, operation)),
  )

function operationOf(api, { path, method, operation }) {
  const body = operation.requestBody?.content['application/json']
  return element(
    'details',
    { id: operation.operationId },
    element(
      'summary',
      {},
      element('span', { class: `method ${method.toLowerCase()}` }, method),
      element('code', {}, path),
      element('span', { class: 'about' }, operation.summary),
    ),
    element('p', {}, operation.security?.length === 0 ? 'Open: no key is needed.' : 'Needs the service key.'),
    ...parametersOf(api, operation.parameters ?? []),
    ...(body === undefined ? [] : [element('h3', {}, 'Body'), ...contentOf(api, body)]),
    element('h3', {}, 'Answers'),
    ...Object.entries(operation.responses).map(([status, response]) => answerOf(api, status, response)),
    element('h3', {}, 'Try it'),
    ...copyable(curlLine({ path, method, operation })),
  )
}

function parametersOf(api, parameters) {
  if (parameters.length === 0) return []
  const rows = parameters.map((parameter) =>
    fieldRow(api, { ...parameter, about: `in ${parameter.in}`, isRequired: parameter.required === true }),
  )
  return [element('h3', {}, 'Parameters'), table(rows)]
}

const answerOf = (api, status, response) =>
  element(
    'details',
    { class: 'answer' },
    element('summary', {}, element('strong', {}, status), ` ${response.description}`),
    ...contentOf(api, response.content['application/json']),
  )

function contentOf(api, { schema, example }) {
  const parts = [element('p', {}, typeOf(api, schema)), ...fieldsOf(api, schema)]
  if (example === undefined) return parts
  return [...parts, element('h4', {}, 'Example'), ...copyable(JSON.stringify(example, undefined, 2))]
}

const resolved = (api, schema) => {
  const name = schema.$ref?.split('/').at(-1)
  return name === undefined ? schema : api.components.schemas[name]
}

/** A schema in a few words, such as `list of Project` or `string, at least 1`. */
function typeOf(api, schema) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives !== undefined) return alternatives.map((each) => typeOf(api, each)).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(api, schema.items)}`
  const bounds = [
    [schema.minLength, 'at least'],
    [schema.maxLength, 'at most'],
    [schema.format, ''],
    // A pattern beside a format spells the format out.
    [schema.format === undefined ? schema.pattern : undefined, 'as'],
  ]
  const told = bounds.filter(([value]) => value !== undefined).map(([value, word]) => `${word} ${value}`.trim())
  return [[schema.type ?? 'anything'].flat().join(' or '), ...told].join(', ')
}

/** The fields of an object, of what a list holds, or of alternatives, as a table; each may hold such a table itself. */
function fieldsOf(api, schema) {
  const { type, items, properties, required = [], anyOf, oneOf } = resolved(api, schema)
  if (type === 'array') return fieldsOf(api, items)
  if (properties === undefined) return (anyOf ?? oneOf ?? []).flatMap((each) => fieldsOf(api, each))
  const rows = Object.entries(properties).map(([name, field]) =>
    fieldRow(api, { name, schema: field, isRequired: required.includes(name), about: '' }),
  )
  return [table(rows)]
}

function fieldRow(api, { name, schema, isRequired, about }) {
  const { description = '', default: preset } = resolved(api, schema)
  const presetText = preset === undefined ? '' : `Default ${JSON.stringify(preset)}.`
  const text = [typeOf(api, schema), about, isRequired ? 'required' : 'optional']
    .filter((part) => part !== '')
    .join(', ')
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, element('code', {}, name)),
    element('td', {}, text, element('p', {}, `${description} ${presetText}`.trim()), ...fieldsOf(api, schema)),
  )
}

const table = (rows) => element('div', { class: 'wide' }, element('table', {}, element('tbody', {}, ...rows)))

/** The call as a line for a shell, with the examples; the key is left to a variable. */
function curlLine({ path, method, operation }) {
  const parameters = operation.parameters ?? []
  const exampleOf = ({ schema }) => String(schema.example ?? schema.default ?? '')
  const filled = parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce((text, each) => text.replace(`{${each.name}}`, encodeURIComponent(exampleOf(each))), path)
  const query = new URLSearchParams(
    parameters.filter((parameter) => parameter.in === 'query').map((each) => [each.name, exampleOf(each)]),
  )
  const url = new URL(`${filled}${query.size > 0 ? `?${query}` : ''}`, location.origin)
  const body = operation.requestBody?.content['application/json'].example
  return [
    `curl -X ${method} ${quoted(url.href)}`,
    ...(operation.security?.length === 0 ? [] : [`-H "${keyHeader}: $SERVICE_KEY"`]),
    ...(body === undefined ? [] : [`-H 'content-type: application/json'`, `-d ${quoted(JSON.stringify(body))}`]),
  ].join(' \\\n  ')
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`

/** A text with a button that copies it. Browsers offer no clipboard to pages that came without TLS. */
function copyable(text) {
  const shown = element('pre', { tabindex: '0' }, text)
  if (navigator.clipboard === undefined) return [shown]
  const button = element('button', { type: 'button', class: 'copy' }, 'Copy')
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text)
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1500)
  })
  return [element('div', { class: 'copyable' }, shown, button)]
}
