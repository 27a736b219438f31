import assert from 'node:assert/strict'

/** The keywords of draft 2020-12 that our documents use. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema
  readonly required?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly default?: unknown
  readonly description?: string
  readonly deprecated?: boolean
}

const TYPES: ReadonlyMap<unknown, (value: unknown) => boolean> = new Map<unknown, (value: unknown) => boolean>([
  ['string', isText],
  ['boolean', (value) => typeof value === 'boolean'],
  ['number', (value) => typeof value === 'number'],
  ['integer', (value) => Number.isInteger(value)],
  ['null', (value) => value === null],
  ['array', (value) => Array.isArray(value)],
  ['object', isObject],
])

/** What each keyword may be. */
const KEYWORDS: Readonly<Record<keyof JsonSchema, (value: unknown) => boolean>> = {
  $ref: isText,
  type: (value) => TYPES.has(value),
  enum: isSet,
  pattern: (value) => isText(value) && new RegExp(value, 'u') instanceof RegExp,
  format: (value) => value === 'date',
  minimum: (value) => typeof value === 'number',
  maximum: (value) => typeof value === 'number',
  maxItems: (value) => Number.isInteger(value) && Number(value) >= 0,
  items: isObject,
  properties: (value) => isObject(value) && Object.values(value).every(isObject),
  additionalProperties: isObject,
  required: (value) => isSet(value) && value.every(isText),
  anyOf: (value) => isSet(value) && value.every(isObject),
  default: () => true,
  description: isText,
  deprecated: (value) => typeof value === 'boolean',
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isSet(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0 && new Set(value).size === value.length
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a reference within a document names. */
export function resolve<T>(document: object, reference: string): T {
  assert.match(reference, /^#\//)
  let at: unknown = document
  for (const key of reference.slice(2).split('/')) at = isObject(at) ? at[key] : undefined
  assert.notEqual(at, undefined, `${reference} leads nowhere`)
  return at as T
}

/** What keeps a schema, or one within it, from being one; empty where it is right. */
export function findSchemaFaults(document: object, schema: JsonSchema, at: string): string[] {
  const own = Object.entries(schema).filter(
    ([name, value]) => !(Object.hasOwn(KEYWORDS, name) && KEYWORDS[name as keyof JsonSchema](value)),
  )
  if (own.length > 0) return own.map(([name, value]) => `${at}: ${name} cannot be ${JSON.stringify(value)}`)
  const { items, additionalProperties, anyOf = [], properties = {} } = schema
  const within = [...Object.entries(properties), ...anyOf.entries(), ...Object.entries({ items, additionalProperties })]
  const byDefault = 'default' in schema ? findFaults(document, schema, schema.default, `${at}: default`) : []
  return [
    ...byDefault,
    ...within.flatMap(([key, one]) => (one === undefined ? [] : findSchemaFaults(document, one, `${at}/${key}`))),
  ]
}

/** Where a value is not what a schema says; empty where it is. */
export function findFaults(document: object, schema: JsonSchema, value: unknown, at = '$'): string[] {
  const { $ref, type, enum: words, pattern, anyOf } = schema
  const { minimum = -Infinity, maximum = Infinity, maxItems = Infinity } = schema
  const isRight =
    (type === undefined || TYPES.get(type)?.(value)) &&
    (words === undefined || words.includes(value)) &&
    (pattern === undefined || !isText(value) || new RegExp(pattern, 'u').test(value)) &&
    (typeof value !== 'number' || (value >= minimum && value <= maximum)) &&
    (!Array.isArray(value) || value.length <= maxItems) &&
    (anyOf === undefined || anyOf.some((one) => findFaults(document, one, value, at).length === 0))
  return [
    ...(isRight ? [] : [`${at}: ${JSON.stringify(value)} is not ${JSON.stringify(schema).slice(0, 200)}`]),
    ...($ref === undefined ? [] : findFaults(document, resolve<JsonSchema>(document, $ref), value, at)),
    ...(Array.isArray(value)
      ? value.flatMap((one, i) => findFaults(document, schema.items ?? {}, one, `${at}[${i}]`))
      : []),
    ...(isObject(value) ? findObjectFaults(document, schema, value, at) : []),
  ]
}

function findObjectFaults(
  document: object,
  { required = [], properties = {}, additionalProperties = {} }: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  at: string,
): string[] {
  const missing = required.filter((key) => !Object.hasOwn(value, key)).map((key) => `${at}: has no ${key}`)
  const within = Object.entries(value).flatMap(([key, one]) =>
    findFaults(document, properties[key] ?? additionalProperties, one, `${at}.${key}`),
  )
  return [...missing, ...within]
}
