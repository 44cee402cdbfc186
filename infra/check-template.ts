// Reads the packaged template as CloudFormation would, before it does: names and shapes of properties by AWS's own
// specification, references that lead somewhere, no circles. Run by `npm run lint:template` after `npm run package`.
import { readFileSync } from 'node:fs'
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec'
import * as z from 'zod'
import { readTemplate, type Template } from './deployment/template.ts'

const specification = loadAwsServiceSpecSync()
type Described = ReturnType<typeof specification.all<'typeDefinition'>>[number]['properties']
type PropertyType = Described[string]['type']
type Value = z.infer<ReturnType<typeof z.json>>

/** One sentence for each fault, with its place; an empty list when CloudFormation would take the template. */
export function templateFaults(template: Template): string[] {
  return [...propertyFaults(template), ...referenceFaults(template), ...circles(template)]
}

const describedType = (type: string) => specification.lookup('resource', 'cloudFormationType', 'equals', type)[0]

function propertyFaults({ Resources }: Template): string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const described = describedType(Type)
    if (described === undefined) return [`${id}: there is no type ${Type}`]
    return objectFaults(Properties, described.properties, id)
  })
}

function objectFaults(given: Value, described: Described, place: string): string[] {
  if (!isObject(given)) return [`${place}: wants properties`]
  if (isIntrinsic(given)) return []
  const missing = Object.entries(described)
    .filter(([name, { required }]) => required === true && !(name in given))
    .map(([name]) => `${place}: ${name} is missing`)
  const faults = Object.entries(given).flatMap(([name, value]) => {
    const property = described[name]
    const at = `${place}.${name}`
    return property === undefined ? [`${at}: there is no such property`] : valueFaults(value, property.type, at)
  })
  return [...missing, ...faults]
}

const numeric = /^-?\d+(?:\.\d+)?$/

function valueFaults(value: Value, type: PropertyType, place: string): string[] {
  if (isObject(value) && isIntrinsic(value)) return []
  switch (type.type) {
    case 'json':
      return []
    case 'array':
      if (!Array.isArray(value)) return [`${place}: wants a list`]
      return value.flatMap((item, index) => valueFaults(item, type.element, `${place}[${index}]`))
    case 'map':
      if (!isObject(value)) return [`${place}: wants names with values`]
      return Object.entries(value).flatMap(([name, item]) => valueFaults(item, type.element, `${place}.${name}`))
    case 'tag':
      return isObject(value) && 'Key' in value && 'Value' in value ? [] : [`${place}: wants Key and Value`]
    case 'ref':
      return objectFaults(value, specification.get('typeDefinition', type.reference.$ref).properties, place)
    case 'union': {
      const found = type.types.map((each) => valueFaults(value, each, place))
      return found.some((faults) => faults.length === 0) ? [] : (found[0] ?? [])
    }
  }
  if (typeof value === 'object') return [`${place}: wants one ${type.type}`]
  // CloudFormation: takes numbers and booleans as text too.
  const text = String(value)
  if ((type.type === 'integer' || type.type === 'number') && !numeric.test(text)) return [`${place}: wants a number`]
  if (type.type === 'boolean' && !['true', 'false'].includes(text)) return [`${place}: wants true or false`]
  const allowed = type.type === 'string' ? type.allowedValues : undefined
  return allowed === undefined || allowed.includes(text) ? [] : [`${place}: wants one of ${allowed.join(', ')}`]
}

const isObject = (value: Value): value is { [name: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value that CloudFormation computes. */
const isIntrinsic = (value: { [name: string]: Value }) =>
  Object.keys(value).length === 1 && Object.keys(value).every((name) => name === 'Ref' || name.startsWith('Fn::'))

interface Reference {
  id: string
  /** Of a GetAtt. */
  attribute?: string
}

function referencesIn(value: Value): Reference[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === 'Ref' && typeof inner === 'string') return [{ id: inner }]
    if (name === 'Fn::GetAtt') return [attributeReference(Array.isArray(inner) ? inner.join('.') : String(inner))]
    if (name === 'Fn::Sub') return substitutions(inner)
    return referencesIn(inner)
  })
}

function substitutions(value: Value): Reference[] {
  const [text, given = {}] = Array.isArray(value) ? value : [value]
  const named = [...String(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => attributeReference(name))
  return [...named.filter(({ id }) => !isObject(given) || !(id in given)), ...referencesIn(given)]
}

function attributeReference(text: string): Reference {
  const [id = '', ...attribute] = text.split('.')
  return attribute.length === 0 ? { id } : { id, attribute: attribute.join('.') }
}

// CloudFormation user guide, "Pseudo parameters reference".
const pseudoParameters = ['AccountId', 'NoValue', 'NotificationARNs', 'Partition', 'Region', 'StackId', 'StackName']
const known = new Set([...pseudoParameters, 'URLSuffix'].map((name) => `AWS::${name}`))

const Named = z.record(z.string(), z.json()).default({})
const DependsOn = z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([])

function referenceFaults(template: Template): string[] {
  const { Resources } = template
  const parameters = Named.parse(template['Parameters'])
  const places = [...Object.entries(Resources), ...Object.entries(Named.parse(template['Outputs']))]
  const dangling = places.flatMap(([place, part]) =>
    referencesIn(z.json().parse(part)).flatMap(({ id, attribute }) => {
      const resource = Resources[id]
      if (resource === undefined) return known.has(id) || id in parameters ? [] : [`${place}: there is no ${id}`]
      // What the stack of a template or a custom resource gives is not described.
      const attributes = describedType(resource.Type)?.attributes
      return attribute === undefined || attributes === undefined || attribute in attributes
        ? []
        : [`${place}: a ${resource.Type} such as ${id} has no ${attribute}`]
    }),
  )
  const orders = Object.entries(Resources).flatMap(([id, resource]) =>
    DependsOn.parse(resource['DependsOn'])
      .filter((other) => !(other in Resources))
      .map((other) => `${id}: there is no ${other} to wait for`),
  )
  return [...dangling, ...orders]
}

/** Resources that wait for one another; CloudFormation refuses them. */
function circles({ Resources }: Template): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (id: string, trail: readonly string[]) => {
    const resource = Resources[id]
    if (resource === undefined || done.has(id)) return
    if (trail.includes(id)) {
      found.push(`a circle: ${[...trail.slice(trail.indexOf(id)), id].join(' -> ')}`)
      return
    }
    const next = [
      ...referencesIn(resource.Properties).map((each) => each.id),
      ...DependsOn.parse(resource['DependsOn']),
    ]
    for (const other of new Set(next)) visit(other, [...trail, id])
    done.add(id)
  }
  for (const id of Object.keys(Resources)) visit(id, [])
  return found
}

if (import.meta.main) {
  const [file] = process.argv.slice(2)
  if (file === undefined) throw new Error('usage: node infra/check-template.ts TEMPLATE')
  const faults = templateFaults(readTemplate(JSON.parse(readFileSync(file, 'utf8'))))
  for (const fault of faults) console.error(fault)
  console.log(faults.length === 0 ? 'template: as it should be' : `template: ${faults.length} faults`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
