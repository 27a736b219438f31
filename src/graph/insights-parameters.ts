import { DATINGS, type Dating } from '../domain/counter.ts'
import { DATE_PRESET_DEFAULT, DATE_PRESETS, type DatePreset } from '../domain/date-preset.ts'
import { type DayRange, parseDay } from '../domain/day.ts'
import { METRIC_BY_FIELD, metricCounters, REGION_POLICIES, type RegionPolicy } from '../domain/metric.ts'
import { LEVELS, type Level } from '../store/registry.ts'
import { isCounted } from './breakdown.ts'
import { type Cursor, parseCursor } from './cursor.ts'
import { isEmpty, parseObject, parseText, parseValue, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { DATE_FIELDS, FIELDS_DEFAULT, parseFields } from './field.ts'
import { BREAKDOWN_NAMES } from './field-names.ts'
import { type Filter, OPERATORS, parseFiltering } from './filtering.ts'
import type { Page } from './paging.ts'
import { answered, disregarded, type Parameter } from './parameter.ts'
import { given, givenNames, type Parameters } from './parameters.ts'
import { REPORT_FORMATS } from './report-file.ts'
import {
  anyOf,
  BOOLEAN,
  conditionsOf,
  DAY,
  INTEGER,
  listOf,
  objectOf,
  type Schema,
  schemaNamed,
  TEXT,
  wordOf,
} from './schema.ts'
import { TIME_INCREMENT_MAX, TIME_INCREMENT_WORDS, type TimeIncrement } from './slice.ts'

/** Rows on a page when `limit` is absent (contract 3.4). */
export const LIMIT_DEFAULT = 25

/** A greater `limit` gives pages of this many rows; `next` leads on as ever. */
export const LIMIT_MAX = 5000

/** A breakdown that we can answer. */
export const BREAKDOWNS = [
  'country',
  'hourly_stats_aggregated_by_advertiser_time_zone',
  'marketing_messages_btn_name',
] as const

export type Breakdown = (typeof BREAKDOWNS)[number]

/** The order of rows by one of their values. */
export interface Sort {
  readonly field: string
  readonly isDescending: boolean
}

/** What an insights request asks for, past every check. */
export interface InsightsQuery {
  readonly fields: readonly string[]
  /** That of the node when it is not said. */
  readonly level: Level | undefined
  /** Several ranges are slices of their own. */
  readonly dates: DatePreset | DayRange | readonly DayRange[]
  readonly time_increment: TimeIncrement
  readonly breakdown: Breakdown | undefined
  readonly filters: readonly Filter[]
  readonly sort: Sort | undefined
  /** The fields of the summary, where one is asked for. */
  readonly summary: readonly string[] | undefined
  readonly region_policy: RegionPolicy
  readonly dated_by: Dating
  readonly page: Page
}

/** Ranges that are asked for at once. */
export const TIME_RANGES_MAX = 100

/** Of `limit`, of rows and of nodes alike. */
export const LIMIT: Schema = { type: 'integer', minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT }

const FIELD_NAMES = listOf(schemaNamed('InsightsField'))
const TIME_RANGE = objectOf({ since: DAY, until: DAY }, ['since', 'until'])
const SLICE_DAYS: Schema = { type: 'integer', minimum: 1, maximum: TIME_INCREMENT_MAX }

/** Meta's parameters (contract 3) and, at the end, our own. */
export const INSIGHTS_PARAMETERS: readonly Parameter[] = [
  answered(
    'fields',
    'Names of metrics, ids and names, as `a,b` or `["a","b"]`; each row carries those that it has.',
    FIELD_NAMES,
  ),
  answered('date_preset', `One of Meta's twenty names for a range of days; \`${DATE_PRESET_DEFAULT}\` when absent.`, {
    ...wordOf(DATE_PRESETS),
    default: DATE_PRESET_DEFAULT,
  }),
  answered(
    'time_range',
    '`{"since":"YYYY-MM-DD","until":"YYYY-MM-DD"}`, both days included; beats `date_preset`.',
    TIME_RANGE,
  ),
  answered('limit', `Rows on a page: 1 or more, ${LIMIT_DEFAULT} when absent, at most ${LIMIT_MAX}.`, LIMIT),
  answered('after', 'A cursor: the page starts after its row.', TEXT),
  answered('before', 'A cursor: the page ends before its row. `after` beats it.', TEXT),
  answered(
    'level',
    'A row per `account`, `campaign`, `adset` or `ad`: the level of the node, or one below it.',
    wordOf(LEVELS),
  ),
  answered(
    'time_ranges',
    'A list of ranges, a row for each; they may overlap. Beats the three above and the one below.',
    listOf(TIME_RANGE, { maxItems: TIME_RANGES_MAX }),
  ),
  answered(
    'time_increment',
    '`all_days` (default), `monthly`, or a number of days from 1 to 90: a row for each slice.',
    { ...anyOf(wordOf(TIME_INCREMENT_WORDS), SLICE_DAYS), default: 'all_days' },
  ),
  answered(
    'breakdowns',
    `A row for each value of one of ${BREAKDOWNS.map((name) => `\`${name}\``).join(', ')}. Others are refused.`,
    listOf(wordOf(BREAKDOWNS)),
  ),
  answered(
    'filtering',
    '`[{"field":…,"operator":…,"value":…}]`: on ids and names, such as `campaign.id`, and on metrics.',
    conditionsOf(OPERATORS),
  ),
  answered(
    'sort',
    '`<field>_ascending` or `<field>_descending`, at most one; by node and day when absent.',
    listOf(TEXT, { maxItems: 1 }),
  ),
  answered(
    'summary',
    'Names of fields: the answer gets a `summary` of them over all rows.',
    anyOf(BOOLEAN, FIELD_NAMES),
  ),
  answered('default_summary', '`true`: the same with the names in `fields`.', BOOLEAN),
  disregarded('action_breakdowns', 'It concerns the entries of action lists, which are empty here.', listOf(TEXT)),
  disregarded(
    'summary_action_breakdowns',
    'It concerns the entries of action lists, which are empty here.',
    listOf(TEXT),
  ),
  disregarded('action_attribution_windows', 'It concerns conversions only.', listOf(TEXT)),
  answered(
    'export_format',
    '`csv` or `xls`: starts a report whose rows can be downloaded as such a file.',
    wordOf(REPORT_FORMATS),
  ),
  answered(
    'export_columns',
    'Names of the columns of that file, of `fields`, the dates and the breakdown: all of them when absent.',
    listOf(TEXT),
  ),
  answered('export_name', 'The name of that file.', TEXT),
  disregarded('action_report_time', 'Meta disregards it since 10 June 2025.', TEXT),
  disregarded('use_unified_attribution_setting', 'Meta disregards it since 10 June 2025.', BOOLEAN),
  disregarded('use_account_attribution_setting', 'It concerns conversions only.', BOOLEAN),
  disregarded('product_id_limit', 'It concerns a breakdown that message campaigns do not have.', INTEGER),
  disregarded('graph_cache', 'Its meaning is not documented.', BOOLEAN),
  answered(
    'region_policy',
    'Ours: `documented` (default) leaves out the regions that Meta does, `all` counts everyone.',
    { ...wordOf(REGION_POLICIES), default: 'documented' },
  ),
  answered('dated_by', 'Ours: `event` (default) counts on the day of the event, `delivery` on the day of delivery.', {
    ...wordOf(DATINGS),
    default: 'event',
  }),
]

const DATE_FORMAT = 'Must be a date representation in the format YYYY-MM-DD'

const TIME_INCREMENT = /^[1-9]\d?$/

/** The same parameters come with many nodes: what they were parsed to serves them all. */
const queries = new WeakMap<Parameters, InsightsQuery>()

/** Parses what an insights request asks for. Unknown parameters have no effect (contract 3). Throws a GraphError. */
export function parseInsightsQuery(parameters: Parameters): InsightsQuery {
  const known = queries.get(parameters)
  if (known !== undefined) return known
  const query = parseQuery(parameters)
  queries.set(parameters, query)
  return query
}

function parseQuery(parameters: Parameters): InsightsQuery {
  const asked = given(parameters, 'fields')
  const fields = asked === undefined ? FIELDS_DEFAULT : parseFields(asked)
  const filtering = given(parameters, 'filtering')
  const dates = parseDates(parameters)
  const query: InsightsQuery = {
    fields,
    level: parseEnum(parameters, 'level', LEVELS),
    dates,
    time_increment: typeof dates === 'object' && 'length' in dates ? 'all_days' : parseTimeIncrement(parameters),
    breakdown: parseBreakdown(givenNames(parameters, 'breakdowns') ?? []),
    filters: filtering === undefined ? [] : parseFiltering(filtering),
    sort: parseSort(givenNames(parameters, 'sort') ?? []),
    summary: parseSummary(parameters, fields),
    region_policy: parseEnum(parameters, 'region_policy', REGION_POLICIES) ?? 'documented',
    dated_by: parseEnum(parameters, 'dated_by', DATINGS) ?? 'event',
    page: parsePage(parameters),
  }
  checkCounted(query)
  return query
}

/** Refuses to filter or sort by a metric that no row of the breakdown has. */
function checkCounted({ filters, sort, breakdown, dated_by }: InsightsQuery): void {
  if (breakdown === undefined) return
  const asked = [...filters.map(({ field }) => ({ field, by: 'filtering' })), { field: sort?.field ?? '', by: 'sort' }]
  for (const { field, by } of asked) {
    const metric = METRIC_BY_FIELD.get(field)
    if (metric === undefined || isCounted(breakdown, metricCounters(metric, dated_by))) continue
    throw invalid(`${by}: rows of the breakdown ${breakdown} have no ${field}`)
  }
}

/** Parses which rows of a result are asked for. Throws a GraphError. */
export function parsePage(parameters: Parameters): Page {
  return {
    limit: parseLimit(parameters.get('limit')),
    after: parseCursorParameter(parameters.get('after')),
    before: parseCursorParameter(parameters.get('before')),
  }
}

function parseDates(parameters: Parameters): InsightsQuery['dates'] {
  const time_ranges = given(parameters, 'time_ranges')
  if (time_ranges !== undefined) return parseTimeRanges(time_ranges)
  const time_range = given(parameters, 'time_range')
  if (time_range !== undefined) return parseTimeRange(time_range)
  return parseEnum(parameters, 'date_preset', DATE_PRESETS) ?? DATE_PRESET_DEFAULT
}

function parseTimeRanges(value: Value): DayRange[] {
  const list = typeof value === 'string' ? parseValue(value) : value
  const ranges = list instanceof Map && !list.has('since') ? [...list.values()] : list
  if (!Array.isArray(ranges) || ranges.length > TIME_RANGES_MAX) {
    throw invalid(`time_ranges must be a list of at most ${TIME_RANGES_MAX} objects with since and until`)
  }
  return ranges.map(parseTimeRange)
}

function parseTimeIncrement(parameters: Parameters): TimeIncrement {
  const value = given(parameters, 'time_increment')
  if (value === undefined) return 'all_days'
  const text = typeof value === 'string' ? parseText(value) : ''
  const word = TIME_INCREMENT_WORDS.find((one) => one === text)
  if (word !== undefined) return word
  if (TIME_INCREMENT.test(text) && Number(text) <= TIME_INCREMENT_MAX) return Number(text)
  throw invalid(`time_increment must be all_days, monthly, or a number of days from 1 to ${TIME_INCREMENT_MAX}`)
}

/** Refuses what is no breakdown of Meta's, what we cannot know, and more than one, each in Meta's words. */
function parseBreakdown(names: readonly string[]): Breakdown | undefined {
  const [name, ...others] = [...new Set(names)]
  if (name === undefined) return undefined
  const unknown = [name, ...others].findIndex((one) => !BREAKDOWN_NAMES.has(one))
  if (unknown >= 0) {
    throw invalid(`breakdowns[${unknown}] must be one of the following values: ${[...BREAKDOWN_NAMES].join(', ')}`)
  }
  const known = BREAKDOWNS.find((one) => one === name)
  if (known !== undefined && others.length === 0) return known
  const columns = ['action_type', name, ...others].join(', ')
  throw invalid(`Current combination of data breakdown columns (${columns}) is invalid`)
}

const SORT_NAME = /^(.+?)(?:_(ascending|descending))?$/

function parseSort(names: readonly string[]): Sort | undefined {
  if (names.length > 1) throw invalid('sort must be a list of at most one name')
  const [, field = '', direction] = SORT_NAME.exec(names[0] ?? '') ?? []
  // Connectors send the bare direction, which names no field to sort by.
  if (field === '' || field === 'asc' || field === 'desc') return undefined
  if (!isSortable(field)) throw invalid(`sort: ${field} is no field that rows can be sorted by`)
  return { field, isDescending: direction === 'descending' }
}

function isSortable(field: string): boolean {
  return (
    METRIC_BY_FIELD.has(field) ||
    DATE_FIELDS.includes(field) ||
    /^(?:account|campaign|adset|ad)_(?:id|name)$/.test(field)
  )
}

/** Parses the fields of the summary, where one is asked for: those named, or the same as of the rows. */
export function parseSummary(parameters: Parameters, fields: readonly string[]): readonly string[] | undefined {
  const value = given(parameters, 'summary')
  const text = typeof value === 'string' ? parseText(value) : undefined
  if (value !== undefined && !isSwitch(text)) return parseFields(value)
  const byDefault = parameters.get('default_summary')
  const isAsked = isOn(text) || (typeof byDefault === 'string' && isOn(parseText(byDefault)))
  return isAsked ? fields : undefined
}

function isSwitch(text: string | undefined): boolean {
  return text !== undefined && ['true', 'false', '1', '0'].includes(text.toLowerCase())
}

function isOn(text: string | undefined): boolean {
  return text !== undefined && ['true', '1'].includes(text.toLowerCase())
}

function parseTimeRange(value: Value): DayRange {
  const object = parseObject(value)
  if (object === undefined) {
    throw invalid('time_range must be an object: {"since":"YYYY-MM-DD","until":"YYYY-MM-DD"}')
  }
  const since = parseDate(object.get('since'))
  const until = parseDate(object.get('until'))
  if (since > until) throw invalid('time_range: since must not be after until')
  return { since, until }
}

function parseDate(value: Value | undefined): number {
  const day = typeof value === 'string' ? parseDay(parseText(value)) : undefined
  if (day === undefined) throw invalid(DATE_FORMAT)
  return day
}

/** Parses a parameter that is one of some words; `undefined` when it asks for nothing. Throws code 100. */
export function parseEnum<T extends string>(parameters: Parameters, name: string, values: readonly T[]): T | undefined {
  const value = parameters.get(name)
  if (value === undefined || isEmpty(value)) return undefined
  const text = typeof value === 'string' ? parseText(value) : undefined
  const known = values.find((one) => one === text)
  if (known !== undefined) return known
  throw invalid(`${name} must be one of the following values: ${values.join(', ')}`)
}

/** Parses `limit`, of rows and of nodes alike. Throws a GraphError. */
export function parseLimit(value: Value | undefined): number {
  if (value === undefined || isEmpty(value)) return LIMIT_DEFAULT
  const text = typeof value === 'string' ? parseText(value) : ''
  if (!/^\d{1,15}$/.test(text) || Number(text) === 0) {
    throw invalid('limit must be a whole number of rows, 1 or more')
  }
  return Math.min(Number(text), LIMIT_MAX)
}

function parseCursorParameter(value: Value | undefined): Cursor | undefined {
  if (value === undefined || isEmpty(value)) return undefined
  return parseCursor(typeof value === 'string' ? parseText(value) : '')
}

function invalid(message: string): GraphError {
  return new GraphError(INVALID_PARAMETER, message)
}
