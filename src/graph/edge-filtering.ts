import type { EdgeCondition, EdgeField, EdgeOperator } from '../store/edges.ts'
import type { Level } from '../store/registry.ts'
import { PRICES_US } from './budget.ts'
import { parseText, parseValue, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { checkCount, partsOf, valuesOf } from './filtering.ts'
import { given, givenNames, type Parameters } from './parameters.ts'

/** What `delivery_info` calls our two statuses; its other values are met by nothing here. */
const STATUS_OF_DELIVERY: ReadonlyMap<string, string> = new Map([
  ['active', 'ACTIVE'],
  ['deleted', 'DELETED'],
])

const SECONDS_MS = 1000

/** `2026-11-28`, and a time behind it. */
const DATE = /^\d{4}-\d\d/

/** Meta's names of what a list can be filtered by, and what they are of a node. */
const FIELDS: ReadonlyMap<string, EdgeField> = new Map([
  ['id', 'id'],
  ['name', 'name'],
  ['status', 'status'],
  ['effective_status', 'status'],
  ['configured_status', 'status'],
  ['delivery_info', 'status'],
  ['created_time', 'created_at'],
  ['updated_time', 'updated_at'],
])

export const EDGE_OPERATORS: ReadonlyMap<string, EdgeOperator> = new Map([
  ['EQUAL', 'IN'],
  ['NOT_EQUAL', 'NOT_IN'],
  ['IN', 'IN'],
  ['NOT_IN', 'NOT_IN'],
  ['ANY', 'IN'],
  ['NONE', 'NOT_IN'],
  ['CONTAIN', 'CONTAIN'],
  ['NOT_CONTAIN', 'NOT_CONTAIN'],
  ['STARTS_WITH', 'STARTS_WITH'],
  ['GREATER_THAN', 'GREATER_THAN'],
  ['GREATER_THAN_OR_EQUAL', 'GREATER_THAN_OR_EQUAL'],
  ['LESS_THAN', 'LESS_THAN'],
  ['LESS_THAN_OR_EQUAL', 'LESS_THAN_OR_EQUAL'],
  ['AFTER', 'GREATER_THAN'],
  ['ON_OR_AFTER', 'GREATER_THAN_OR_EQUAL'],
  ['BEFORE', 'LESS_THAN'],
  ['ON_OR_BEFORE', 'LESS_THAN_OR_EQUAL'],
])

/** Those that times are compared by. */
const COMPARISONS: ReadonlySet<EdgeOperator> = new Set([
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUAL',
  'LESS_THAN',
  'LESS_THAN_OR_EQUAL',
])

/** Those of Meta's operators that take any number of values. */
const LISTS: ReadonlySet<string> = new Set(['IN', 'NOT_IN', 'ANY', 'NONE'])

/**
 * What `filtering`, `effective_status` and `updated_since` ask of the nodes of an edge (contract 3.8 and 9.7). Deleted
 * ones are left out of a list that asks for no status. Ad accounts have neither a status nor times: both ask nothing of them.
 */
export function parseConditions(parameters: Parameters, level: Level): readonly EdgeCondition[] {
  const conditions = parseFiltering(given(parameters, 'filtering')).map((filter) => parseCondition(filter, level))
  if (level === 'account') return conditions
  const statuses = givenNames(parameters, 'effective_status')
  if (statuses !== undefined) conditions.push({ field: 'status', operator: 'IN', values: statuses })
  const since = given(parameters, 'updated_since')
  if (since !== undefined) {
    conditions.push({ field: 'updated_at', operator: 'GREATER_THAN', values: [parseSeconds(since)] })
  }
  if (conditions.some(({ field }) => field === 'status')) return conditions
  return [...conditions, { field: 'status', operator: 'NOT_IN', values: ['DELETED'] }]
}

/** What it takes to look through names, in microseconds; what every client asks of every list is not dear. */
export function priceConditions(conditions: readonly EdgeCondition[]): number {
  return conditions.filter(({ field }) => field === 'name').length * PRICES_US.listed_search
}

function parseFiltering(value: Value | undefined): readonly Map<string, Value>[] {
  if (value === undefined) return []
  const list = typeof value === 'string' ? parseValue(parseText(value)) : value
  const filters = list instanceof Map && !list.has('field') ? [...list.values()] : [list].flat()
  checkCount(filters)
  if (filters.every((filter) => filter instanceof Map)) return filters
  throw new GraphError(INVALID_PARAMETER, 'filtering must be a list: [{"field":"id","operator":"IN","value":["1"]}]')
}

function parseCondition(filter: Map<string, Value>, level: Level): EdgeCondition {
  const { name, operator: word, value } = partsOf(filter)
  const field = parseField(name, level)
  const operator = EDGE_OPERATORS.get(word)
  if (operator === undefined) {
    throw new GraphError(
      INVALID_PARAMETER,
      `operator must be one of the following values: ${[...EDGE_OPERATORS.keys()].join(', ')}`,
    )
  }
  if (field === 'created_at' || field === 'updated_at') {
    if (COMPARISONS.has(operator)) return { field, operator, values: [parseSeconds(value)] }
    throw new GraphError(
      INVALID_PARAMETER,
      `filtering: ${word} does not fit ${name}: a time is before or after another`,
    )
  }
  const texts = valuesOf(word, value, LISTS.has(word) ? 'list' : 1)
  const isDelivery = name.endsWith('delivery_info')
  return { field, operator, values: isDelivery ? texts.flatMap((text) => STATUS_OF_DELIVERY.get(text) ?? []) : texts }
}

/** `id`, `ad.id`, `campaign.effective_status`: of the listed node, or the id of one above it. */
function parseField(name: string, level: Level): EdgeField {
  const [, of = level, what = ''] = /^(?:(campaign|adset|ad)\.)?(\w+)$/.exec(name) ?? []
  const field = FIELDS.get(what)
  const isShared = field === 'status' || field === 'created_at' || field === 'updated_at'
  if (field !== undefined && level !== 'account' && (of === level || isShared)) return field
  if (what === 'id' && of === 'campaign' && level !== 'account') return 'campaign_id'
  if (what === 'id' && of === 'adset' && level === 'ad') return 'adset_id'
  throw new GraphError(INVALID_PARAMETER, `Filtering field '${name}' with operation is not supported on this edge`)
}

/** Unix seconds, as clients filter by, in milliseconds. */
function parseSeconds(value: Value): number {
  const text = textOf([value].flat()[0])
  const time_ms = /^\d{1,12}$/.test(text) ? Number(text) * SECONDS_MS : DATE.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(time_ms)) return time_ms
  throw new GraphError(INVALID_PARAMETER, 'a time must be given in seconds since 1970, or as YYYY-MM-DD')
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? parseText(value) : ''
}
