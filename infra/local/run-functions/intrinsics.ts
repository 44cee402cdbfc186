// CloudFormation's intrinsic functions, as far as a service can use them without being deployed.

import * as z from 'zod'

export const Template = z.json()
/** A value that may hold CloudFormation references, such as `{"Ref": "UploadsQueue"}`. */
export type Template = z.infer<typeof Template>

export const Templates = z.record(z.string(), Template)
export type Templates = z.infer<typeof Templates>

/** What the references stand for here. Each answers `undefined` for what it does not know. */
export interface References {
  ref(name: string): string | undefined
  getAtt(logicalId: string, attribute: string): string | undefined
}

const GetAttTarget = z.union([
  z.tuple([z.string(), z.string()]),
  z.templateLiteral([z.string(), '.', z.string()]).transform((dotted) => splitOnce(dotted, '.')),
])
const SubArguments = z.union([
  z.tuple([z.string(), Templates]),
  z.string().transform((text): [string, Templates] => [text, {}]),
])
const JoinArguments = z.tuple([z.string(), z.array(Template)])

/**
 * The template with every reference replaced, objects and lists included.
 *
 * @throws naming `where` when a function or a reference in it is unknown.
 */
export function resolveTemplate(template: Template, where: string, references: References): Template {
  if (Array.isArray(template)) {
    return template.map((item, index) => resolveTemplate(item, `${where}[${index}]`, references))
  }
  if (typeof template !== 'object' || template === null) return template
  const [name, ...others] = Object.keys(template)
  if (others.length === 0 && (name === 'Ref' || name?.startsWith('Fn::'))) {
    return callIntrinsic(name, template[name] ?? null, where, references)
  }
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [key, resolveTemplate(value, `${where}.${key}`, references)]),
  )
}

/** The same for a place where only text can stand. */
export function resolveText(template: Template, where: string, references: References): string {
  const value = resolveTemplate(template, where, references)
  if (value === null || typeof value === 'object') throw new Error(`${where}: ${JSON.stringify(value)} is not text`)
  return String(value)
}

function callIntrinsic(name: string, args: Template, where: string, references: References): string {
  switch (name) {
    case 'Ref':
      return known(references.ref(argumentsOf(name, z.string(), args, where)), `Ref ${args}`, where)
    case 'Fn::GetAtt': {
      const [logicalId, attribute] = argumentsOf(name, GetAttTarget, args, where)
      return known(references.getAtt(logicalId, attribute), `Fn::GetAtt ${logicalId}.${attribute}`, where)
    }
    case 'Fn::Sub': {
      const [text, variables] = argumentsOf(name, SubArguments, args, where)
      return substitute(text, variables, where, references)
    }
    case 'Fn::Join': {
      const [separator, parts] = argumentsOf(name, JoinArguments, args, where)
      return parts.map((part) => resolveText(part, where, references)).join(separator)
    }
    default:
      throw new Error(`${where}: ${name} is not understood by the local runner`)
  }
}

function argumentsOf<Arguments>(name: string, schema: z.ZodType<Arguments>, args: Template, where: string): Arguments {
  const parsed = schema.safeParse(args)
  if (parsed.success) return parsed.data
  throw new Error(`${where}: ${name} cannot be read: ${JSON.stringify(args)}`)
}

function substitute(text: string, variables: Templates, where: string, references: References): string {
  return text.replaceAll(/\$\{(?<literal>!?)(?<name>[^}]+)\}/g, (_match, literal: string, name: string) => {
    // CloudFormation: `${!Name}` is left as `${Name}`.
    if (literal === '!') return `\${${name}}`
    const variable = variables[name]
    if (variable !== undefined) return resolveText(variable, where, references)
    if (!name.includes('.')) return known(references.ref(name), `\${${name}}`, where)
    return known(references.getAtt(...splitOnce(name, '.')), `\${${name}}`, where)
  })
}

function known(value: string | undefined, reference: string, where: string): string {
  if (value === undefined) throw new Error(`${where}: ${reference} refers to nothing that exists locally`)
  return value
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + separator.length)]
}
