import assert from 'node:assert/strict'
import { type JsonSchema, resolve } from './json-schema.ts'

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>

interface Reference {
  readonly $ref?: string
}

export interface ApiParameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly deprecated?: boolean
  readonly explode?: boolean
  readonly schema?: JsonSchema
  readonly content?: Content
}

export interface ApiResponse {
  readonly description: string
  readonly content?: Content
  readonly headers?: Readonly<Record<string, Reference>>
}

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security?: readonly unknown[]
  readonly parameters?: readonly (ApiParameter & Reference)[]
  readonly requestBody?: { readonly content: Content; readonly required: boolean }
  readonly responses: Readonly<Record<string, ApiResponse & Reference>>
}

interface ServerAddress {
  readonly url: string
  readonly variables?: { readonly version: { readonly enum: readonly string[]; readonly default: string } }
}

type PathItem = Readonly<Partial<Record<(typeof METHODS)[number], Operation>>> & {
  readonly servers?: readonly ServerAddress[]
  readonly parameters?: readonly (ApiParameter & Reference)[]
}

/** `/openapi.json`, as far as the tests look into it. */
export interface ApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly servers: readonly ServerAddress[]
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: {
    readonly parameters: Readonly<Record<string, ApiParameter>>
    readonly responses: Readonly<Record<string, ApiResponse>>
    readonly schemas: Readonly<Record<string, JsonSchema>>
  }
}

const METHODS = ['get', 'post', 'delete'] as const

/** A call that the document describes. */
export interface ApiCall {
  readonly path: string
  readonly method: string
  readonly operation: Operation
  /** Its own and those of its path. */
  readonly parameters: readonly ApiParameter[]
  readonly responses: Readonly<Record<string, ApiResponse>>
  /** Where its path begins: with a version, unless it has none. */
  readonly base: string
}

/** Reads the document of a running server. */
export async function readDocument(server_url: string): Promise<ApiDocument> {
  const response = await fetch(`${server_url}/openapi.json`)
  assert.equal(response.status, 200)
  return (await response.json()) as ApiDocument
}

export function listCalls(document: ApiDocument): ApiCall[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [callOf(document, path, item, method, operation)]
    }),
  )
}

function callOf(document: ApiDocument, path: string, item: PathItem, method: string, operation: Operation): ApiCall {
  const read = <T>(one: T & Reference): T => (one.$ref === undefined ? one : resolve<T>(document, one.$ref))
  const responses = Object.entries(operation.responses).map(
    ([status, one]) => [status, read<ApiResponse>(one)] as const,
  )
  const { url, variables } = (item.servers ?? document.servers)[0] ?? assert.fail('there is no server')
  return {
    path,
    method: method.toUpperCase(),
    operation,
    parameters: [...(operation.parameters ?? []), ...(item.parameters ?? [])].map((one) => read<ApiParameter>(one)),
    responses: Object.fromEntries(responses),
    base: url.replace('{version}', variables?.version.default ?? '').replace(/\/$/, ''),
  }
}

/** A value as its parameter says that it stands in a query. */
export function formatValue({ content, explode }: ApiParameter, value: unknown): string {
  if (content !== undefined) return JSON.stringify(value)
  return Array.isArray(value) && explode === false ? value.join(',') : String(value)
}

/** The words that a schema takes, alone or as the items of a list. */
export function wordsOf(document: ApiDocument, schema: JsonSchema = {}): string[] {
  const { $ref, enum: words = [], items, anyOf = [] } = schema
  const inner = [...anyOf, items ?? {}, $ref === undefined ? {} : resolve<JsonSchema>(document, $ref)]
  const isEmpty = (one: JsonSchema) => Object.keys(one).length === 0
  return [...words.map(String), ...inner.flatMap((one) => (isEmpty(one) ? [] : wordsOf(document, one)))]
}
