import { METRIC_BY_FIELD } from '../domain/metric.ts'
import { MICROS_PER_UNIT } from '../domain/money.ts'
import { type CampaignStatus, LEVELS } from '../store/registry.ts'
import { PRICES_US } from './budget.ts'
import { formatValue, parseOneText, parseText, parseTexts, parseValue, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'

/** A condition on the nodes or on the rows of a result; several must all hold (contract 3.8). */
export interface Filter {
  readonly kind: 'node' | 'metric' | 'status' | 'none'
  /** `campaign_id`, `ad_name`, …, or a metric. */
  readonly field: string
  readonly operator: Operator
  readonly values: readonly string[]
}

/** Makes what tells whether a text, or a number, fulfils the values of a condition. */
type Make<T> = (values: readonly T[]) => (one: T) => boolean

interface Test {
  /** Of texts in lower case. */
  readonly text?: Make<string>
  /** Of numbers in micros. */
  readonly number?: Make<bigint>
  /** How many values it takes: one, two, or any number. */
  readonly takes: 1 | 2 | 'list'
  /** Whether a text is looked through for each of the values. */
  readonly isSearch?: true
}

/** Holds one against the only value. */
function against<T>(passes: (one: T, value: T) => boolean): Make<T> {
  return ([value]) => {
    return (one) => value !== undefined && passes(one, value)
  }
}

function not<T>(make: Make<T>): Make<T> {
  return (values) => {
    const passes = make(values)
    return (one) => !passes(one)
  }
}

function among<T>(values: readonly T[]): (one: T) => boolean {
  const all = new Set(values)
  return (one) => all.has(one)
}

function between([low = 0n, high = 0n]: readonly bigint[]): (number: bigint) => boolean {
  return (number) => low <= number && number <= high
}

function holdsAny(values: readonly string[]): (text: string) => boolean {
  return (text) => values.some((value) => text.includes(value))
}

function holdsAll(values: readonly string[]): (text: string) => boolean {
  return (text) => values.every((value) => text.includes(value))
}

/** Meta's operators that fit ids, names and numbers; the others fit fields that message campaigns do not have. */
const TESTS = {
  EQUAL: { takes: 1, text: among, number: among },
  NOT_EQUAL: { takes: 1, text: not(among), number: not(among) },
  GREATER_THAN: { takes: 1, number: against((number, value) => number > value) },
  GREATER_THAN_OR_EQUAL: { takes: 1, number: against((number, value) => number >= value) },
  LESS_THAN: { takes: 1, number: against((number, value) => number < value) },
  LESS_THAN_OR_EQUAL: { takes: 1, number: against((number, value) => number <= value) },
  IN_RANGE: { takes: 2, number: between },
  NOT_IN_RANGE: { takes: 2, number: not(between) },
  IN: { takes: 'list', text: among, number: among },
  NOT_IN: { takes: 'list', text: not(among), number: not(among) },
  ANY: { takes: 'list', text: among },
  NONE: { takes: 'list', text: not(among) },
  CONTAIN: { takes: 1, text: holdsAny, isSearch: true },
  NOT_CONTAIN: { takes: 1, text: not(holdsAny), isSearch: true },
  CONTAINS_ANY: { takes: 'list', text: holdsAny, isSearch: true },
  CONTAINS_ALL: { takes: 'list', text: holdsAll, isSearch: true },
  NOT_CONTAINS_ANY: { takes: 'list', text: not(holdsAny), isSearch: true },
  STARTS_WITH: { takes: 1, text: against((text, value) => text.startsWith(value)) },
  ENDS_WITH: { takes: 1, text: against((text, value) => text.endsWith(value)) },
} as const satisfies Readonly<Record<string, Test>>

/** Conditions in one `filtering`. */
export const CONDITIONS_MAX = 50

/** The longest text that an id or a name is held against: no name is longer. */
export const CONDITION_TEXT_LENGTH_MAX = 1000

const CONDITION = 'a condition is an object such as {"field":"campaign.id","operator":"IN","value":["1"]}'

export type Operator = keyof typeof TESTS

export const OPERATORS = Object.keys(TESTS) as readonly Operator[]

/** Parses `filtering`: a list of `{field, operator, value}` in any of the forms of contract 3.9. Throws a GraphError. */
export function parseFiltering(value: Value): Filter[] {
  const list = typeof value === 'string' ? parseValue(value) : value
  const conditions = list instanceof Map ? [...list.values()] : list
  if (!Array.isArray(conditions)) throw invalid('filtering must be a list of objects with field, operator and value')
  checkCount(conditions)
  return conditions.map(parseFilter)
}

/** Throws code 100 for more conditions than anyone needs. */
export function checkCount(conditions: readonly unknown[]): void {
  if (conditions.length > CONDITIONS_MAX) throw invalid(`filtering has more than ${CONDITIONS_MAX} conditions`)
}

/** What it takes to hold a node, or a row, against the conditions, in microseconds. */
export function priceFilters(filters: readonly Filter[]): number {
  return filters.reduce((sum, { operator, values }) => {
    const { isSearch }: Test = TESTS[operator]
    return sum + PRICES_US.condition + (isSearch ? values.length * PRICES_US.search : 0)
  }, 0)
}

/** Whether an ad of these ids and names, in a campaign of this status, passes the conditions on nodes. */
export function passesNode(
  filters: readonly Filter[],
  names: Readonly<Record<string, string>>,
  status: CampaignStatus,
): boolean {
  return filters.every((filter) => {
    if (filter.kind === 'status') return passes(filter, status)
    return filter.kind !== 'node' || passes(filter, names[filter.field] ?? '')
  })
}

/** Whether a row of these values, as the wire has them, passes the conditions on metrics; a missing one passes none. */
export function passesMetrics(filters: readonly Filter[], metricOf: (field: string) => string | undefined): boolean {
  return filters.every((filter) => filter.kind !== 'metric' || passes(filter, metricOf(filter.field) ?? ''))
}

/** A condition meets many nodes and rows: what its values are made to serves them all. */
const tests = new WeakMap<Filter, (value: string) => boolean>()

function passes(filter: Filter, value: string): boolean {
  let test = tests.get(filter)
  if (test === undefined) {
    test = filter.kind === 'metric' ? numberTest(filter) : textTest(filter)
    tests.set(filter, test)
  }
  return test(value)
}

function textTest({ operator, values }: Filter): (text: string) => boolean {
  const { text: make }: Test = TESTS[operator]
  const test = make?.(values.map((value) => value.toLowerCase()))
  return (text) => test?.(text.toLowerCase()) ?? false
}

function numberTest({ operator, values }: Filter): (text: string) => boolean {
  const { number: make }: Test = TESTS[operator]
  const test = make?.(values.map((value) => microsOf(value) ?? 0n))
  return (text) => {
    const number = microsOf(text)
    return number !== undefined && (test?.(number) ?? false)
  }
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
  const values = valuesOf(operator, value, test.takes)
  const isFitting = kind === 'metric' ? test.number !== undefined : kind === 'none' || test.text !== undefined
  if (!isFitting) throw invalid(`filtering: ${operator} does not fit the field ${field}`)
  const wrong = kind === 'metric' ? values.find((one) => microsOf(one) === undefined) : undefined
  if (wrong !== undefined) throw invalid(`filtering: ${wrong} is no number to compare ${field} with`)
  return { kind, field, operator, values }
}

/** The values of a condition: one, which may hold commas, two, or any number. Throws code 100 for others. */
export function valuesOf(operator: string, value: Value, takes: Test['takes']): string[] {
  const one = takes === 1 ? parseOneText(value) : undefined
  const values = takes === 1 ? (one === undefined ? [] : [one]) : parseTexts(value)
  if (values === undefined) throw invalid(`filtering: the value of ${operator} must be a list, as ["1","2"]`)
  if (takes !== 'list' && values.length !== takes) {
    throw invalid(`filtering: ${operator} takes ${takes === 1 ? 'one value' : 'two values'}`)
  }
  if (values.every(({ length }) => length <= CONDITION_TEXT_LENGTH_MAX)) return values
  throw invalid(`filtering: a value is longer than ${CONDITION_TEXT_LENGTH_MAX} characters`)
}

const STATUS_FIELD = /^(?:effective_status|configured_status|status|delivery_info|delivery_status)$/

/** `campaign.id` and `campaign_id` are the same; a metric may stand below any level (contract 3.8). */
function parseField(text: string): Pick<Filter, 'kind' | 'field'> {
  const [, level, name = text] = /^(account|campaign|adset|ad)\.(.+)$/.exec(text) ?? []
  if (STATUS_FIELD.test(name)) return { kind: 'status', field: text }
  const metric = METRIC_BY_FIELD.get(name)
  if (metric?.formula.kind === 'currency') throw invalid(`filtering: ${name} is no number, and the same of all rows`)
  if (metric !== undefined) return { kind: 'metric', field: name }
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
