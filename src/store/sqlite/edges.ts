import type { DatabaseSync } from 'node:sqlite'
import {
  comparedValues,
  type EdgeCondition,
  type EdgeField,
  type EdgeListing,
  type EdgeOperator,
  type EdgeParent,
  type Edges,
  type IdPage,
} from '../edges.ts'
import type { Level } from '../registry.ts'

/** The listed nodes, each beside its campaign. They come first, so that their index gives the order. */
const FROM: Readonly<Record<Level, string>> = {
  account: 'account AS node',
  campaign: 'campaign AS node CROSS JOIN campaign USING (campaign_id)',
  adset: 'adset AS node CROSS JOIN campaign USING (campaign_id)',
  ad: 'ad AS node CROSS JOIN campaign USING (campaign_id)',
}

const UNDER: Readonly<Record<EdgeParent['level'], string>> = {
  user: 'node.account IN (SELECT value FROM json_each(?))',
  account: 'node.account = (SELECT account FROM account WHERE account_id = ?)',
  campaign: 'node.campaign_id = ?',
  adset: 'node.adset_id = ?',
  ad: 'node.ad_id = ?',
}

const COLUMNS: Readonly<Record<Exclude<EdgeField, 'id'>, string>> = {
  name: 'lower(node.name)',
  status: 'campaign.status',
  created_at: 'campaign.created_at',
  updated_at: 'campaign.updated_at',
  campaign_id: 'node.campaign_id',
  adset_id: 'node.adset_id',
}

const OPERATORS: Readonly<Record<EdgeOperator, (column: string) => string>> = {
  IN: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  NOT_IN: (column) => `${column} NOT IN (SELECT value FROM json_each(?))`,
  CONTAIN: (column) => `instr(${column}, ?) > 0`,
  NOT_CONTAIN: (column) => `instr(${column}, ?) = 0`,
  STARTS_WITH: (column) => `instr(${column}, ?) = 1`,
  GREATER_THAN: (column) => `(${column} IS NULL OR ${column} > ?)`,
  GREATER_THAN_OR_EQUAL: (column) => `(${column} IS NULL OR ${column} >= ?)`,
  LESS_THAN: (column) => `(${column} IS NULL OR ${column} < ?)`,
  LESS_THAN_OR_EQUAL: (column) => `(${column} IS NULL OR ${column} <= ?)`,
}

export class SqliteEdges implements Edges {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  async listIds(listing: EdgeListing, { limit, after, before }: IdPage): Promise<string[]> {
    const id = idOf(listing)
    const isBackwards = after === undefined && before !== undefined
    const place = isBackwards ? `${id} < ?` : `${id} > ?`
    const order = isBackwards ? 'DESC' : 'ASC'
    const rows = this.#db
      .prepare(`SELECT ${id} AS id ${fromWhere(listing)} AND ${place} ORDER BY ${id} ${order} LIMIT ?`)
      .all(...valuesOf(listing), after ?? before ?? '', limit)
    const ids = rows.map((row) => String(row.id))
    return isBackwards ? ids.reverse() : ids
  }

  async countIds(listing: EdgeListing): Promise<number> {
    const row = this.#db.prepare(`SELECT COUNT(*) AS nodes ${fromWhere(listing)}`).get(...valuesOf(listing))
    return Number(row?.nodes)
  }
}

function idOf({ level }: EdgeListing): string {
  return `node.${level}_id`
}

function fromWhere(listing: EdgeListing): string {
  const { level, parent, conditions } = listing
  const met = conditions.map(({ field, operator }) =>
    OPERATORS[operator](field === 'id' ? idOf(listing) : COLUMNS[field]),
  )
  return `FROM ${FROM[level]} WHERE ${[UNDER[parent.level], ...met].join(' AND ')}`
}

function valuesOf({ parent, conditions }: EdgeListing): (string | number)[] {
  const under = parent.level === 'user' ? JSON.stringify([...parent.accounts]) : parent.id
  return [under, ...conditions.map(boundValue)]
}

function boundValue(condition: EdgeCondition): string | number {
  const values = comparedValues(condition)
  return condition.operator === 'IN' || condition.operator === 'NOT_IN' ? JSON.stringify(values) : (values[0] ?? '')
}
