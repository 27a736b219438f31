/** A JSON Schema of the draft 2020-12, as OpenAPI 3.1 has them: plain data. */
export type Schema = Readonly<Record<string, unknown>>

export const TEXT: Schema = { type: 'string' }
export const BOOLEAN: Schema = { type: 'boolean' }
export const INTEGER: Schema = { type: 'integer' }
export const NUMBER: Schema = { type: 'number' }
export const OBJECT: Schema = { type: 'object' }
/** A calendar day, as `YYYY-MM-DD`. */
export const DAY: Schema = { type: 'string', format: 'date' }
/** Ids have up to 20 digits, so that they are text. */
export const DIGITS: Schema = { type: 'string', pattern: '^\\d{1,20}$' }

export function wordOf(words: Iterable<string>): Schema {
  return { type: 'string', enum: [...words] }
}

export function listOf(items: Schema, limits: Schema = {}): Schema {
  return { type: 'array', items, ...limits }
}

/** An object that has some keys, and may have the others. */
export function objectOf(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: 'object', properties, ...(required.length > 0 && { required }) }
}

export function anyOf(...schemas: readonly Schema[]): Schema {
  return { anyOf: schemas }
}

/** A schema that stands under its name among the components of the document. */
export function schemaNamed(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

/** What `filtering` is: conditions that are all to be met. */
export function conditionsOf(operators: Iterable<string>): Schema {
  const scalar = anyOf(TEXT, NUMBER)
  const properties = { field: TEXT, operator: wordOf(operators), value: anyOf(TEXT, NUMBER, listOf(scalar)) }
  return listOf(objectOf(properties, ['field', 'operator']))
}
