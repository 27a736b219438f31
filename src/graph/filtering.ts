import { METRIC_BY_FIELD } from '../domain/metric.ts'
import { MICROS_PER_UNIT } from '../domain/money.ts'
import { type CampaignStatus, LEVELS } from '../store/registry.ts'
import { formatValue, parseNames, parseText, parseValue, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'

/** A condition on the nodes or on the rows of a result; several must all hold (contract 3.8). */
export interface Filter {
  readonly kind: 'node' | 'metric' | 'status' | 'none'
  /** `campaign_id`, `ad_name`, …, or a metric. */
  readonly field: string
  readonly operator: Operator
  readonly values: readonly string[]
}

/** Whether a text, or a number in micros, fulfils the values of a condition. */
interface Test {
  readonly text?: (text: string, values: readonly string[]) => boolean
  readonly number?: (number: bigint, values: readonly bigint[]) => boolean
  /** How many values it takes: one, two, or any number. */
  readonly takes: 1 | 2 | 'list'
}

const same = (text: string, value: string) => text.toLowerCase() === value.toLowerCase()
const holds = (text: string, value: string) => text.toLowerCase().includes(value.toLowerCase())
const between = (number: bigint, [low = 0n, high = 0n]: readonly bigint[]) => low <= number && number <= high

/** Meta's operators that fit ids, names and numbers; the others fit fields that message campaigns do not have. */
const TESTS = {
  EQUAL: { takes: 1, text: (text, [value = '']) => same(text, value), number: (number, [value]) => number === value },
  NOT_EQUAL: {
    takes: 1,
    text: (text, [value = '']) => !same(text, value),
    number: (number, [value]) => number !== value,
  },
  GREATER_THAN: { takes: 1, number: (number, [value = 0n]) => number > value },
  GREATER_THAN_OR_EQUAL: { takes: 1, number: (number, [value = 0n]) => number >= value },
  LESS_THAN: { takes: 1, number: (number, [value = 0n]) => number < value },
  LESS_THAN_OR_EQUAL: { takes: 1, number: (number, [value = 0n]) => number <= value },
  IN_RANGE: { takes: 2, number: between },
  NOT_IN_RANGE: { takes: 2, number: (number, values) => !between(number, values) },
  IN: {
    takes: 'list',
    text: (text, values) => values.some((value) => same(text, value)),
    number: (number, values) => values.includes(number),
  },
  NOT_IN: {
    takes: 'list',
    text: (text, values) => !values.some((value) => same(text, value)),
    number: (number, values) => !values.includes(number),
  },
  ANY: { takes: 'list', text: (text, values) => values.some((value) => same(text, value)) },
  NONE: { takes: 'list', text: (text, values) => !values.some((value) => same(text, value)) },
  CONTAIN: { takes: 1, text: (text, [value = '']) => holds(text, value) },
  NOT_CONTAIN: { takes: 1, text: (text, [value = '']) => !holds(text, value) },
  CONTAINS_ANY: { takes: 'list', text: (text, values) => values.some((value) => holds(text, value)) },
  CONTAINS_ALL: { takes: 'list', text: (text, values) => values.every((value) => holds(text, value)) },
  NOT_CONTAINS_ANY: { takes: 'list', text: (text, values) => !values.some((value) => holds(text, value)) },
  STARTS_WITH: { takes: 1, text: (text, [value = '']) => text.toLowerCase().startsWith(value.toLowerCase()) },
  ENDS_WITH: { takes: 1, text: (text, [value = '']) => text.toLowerCase().endsWith(value.toLowerCase()) },
} as const satisfies Readonly<Record<string, Test>>

const CONDITION = 'a condition is an object such as {"field":"campaign.id","operator":"IN","value":["1"]}'

export type Operator = keyof typeof TESTS

export const OPERATORS = Object.keys(TESTS) as readonly Operator[]

/** Parses `filtering`: a list of `{field, operator, value}` in any of the forms of contract 3.9. Throws a GraphError. */
export function parseFiltering(value: Value): Filter[] {
  const list = typeof value === 'string' ? parseValue(value) : value
  const conditions = list instanceof Map ? [...list.values()] : list
  if (!Array.isArray(conditions)) throw invalid('filtering must be a list of objects with field, operator and value')
  return conditions.map(parseFilter)
}

/** How many values there are to hold each node, or each row, against. */
export function countValues(filters: readonly Filter[]): number {
  return filters.reduce((sum, { values }) => sum + values.length, 0)
}

/** Whether an ad of these ids and names, in a campaign of this status, passes the conditions on nodes. */
export function passesNode(
  filters: readonly Filter[],
  names: Readonly<Record<string, string>>,
  status: CampaignStatus,
): boolean {
  return filters.every((filter) => {
    if (filter.kind === 'status') return passesText(filter, status)
    return filter.kind !== 'node' || passesText(filter, names[filter.field] ?? '')
  })
}

/** Whether a row of these values, as the wire has them, passes the conditions on metrics; a missing one passes none. */
export function passesMetrics(filters: readonly Filter[], metricOf: (field: string) => string | undefined): boolean {
  return filters.every((filter) => {
    if (filter.kind !== 'metric') return true
    const number = microsOf(metricOf(filter.field) ?? '')
    const test = (TESTS[filter.operator] as Test).number
    return (
      number &&
      test?.(
        number,
        filter.values.map((one) => microsOf(one) ?? 0n),
      )
    )
  })
}

function passesText({ operator, values }: Filter, text: string): boolean {
  return (TESTS[operator] as Test).text?.(text, values) ?? false
}

/** The parts of a condition, as far as rows and lists have them in common. Throws code 100 where one is missing. */
export function partsOf(condition: Value): { readonly name: string; readonly operator: string; readonly value: Value } {
  if (!(condition instanceof Map)) throw invalid('filtering must be a list of objects with field, operator and value')
  const missing = ['field', 'operator', 'value'].find((part) => !condition.has(part))
  if (missing !== undefined) {
    throw invalid(`filtering: ${missing} is missing in ${formatValue(condition).slice(0, 100)}; ${CONDITION}`)
  }
  const [name, operator] = [textOf(condition.get('field')), textOf(condition.get('operator')).toUpperCase()]
  return { name, operator, value: condition.get('value') ?? '' }
}

function parseFilter(condition: Value): Filter {
  const { name, operator: word, value } = partsOf(condition)
  const { kind, field } = parseField(name)
  const operator = OPERATORS.find((one) => one === word)
  if (operator === undefined) {
    throw invalid(`filtering[operator] must be one of the following values: ${OPERATORS.join(', ')}`)
  }
  const test: Test = TESTS[operator]
  const values = parseValues(value, test.takes)
  if (test.takes !== 'list' && values.length !== test.takes) {
    throw invalid(`filtering: ${operator} takes ${test.takes === 1 ? 'one value' : 'two values'}`)
  }
  const isFitting = kind === 'metric' ? test.number !== undefined : kind === 'none' || test.text !== undefined
  if (!isFitting) throw invalid(`filtering: ${operator} does not fit the field ${field}`)
  const wrong = kind === 'metric' ? values.find((one) => microsOf(one) === undefined) : undefined
  if (wrong !== undefined) throw invalid(`filtering: ${wrong} is no number to compare ${field} with`)
  return { kind, field, operator, values }
}

/** One value may hold commas; a list may come as text. */
function parseValues(value: Value, takes: Test['takes']): string[] {
  const isText = typeof value === 'string' && !/^\s*\[/.test(value)
  return isText && takes === 1 ? [parseText(value)] : (parseNames(value) ?? [])
}

const STATUS_FIELD = /^(?:effective_status|configured_status|status|delivery_info|delivery_status)$/

/** `campaign.id` and `campaign_id` are the same; a metric may stand below any level (contract 3.8). */
function parseField(text: string): Pick<Filter, 'kind' | 'field'> {
  const [, level, name = text] = /^(account|campaign|adset|ad)\.(.+)$/.exec(text) ?? []
  if (STATUS_FIELD.test(name)) return { kind: 'status', field: text }
  if (METRIC_BY_FIELD.has(name)) return { kind: 'metric', field: name }
  if (name === 'action_type') return { kind: 'none', field: name }
  const field = level === undefined ? name : `${level}_${name}`
  if (LEVELS.some((one) => field === `${one}_id` || field === `${one}_name`)) return { kind: 'node', field }
  throw invalid(`filtering: ${text || 'an empty name'} is no field that rows can be filtered by`)
}

const DECIMAL = /^(-?)(\d{1,24})(?:\.(\d{1,6})\d*)?$/

/** A number as the wire has it, in millionths. */
function microsOf(text: string): bigint | undefined {
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const micros = BigInt(match[2] ?? '0') * MICROS_PER_UNIT + BigInt((match[3] ?? '').padEnd(6, '0'))
  return match[1] === '-' ? -micros : micros
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? parseText(value) : ''
}

function invalid(message: string): GraphError {
  return new GraphError(INVALID_PARAMETER, message)
}
