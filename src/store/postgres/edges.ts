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
import type { Session, Value } from './session.ts'

/** The listed nodes, each beside its campaign. */
const FROM: Readonly<Record<Level, string>> = {
  account: 'account AS node',
  campaign: 'campaign AS node JOIN campaign USING (campaign_id)',
  adset: 'adset AS node JOIN campaign USING (campaign_id)',
  ad: 'ad AS node JOIN campaign USING (campaign_id)',
}

const UNDER: Readonly<Record<EdgeParent['level'], string>> = {
  user: 'node.account = ANY($1::integer[])',
  account: 'node.account = (SELECT account FROM account WHERE account_id = $1)',
  campaign: 'node.campaign_id = $1',
  adset: 'node.adset_id = $1',
  ad: 'node.ad_id = $1',
}

const COLUMNS: Readonly<Record<Exclude<EdgeField, 'id'>, string>> = {
  name: 'lower(node.name)',
  status: 'campaign.status',
  created_at: 'campaign.created_at',
  updated_at: 'campaign.updated_at',
  campaign_id: 'node.campaign_id',
  adset_id: 'node.adset_id',
}

/** What a column must be, held against the value `$n`. */
const OPERATORS: Readonly<Record<EdgeOperator, (column: string, value: string) => string>> = {
  IN: (column, value) => `${column} = ANY(${value}::text[])`,
  NOT_IN: (column, value) => `${column} <> ALL(${value}::text[])`,
  CONTAIN: (column, value) => `strpos(${column}, ${value}) > 0`,
  NOT_CONTAIN: (column, value) => `strpos(${column}, ${value}) = 0`,
  STARTS_WITH: (column, value) => `starts_with(${column}, ${value})`,
  GREATER_THAN: (column, value) => `(${column} IS NULL OR ${column} > ${value})`,
  GREATER_THAN_OR_EQUAL: (column, value) => `(${column} IS NULL OR ${column} >= ${value})`,
  LESS_THAN: (column, value) => `(${column} IS NULL OR ${column} < ${value})`,
  LESS_THAN_OR_EQUAL: (column, value) => `(${column} IS NULL OR ${column} <= ${value})`,
}

export class PostgresEdges implements Edges {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async listIds(listing: EdgeListing, { limit, after, before }: IdPage): Promise<string[]> {
    const id = idOf(listing)
    const values = valuesOf(listing)
    const isBackwards = after === undefined && before !== undefined
    const place = `${id} ${isBackwards ? '<' : '>'} $${values.length + 1}`
    const order = `ORDER BY ${id} ${isBackwards ? 'DESC' : 'ASC'} LIMIT $${values.length + 2}`
    const sql = `SELECT ${id} AS id ${fromWhere(listing)} AND ${place} ${order}`
    const rows = await this.#session.rowsOnce(sql, ...values, after ?? before ?? '', limit)
    const ids = rows.map((row) => String(row.id))
    return isBackwards ? ids.reverse() : ids
  }

  async countIds(listing: EdgeListing): Promise<number> {
    const sql = `SELECT COUNT(*) AS nodes ${fromWhere(listing)}`
    const [row] = await this.#session.rowsOnce(sql, ...valuesOf(listing))
    return Number(row?.nodes)
  }
}

function idOf({ level }: EdgeListing): string {
  return `node.${level}_id`
}

function fromWhere(listing: EdgeListing): string {
  const { level, parent, conditions } = listing
  const met = conditions.map(({ field, operator }, i) =>
    OPERATORS[operator](field === 'id' ? idOf(listing) : COLUMNS[field], `$${i + 2}`),
  )
  return `FROM ${FROM[level]} WHERE ${[UNDER[parent.level], ...met].join(' AND ')}`
}

function valuesOf({ parent, conditions }: EdgeListing): Value[] {
  const under = parent.level === 'user' ? [...parent.accounts] : parent.id
  return [under, ...conditions.map(boundValue)]
}

function boundValue(condition: EdgeCondition): Value {
  const values = comparedValues(condition)
  return condition.operator === 'IN' || condition.operator === 'NOT_IN' ? values.map(String) : (values[0] ?? '')
}
