// JsonPath predicates as subscriptions hold them, without the `$[?( )]` around (json-path of Jayway, the part of its
// grammar that filters on one flat object need).

type Value = string | number | boolean | null | Value[] | undefined
export type Predicate = (object: Readonly<Record<string, unknown>>) => boolean

/** Thrown for a text that is no predicate. */
export class PredicateError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PredicateError'
  }
}

const tokenPattern =
  /\s*(?:(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<path>@(?:\.[\w-]+(?:\(\))?|\[(?:'[^']*'|"[^"]*"|\*|\d+)\])*)|(?<pattern>\/(?:[^/\\]|\\.)+\/i?)|(?<number>-?\d+(?:\.\d+)?)|(?<sign>\|\||&&|==|!=|<=|>=|=~|[<>!()[\],])|(?<word>[A-Za-z]+))/y

interface Token {
  kind: 'text' | 'path' | 'pattern' | 'number' | 'sign' | 'word'
  raw: string
}

/** @throws {PredicateError} when it cannot be read. */
export function compilePredicate(source: string): Predicate {
  const parser = new Parser(tokensOf(source))
  const predicate = parser.either()
  parser.end()
  return predicate
}

function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  tokenPattern.lastIndex = 0
  while (tokenPattern.lastIndex < source.trimEnd().length) {
    const at = tokenPattern.lastIndex
    const groups = tokenPattern.exec(source)?.groups
    const found = Object.entries(groups ?? {}).find(([, raw]) => raw !== undefined)
    if (found === undefined) throw new PredicateError(`Could not parse token starting at position ${at}`)
    const [kind, raw] = found
    tokens.push({ kind: kindOf(kind), raw })
  }
  return tokens
}

function kindOf(name: string): Token['kind'] {
  const kinds = ['text', 'path', 'pattern', 'number', 'sign', 'word'] as const
  return kinds.find((kind) => kind === name) ?? 'sign'
}

type Operand = (object: Readonly<Record<string, unknown>>) => Value

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw new PredicateError(`Unexpected ${this.#tokens[this.#at]?.raw}`)
  }

  either(): Predicate {
    const first = this.#all()
    if (!this.#take('||')) return first
    const rest = this.either()
    return (object) => first(object) || rest(object)
  }

  #all(): Predicate {
    const first = this.#one()
    if (!this.#take('&&')) return first
    const rest = this.#all()
    return (object) => first(object) && rest(object)
  }

  #one(): Predicate {
    if (this.#take('!')) {
      const inner = this.#one()
      return (object) => !inner(object)
    }
    if (this.#take('(')) {
      const inner = this.either()
      this.#require(')')
      return inner
    }
    return this.#comparison()
  }

  #comparison(): Predicate {
    const left = this.#operand()
    const sign = this.#tokens[this.#at]?.raw.toLowerCase() ?? ''
    if (sign === '=~') {
      this.#at += 1
      const pattern = this.#pattern()
      return (object) => pattern.test(String(left(object) ?? ''))
    }
    const compare = comparisons[sign]
    // A path alone asks whether there is such a thing.
    if (compare === undefined) return (object) => left(object) !== undefined
    this.#at += 1
    const right = this.#operand()
    return (object) => compare(left(object), right(object))
  }

  #operand(): Operand {
    const token = this.#next()
    if (token.kind === 'path') return readPath(token.raw)
    if (token.raw === '[') return this.#list()
    const value = literalOf(token)
    return () => value
  }

  #list(): Operand {
    const values: Value[] = []
    while (!this.#take(']')) {
      values.push(literalOf(this.#next()))
      if (!this.#take(',')) {
        this.#require(']')
        break
      }
    }
    return () => values
  }

  #pattern(): RegExp {
    const { kind, raw } = this.#next()
    if (kind !== 'pattern') throw new PredicateError(`Expected a pattern and not ${raw}`)
    const end = raw.lastIndexOf('/')
    return new RegExp(`^(?:${raw.slice(1, end)})$`, raw.slice(end + 1))
  }

  #next(): Token {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw new PredicateError('Expected boolean literal')
    this.#at += 1
    return token
  }

  #take(raw: string): boolean {
    const token = this.#tokens[this.#at]
    const isThere = token?.kind === 'sign' && token.raw === raw
    if (isThere) this.#at += 1
    return isThere
  }

  #require(raw: string): void {
    if (!this.#take(raw)) throw new PredicateError(`Expected ${raw}`)
  }
}

const comparisons: Readonly<Record<string, (left: Value, right: Value) => boolean>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => order(left, right) < 0,
  '<=': (left, right) => order(left, right) <= 0,
  '>': (left, right) => order(left, right) > 0,
  '>=': (left, right) => order(left, right) >= 0,
  in: (left, right) => Array.isArray(right) && right.includes(left),
  nin: (left, right) => Array.isArray(right) && !right.includes(left),
  contains: (left, right) =>
    Array.isArray(left) ? left.includes(right) : typeof left === 'string' && left.includes(String(right)),
}

/** NaN, which is in no order, for what cannot be compared. */
function order(left: Value, right: Value): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left !== 'string' || typeof right !== 'string') return Number.NaN
  return left < right ? -1 : left > right ? 1 : 0
}

function literalOf({ kind, raw }: Token): Value {
  if (kind === 'text') return raw.slice(1, -1).replace(/\\(.)/g, '$1')
  if (kind === 'number') return Number(raw)
  const word = new Map<string, Value>([
    ['true', true],
    ['false', false],
    ['null', null],
  ])
  if (kind === 'word' && word.has(raw)) return word.get(raw)
  throw new PredicateError(`Unexpected ${raw}`)
}

type Step = (value: unknown) => unknown

function readPath(raw: string): Operand {
  const steps = [...raw.matchAll(stepPattern)].map(([, call, plain, single, double, index, every]) => {
    if (call !== undefined) return functionStep(call)
    if (every !== undefined) return { isEvery: true, step: (value: unknown) => value }
    return { isEvery: false, step: keyStep(plain ?? single ?? double ?? Number(index)) }
  })
  return (object) => plainValue(steps.reduce<unknown>(follow, object))
}

const stepPattern = /\.(\w+)\(\)|\.([\w-]+)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]|\[(\*)\]/g

/** After `[*]` there are many values: the steps behind it go into each. */
class Every {
  readonly values: readonly unknown[]

  constructor(values: readonly unknown[]) {
    this.values = values
  }
}

function follow(value: unknown, { isEvery, step }: { isEvery: boolean; step: Step }): unknown {
  if (isEvery) return new Every(elementsOf(value))
  return value instanceof Every ? new Every(value.values.map(step).filter((found) => found !== undefined)) : step(value)
}

const elementsOf = (value: unknown): unknown[] => {
  if (value instanceof Every) return value.values.flatMap(elementsOf)
  if (Array.isArray(value)) return value
  return isObject(value) ? Object.values(value) : []
}

const keyStep =
  (key: string | number): Step =>
  (value) => {
    if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined
    return isObject(value) ? value[key] : undefined
  }

// Json-path: length() and size() of a list or a text; the other functions are for numbers.
function functionStep(name: string): { isEvery: boolean; step: Step } {
  if (name !== 'length' && name !== 'size') throw new PredicateError(`Function with name: ${name} does not exist.`)
  const step = (value: unknown) => (Array.isArray(value) || typeof value === 'string' ? value.length : undefined)
  return { isEvery: false, step }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function plainValue(value: unknown): Value {
  if (value instanceof Every) return value.values.map(plainValue)
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value
  return value === undefined ? undefined : JSON.stringify(value)
}
