import { calendarOf } from '../domain/calendar.ts'
import type { Counter } from '../domain/counter.ts'
import { type DatePreset, type DateRange, resolveDatePreset } from '../domain/date-preset.ts'
import { type Day, type DayRange, dayOf, formatDay, plainDate } from '../domain/day.ts'
import { formatMetric, METRIC_BY_FIELD, type Measure, metricCounters } from '../domain/metric.ts'
import { REGION_CLASSES } from '../domain/region.ts'
import type { Node } from '../store/registry.ts'
import type { RollupColumn } from '../store/rollup-cells.ts'
import type { ColumnSums, Rollups } from '../store/rollups.ts'
import { GraphError, HISTORY_TOO_OLD } from './error.ts'
import type { InsightsQuery } from './insights-parameters.ts'

/** A row as the wire has it: every value is text (contract 5.4). */
export type InsightsRow = Record<string, string>

/**
 * The rows of a node: one for its whole range of days, none when nothing happened in it (design 5). Call it within a
 * reading transaction, so that every number of the row is of the same moment.
 */
export async function readInsights(
  rollups: Rollups,
  node: Node,
  query: InsightsQuery,
  now: Temporal.Instant,
  meta_history_limit: boolean,
): Promise<InsightsRow[]> {
  const today = calendarOf(node.time_zone).dayOf(now.epochMilliseconds)
  const resolved = await resolveDays(rollups, node, query, today)
  const days = meta_history_limit && resolved !== undefined ? limitHistory(resolved, query, today) : resolved
  if (days === undefined) return []
  const columns = remember(columnLists, `${query.dated_by} ${query.fields}`, () => columnsOf(query))
  const { cells, sums } = await rollups.sumColumns(node, days, columns)
  if (cells === 0 || (query.dated_by === 'delivery' && isSilent(sums))) return []
  const ever_sent = !query.fields.includes(DELIVERY_RATE) || (await rollups.readEverSent(node))
  return [formatRow(node, query, days, sums, ever_sent)]
}

const DELIVERY_RATE = 'marketing_messages_delivery_rate'

/** What tells that anything is dated into a range by delivery: an event-dated cell alone does not. */
const DELIVERY_DATED: readonly Counter[] = ['delivered', 'sent_by_delivery', 'link_btn_click_by_delivery']

async function resolveDays(
  rollups: Rollups,
  node: Node,
  { dates }: InsightsQuery,
  today: Day,
): Promise<DayRange | undefined> {
  if (typeof dates !== 'string') return dates
  if (dates !== 'maximum' && dates !== 'data_maximum')
    return remember(calendarRanges, `${dates} ${today}`, () => presetDays(dates, today))
  const data = await rollups.readDays(node)
  return data && presetDays(dates, today, data)
}

function presetDays(preset: DatePreset, today: Day, data?: DayRange): DayRange {
  const range = data && { since: plainDate(data.since), until: plainDate(data.until) }
  const { since, until } = resolveDatePreset(preset, plainDate(today), range) as DateRange
  return { since: dayOf(since), until: dayOf(until) }
}

/** What was worked out for a day, or for a list of fields, and serves every request that asks the same. */
const calendarRanges = new Map<string, DayRange>()
const columnLists = new Map<string, readonly RollupColumn[]>()

const REMEMBERED_MAX = 1000

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const made = known.get(key)
  if (made !== undefined) return made
  if (known.size >= REMEMBERED_MAX) known.clear()
  const fresh = make()
  known.set(key, fresh)
  return fresh
}

/** Meta keeps no more than this (contract 4.4). */
const HISTORY_MONTHS = 37

/** A range that asks for more is an error; `maximum` is as much as there is (contract 4.2). */
function limitHistory(days: DayRange, { dates }: InsightsQuery, today: Day): DayRange | undefined {
  const first = dayOf(plainDate(today).subtract({ months: HISTORY_MONTHS }))
  if (days.since >= first) return days
  if (typeof dates === 'string') return days.until < first ? undefined : { since: first, until: days.until }
  const message = `The start date of the time range cannot be beyond ${HISTORY_MONTHS} months from the current date`
  throw new GraphError(HISTORY_TOO_OLD, message)
}

/** The columns to sum, each counter in every class: the metrics of one row may count different classes. */
function columnsOf({ fields, dated_by }: InsightsQuery): RollupColumn[] {
  const metrics = fields.flatMap((field) => METRIC_BY_FIELD.get(field) ?? [])
  const counters = new Set(metrics.flatMap((metric) => metricCounters(metric, dated_by)))
  if (dated_by === 'delivery') for (const counter of DELIVERY_DATED) counters.add(counter)
  return [...counters].flatMap((counter) => REGION_CLASSES.map((name): RollupColumn => `${counter}_${name}`))
}

function isSilent(sums: ColumnSums['sums']): boolean {
  return DELIVERY_DATED.every((counter) =>
    REGION_CLASSES.every((name) => (sums.get(`${counter}_${name}`) ?? 0n) === 0n),
  )
}

function formatRow(
  node: Node,
  { fields, region_policy, dated_by }: InsightsQuery,
  days: DayRange,
  sums: ColumnSums['sums'],
  ever_sent: boolean,
): InsightsRow {
  const measure: Measure = { region_policy, dated_by, currency: node.currency, ever_sent }
  const row: InsightsRow = {}
  for (const field of fields) {
    const metric = METRIC_BY_FIELD.get(field)
    const value =
      metric === undefined
        ? node.names[field]
        : formatMetric(metric, (counter, region_class) => sums.get(`${counter}_${region_class}`) ?? 0n, measure)
    if (value !== undefined) row[field] = value
  }
  row.date_start = formatDay(days.since)
  row.date_stop = formatDay(days.until)
  return row
}
