import type { Permission } from '../store/tokens.ts'
import type { Parameter } from './parameter.ts'
import type { Schema } from './schema.ts'

/** What can be asked at a path, for those who read of it: the reference page and `/openapi.json`. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Behind the version, with `{id}` and `{edge}` for any, and `{list}` for the name of an edge. */
  readonly path: string
  /** What generated clients call it. */
  readonly name: string
  readonly permission: Permission
  /** What it answers. */
  readonly meaning: string
  /** Beside those that every call has. */
  readonly parameters: readonly Parameter[]
  /** Of the body of an answer that succeeded. */
  readonly response: Schema
  /** JSON, unless it says otherwise. */
  readonly content_types?: readonly string[]
}
