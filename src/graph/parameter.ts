import { objectOf, type Schema } from './schema.ts'

/** What becomes of a parameter: it has to be there, it is answered when it is, or it has no effect. */
export type Treatment = 'required' | 'answered' | 'disregarded'

/** A row of a table of parameters, which the parser, the reference page and `/openapi.json` read. */
export interface Parameter {
  readonly name: string
  readonly treatment: Treatment
  /** What it says and what its value looks like, in a sentence. */
  readonly meaning: string
  /** Of its value, however it is encoded. */
  readonly schema: Schema
}

export function required(name: string, meaning: string, schema: Schema): Parameter {
  return { name, treatment: 'required', meaning, schema }
}

export function answered(name: string, meaning: string, schema: Schema): Parameter {
  return { name, treatment: 'answered', meaning, schema }
}

export function disregarded(name: string, meaning: string, schema: Schema): Parameter {
  return { name, treatment: 'disregarded', meaning, schema }
}

/** What a parameter is, in words: OpenAPI has none for one without effect. */
export function describeParameter({ treatment, meaning }: Parameter): { description: string; deprecated?: true } {
  return treatment === 'disregarded'
    ? { description: `Disregarded. ${meaning}`, deprecated: true }
    : { description: meaning }
}

/** The parameters of a table as one object, such as a JSON body has them. */
export function describeParameters(parameters: readonly Parameter[]): Schema {
  const properties = parameters.map((one): [string, Schema] => [one.name, { ...one.schema, ...describeParameter(one) }])
  const needed = parameters.filter(({ treatment }) => treatment === 'required').map(({ name }) => name)
  return objectOf(Object.fromEntries(properties), needed)
}
