import type { Level } from './registry.ts'

/** Whose nodes are listed: those under a node, or the accounts of a token. */
export type EdgeParent =
  | { readonly level: Level; readonly id: string }
  | { readonly level: 'user'; readonly accounts: ReadonlySet<number> }

export type EdgeField = 'id' | 'name' | 'status' | 'created_at' | 'updated_at' | 'campaign_id' | 'adset_id'

export type EdgeOperator =
  | 'IN'
  | 'NOT_IN'
  | 'CONTAIN'
  | 'NOT_CONTAIN'
  | 'STARTS_WITH'
  | 'GREATER_THAN'
  | 'GREATER_THAN_OR_EQUAL'
  | 'LESS_THAN'
  | 'LESS_THAN_OR_EQUAL'

/** What a listed node must be. A time that nobody knows meets every comparison, so that nobody misses the node. */
export interface EdgeCondition {
  readonly field: EdgeField
  readonly operator: EdgeOperator
  /** One, but for IN and NOT_IN; names in any case. */
  readonly values: readonly (string | number)[]
}

/**
 * The values of a condition as a table compares them. Names are compared without regard to case, as far as ASCII has letters: there
 * alone do all engines agree.
 */
export function comparedValues({ field, values }: EdgeCondition): readonly (string | number)[] {
  return field === 'name'
    ? values.map((value) => String(value).replace(/[A-Z]+/g, (some) => some.toLowerCase()))
    : values
}

export interface EdgeListing {
  /** What is listed. */
  readonly level: Level
  readonly parent: EdgeParent
  /** All of them are to be met. */
  readonly conditions: readonly EdgeCondition[]
}

/** Ids after one, or before one; without either, the first. */
export interface IdPage {
  readonly limit: number
  readonly after?: string | undefined
  /** Looked at only when there is no `after`. */
  readonly before?: string | undefined
}

/** Lists of nodes, in the order of their ids, page by page. */
export interface Edges {
  listIds(listing: EdgeListing, page: IdPage): Promise<string[]>
  countIds(listing: EdgeListing): Promise<number>
}
