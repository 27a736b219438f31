import { DATINGS, type Dating } from '../domain/counter.ts'
import { DATE_PRESET_DEFAULT, DATE_PRESETS, type DatePreset } from '../domain/date-preset.ts'
import { type DayRange, parseDay } from '../domain/day.ts'
import { REGION_POLICIES, type RegionPolicy } from '../domain/metric.ts'
import { parseCursor } from './cursor.ts'
import { isEmpty, parseObject, parseText, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { FIELDS_DEFAULT, parseFields } from './field.ts'
import type { Page } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** Rows on a page when `limit` is absent (contract 3.4). */
export const LIMIT_DEFAULT = 25

/** A greater `limit` gives pages of this many rows; `next` leads on as ever. */
export const LIMIT_MAX = 5000

/** What an insights request asks for, past every check. */
export interface InsightsQuery {
  readonly fields: readonly string[]
  readonly dates: DatePreset | DayRange
  readonly region_policy: RegionPolicy
  readonly dated_by: Dating
  readonly page: Page
}

/** What becomes of a parameter: it is answered, refused because this version cannot answer it, or has no effect. */
export type Treatment = 'answered' | 'refused' | 'disregarded'

/** A parameter of `/insights`, for the parser and the reference page. */
export interface InsightsParameter {
  readonly name: string
  readonly treatment: Treatment
  /** A value that asks for what happens anyway, so that it is not refused. */
  readonly neutral?: string
  /** What it says and what its value looks like, in a sentence. */
  readonly meaning: string
}

/** Meta's parameters (contract 3) and, at the end, our own. */
export const INSIGHTS_PARAMETERS: readonly InsightsParameter[] = [
  answered('fields', 'Names of metrics, ids and names, as `a,b` or `["a","b"]`; each row carries those that it has.'),
  answered('date_preset', `One of Meta's twenty names for a range of days; \`${DATE_PRESET_DEFAULT}\` when absent.`),
  answered('time_range', '`{"since":"YYYY-MM-DD","until":"YYYY-MM-DD"}`, both days included; beats `date_preset`.'),
  answered('limit', `Rows on a page: 1 or more, ${LIMIT_DEFAULT} when absent, at most ${LIMIT_MAX}.`),
  answered('after', 'A cursor: the page starts after its row.'),
  answered('before', 'A cursor: the page ends before its row. `after` beats it.'),
  refused('level', 'One row per object of a level below the one asked.'),
  refused('time_ranges', 'Several ranges of days at once.'),
  { ...refused('time_increment', 'Slices of the range.'), neutral: 'all_days' },
  refused('breakdowns', 'Rows by country, hour or button.'),
  refused('action_breakdowns', 'Parts of the entries of action lists.'),
  refused('summary_action_breakdowns', 'The same, of the summary.'),
  refused('action_attribution_windows', 'Windows in which a conversion is credited.'),
  refused('filtering', 'Conditions on rows.'),
  refused('sort', 'The order of rows.'),
  refused('summary', 'Totals over all rows.'),
  { ...refused('default_summary', 'Totals over all rows, of the same fields.'), neutral: 'false' },
  refused('export_format', 'A report as a file.'),
  refused('export_columns', 'Columns of that file.'),
  refused('export_name', 'Name of that file.'),
  disregarded('action_report_time', 'Meta disregards it since 10 June 2025.'),
  disregarded('use_unified_attribution_setting', 'Meta disregards it since 10 June 2025.'),
  disregarded('use_account_attribution_setting', 'It concerns conversions only.'),
  disregarded('product_id_limit', 'It concerns a breakdown that message campaigns do not have.'),
  disregarded('graph_cache', 'Its meaning is not documented.'),
  answered(
    'region_policy',
    'Ours: `documented` (default) leaves out the regions that Meta does, `all` counts everyone.',
  ),
  answered('dated_by', 'Ours: `event` (default) counts on the day of the event, `delivery` on the day of delivery.'),
]

const REFUSED = INSIGHTS_PARAMETERS.filter(({ treatment }) => treatment === 'refused')

const DATE_FORMAT = 'Must be a date representation in the format YYYY-MM-DD'

/** Parses what an insights request asks for. Unknown parameters have no effect (contract 3). Throws a GraphError. */
export function parseInsightsQuery(parameters: Parameters): InsightsQuery {
  for (const parameter of REFUSED) refuse(parameter, parameters.get(parameter.name))
  const fields = parameters.get('fields')
  return {
    fields: fields === undefined || isEmpty(fields) ? FIELDS_DEFAULT : parseFields(fields),
    dates: parseDates(parameters),
    region_policy: parseEnum(parameters, 'region_policy', REGION_POLICIES) ?? 'documented',
    dated_by: parseEnum(parameters, 'dated_by', DATINGS) ?? 'event',
    page: {
      limit: parseLimit(parameters.get('limit')),
      after: parseCursorParameter(parameters.get('after')),
      before: parseCursorParameter(parameters.get('before')),
    },
  }
}

function answered(name: string, meaning: string): InsightsParameter {
  return { name, treatment: 'answered', meaning }
}

function refused(name: string, meaning: string): InsightsParameter {
  return { name, treatment: 'refused', meaning }
}

function disregarded(name: string, meaning: string): InsightsParameter {
  return { name, treatment: 'disregarded', meaning }
}

/** A parameter that changes what the numbers mean is never ignored; an empty one asks for nothing. */
function refuse({ name, neutral }: InsightsParameter, value: Value | undefined): void {
  if (value === undefined || isEmpty(value) || (typeof value === 'string' && parseText(value) === neutral)) return
  const message = `${name} is not answered by this version of Readout: leave it out`
  throw new GraphError(INVALID_PARAMETER, message)
}

function parseDates(parameters: Parameters): DatePreset | DayRange {
  const time_range = parameters.get('time_range')
  if (time_range !== undefined && !isEmpty(time_range)) return parseTimeRange(time_range)
  return parseEnum(parameters, 'date_preset', DATE_PRESETS) ?? DATE_PRESET_DEFAULT
}

function parseTimeRange(value: Value): DayRange {
  const object = parseObject(value)
  if (object === undefined) {
    throw new GraphError(INVALID_PARAMETER, 'time_range must be an object: {"since":"YYYY-MM-DD","until":"YYYY-MM-DD"}')
  }
  const since = parseDate(object.get('since'))
  const until = parseDate(object.get('until'))
  if (since > until) throw new GraphError(INVALID_PARAMETER, 'time_range: since must not be after until')
  return { since, until }
}

function parseDate(value: Value | undefined): number {
  const day = typeof value === 'string' ? parseDay(parseText(value)) : undefined
  if (day === undefined) throw new GraphError(INVALID_PARAMETER, DATE_FORMAT)
  return day
}

function parseEnum<T extends string>(parameters: Parameters, name: string, values: readonly T[]): T | undefined {
  const value = parameters.get(name)
  if (value === undefined || isEmpty(value)) return undefined
  const text = typeof value === 'string' ? parseText(value) : undefined
  const known = values.find((one) => one === text)
  if (known !== undefined) return known
  throw new GraphError(INVALID_PARAMETER, `${name} must be one of the following values: ${values.join(', ')}`)
}

function parseLimit(value: Value | undefined): number {
  if (value === undefined || isEmpty(value)) return LIMIT_DEFAULT
  const text = typeof value === 'string' ? parseText(value) : ''
  if (!/^\d{1,15}$/.test(text) || Number(text) === 0) {
    throw new GraphError(INVALID_PARAMETER, 'limit must be a whole number of rows, 1 or more')
  }
  return Math.min(Number(text), LIMIT_MAX)
}

function parseCursorParameter(value: Value | undefined): number | undefined {
  if (value === undefined || isEmpty(value)) return undefined
  return parseCursor(typeof value === 'string' ? parseText(value) : '')
}
